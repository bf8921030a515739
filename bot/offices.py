"""Where to go: the vehicle offices of the city a citizen names."""

from bot.scene import Move, Question, Scene, asks, end
from bot.wording import joined, office_lines
from casework.offices import offices

_MOST = 3
_SUFFIXES = ("市", "县", "区", "省")
_FILLING = ("我在", "在哪里", "在哪", "的", "车管所", "窗口", "办公地址", "地址", "怎么走", "河南省")


async def offices_of(scene: Scene, text: str) -> str:
    """Offices whose name or address holds the place named; empty when there is none."""
    place = text
    for word in _FILLING:
        place = place.replace(word, "")
    place = place.strip()
    if len(place) > 2:
        place = place.rstrip("".join(_SUFFIXES))
    if len(place) < 2:
        return ""
    every = await offices(scene.ctx, kind="vehicle_office")
    found = [o for o in every if place in o.name or place in o.address]
    return office_lines(scene.ctx.book.texts, found[:_MOST])


async def near(scene: Scene, region: str) -> str:
    """The offices of a region code, by county first, then by city."""
    for code in (region, f"{region[:4]}00"):
        found = await offices(scene.ctx, code, "vehicle_office")
        if found:
            return office_lines(scene.ctx.book.texts, found[:_MOST])
    return ""


async def begin(scene: Scene) -> Move:
    """Offices asked for: at once when a city was named with it."""
    found = await offices_of(scene, scene.text)
    return end(found) if found else Move("offices.city")


async def _take_city(scene: Scene) -> Move:
    found = await offices_of(scene, scene.text)
    if not found:
        return scene.stay(scene.say("city_unknown"))
    return scene.stay(joined(found))


QUESTIONS = (Question("offices.city", asks("ask_city"), _take_city),)
