"""Where to go: the vehicle offices of the city a citizen names."""

import re

from bot.scene import Move, NotAnAnswer, Question, Scene, asks, end
from bot.wording import office_lines
from casework.offices import offices
from rules.id_number import region_of
from rules.regions import contains

_MOST = 3
_FILLING = re.compile("我在|在哪里?|怎么走|的|车管所|车辆管理所|窗口|办公|地址|河南省?|[吗呢啊]")


async def offices_of(scene: Scene, text: str) -> str:
    """The vehicle offices of the place named, by region or by name; empty when there is none."""
    place = _FILLING.sub("", text).strip()
    if len(place) < 2:
        return ""
    every = await offices(scene.ctx, kind="vehicle_office")
    region = scene.ctx.book.regions.named_in(place)
    found = [o for o in every if region is not None and contains(region.code, o.region)]
    if not found:
        bare = place.rstrip("市县区") if len(place) > 2 else place
        found = [o for o in every if bare in o.name or bare in o.address]
    return office_lines(scene.ctx.book.texts, found[:_MOST])


def home_region(scene: Scene, id_number: str) -> str | None:
    """The region of the platform an ID number was first given out in; None outside it."""
    region = scene.ctx.book.regions.of_code(region_of(id_number))
    return region.code if region else None


async def begin(scene: Scene) -> Move:
    """Offices asked for: at once when a city was named with it."""
    found = await offices_of(scene, scene.text)
    return end(found) if found else Move("offices.city")


async def _take_city(scene: Scene) -> Move:
    found = await offices_of(scene, scene.text)
    if not found:
        raise NotAnAnswer(scene.say("city_unknown"))
    return scene.stay(found)


QUESTIONS = (Question("offices.city", asks("ask_city"), _take_city),)
