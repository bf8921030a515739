"""The services and their guides in the chat, for everyone (REQ D4, E1)."""

from typing import Any

from bot import application, exams
from bot.scene import Move, Question, Scene
from bot.wording import chosen, joined, listed, numbered
from casework.guide import ServiceSummary, guide, services

_PAGE = 12
_ONLINE = ("reviewed", "booking")


def begin(scene: Scene) -> Move:
    """All services, by sector."""
    return Move("services.sector", {})


def _sectors(scene: Scene) -> list[tuple[str, str]]:
    return list(dict.fromkeys((s.sector, s.sector_label) for s in services(scene.ctx)))


async def _ask_sector(scene: Scene) -> str:
    labels = [label for _, label in _sectors(scene)]
    return f"{scene.say('ask_sector')}\n{numbered(labels)}"


async def _take_sector(scene: Scene) -> Move:
    sectors = _sectors(scene)
    choice = chosen(scene.text, len(sectors))
    if choice is None:
        choice = next((n for n, (_, label) in enumerate(sectors) if label in scene.text), None)
    if choice is None:
        return scene.stay(scene.say("choose_number"))
    return scene.go("services.pick", sector=sectors[choice][0], page=0)


def _of_sector(scene: Scene) -> list[ServiceSummary]:
    return [s for s in services(scene.ctx) if s.sector == scene.answers["sector"]]


def _page(scene: Scene) -> tuple[list[ServiceSummary], bool]:
    found, start = _of_sector(scene), int(scene.answers.get("page", 0)) * _PAGE
    return found[start : start + _PAGE], len(found) > start + _PAGE


async def _ask_pick(scene: Scene) -> str:
    shown, more = _page(scene)
    lines = [scene.say("service_line", title=s.title, status=s.status_label) for s in shown]
    if more:
        lines.append(scene.say("choice_more"))
    return f"{scene.say('ask_service')}\n{numbered(lines)}"


async def _take_pick(scene: Scene) -> Move:
    shown, more = _page(scene)
    choice = chosen(scene.text, len(shown) + int(more))
    if choice is None:
        return scene.stay(scene.say("choose_number"))
    if choice == len(shown):
        return scene.go("services.pick", page=int(scene.answers["page"]) + 1)
    return scene.go("services.guide", service=shown[choice].code)


async def _ask_guide(scene: Scene) -> str:
    found = guide(scene.ctx, scene.answers["service"])
    online = found["kind"] in _ONLINE and found["status"] == "open"
    closing = scene.say("guide_begin") if online else scene.say("guide_not_online")
    return joined(guide_text(scene, found), closing)


def guide_text(scene: Scene, found: dict[str, Any]) -> str:
    """A guide in short sentences: who, conditions, materials, steps, how long, what it costs."""
    materials = [
        m["label"] + (f"（{m['shows']}）" if m["shows"] else "") for m in found["materials"]
    ]
    limit = found["time_limit"]
    return joined(
        scene.say("guide_head", title=found["title"], status=found["status_label"]),
        _section(scene, "guide_who", [found["who"]]),
        _section(scene, "guide_conditions", found["conditions"]),
        _section(scene, "guide_materials", materials),
        _section(scene, "guide_steps", found["steps"]),
        scene.say("guide_limit", days=limit["value"]) if limit else "",
        _section(scene, "guide_office", [found["office"]]),
        _section(scene, "guide_fee", [found["fee"]]),
    )


def _section(scene: Scene, key: str, lines: list[str]) -> str:
    said = [line for line in lines if line]
    return f"{scene.say(key)}\n{listed(said)}" if said else ""


async def _take_guide(scene: Scene) -> Move:
    code = scene.answers["service"]
    service = scene.ctx.book.catalogue.find(code)
    if chosen(scene.text, 1) == 0 or scene.text in ("办理", "办", "开始", "开始办理", "是"):
        if service.kind == "booking":
            return await exams.book(scene)
        if service.kind == "reviewed":
            return await application.begin(scene, code)
        return scene.stay(scene.say("guide_not_online"))
    return scene.stay(scene.say("choose_number"))


async def _back(scene: Scene) -> Move:
    return begin(scene)


QUESTIONS = (
    Question("services.sector", _ask_sector, _take_sector),
    Question("services.pick", _ask_pick, _take_pick, back=_back),
    Question("services.guide", _ask_guide, _take_guide, back=_back),
)
