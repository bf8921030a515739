"""A photo that nobody asked for: what is it for? (DESIGN §3)

For half an hour only the media id is kept, in the dialogue; the picture itself is fetched once it
has a place. Who is not registered gets advice: nothing of his is kept.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot import application
from bot.attaching import attach_photo
from bot.scene import Move, Question, Scene, end
from bot.wording import chosen, numbered
from casework import matters
from casework.guide import services

_KEPT = timedelta(minutes=30)
_MOST = 8


async def begin(scene: Scene) -> Move:
    """Offer the open parts of drafts and corrections under way, else the services."""
    if scene.citizen is None:
        return end(scene.say("photo_register_first"))
    options = await _open_materials(scene)
    if not options:
        options = [
            {"service": s.code, "label": scene.say("photo_for_service", title=s.title)}
            for s in services(scene.ctx)
            if s.kind == "reviewed" and s.status == "open"
        ]
    if not options:
        return end(scene.say("photo_no_use"))
    answers = {
        "media_id": scene.photo,
        "at": scene.ctx.now().isoformat(),
        "options": options[:_MOST],
    }
    return Move("photo.what_for", answers)


async def _open_materials(scene: Scene) -> list[dict[str, Any]]:
    options: list[dict[str, Any]] = []
    for row in await matters.mine(scene.ctx, scene.person):
        if row.state not in ("draft", "correction"):
            continue
        view = await matters.view(scene.ctx, scene.person, row.number)
        options += [
            {
                "number": row.number,
                "material": m.name,
                "label": scene.say("photo_for_material", title=row.title, label=m.label),
            }
            for m in view.materials
            if m.open and (view.defects or len(m.photos) < m.max_photos)
        ]
    return options


async def _ask_what_for(scene: Scene) -> str:
    labels = [o["label"] for o in scene.answers["options"]] + [scene.say("choice_none")]
    return f"{scene.say('ask_what_for')}\n{numbered(labels)}"


async def _take_what_for(scene: Scene) -> Move:
    if scene.photo:
        return await begin(scene)
    options = scene.answers["options"]
    choice = chosen(scene.text, len(options) + 1)
    if choice is None:
        named = [n for n, o in enumerate(options) if scene.text and scene.text in o["label"]]
        choice = named[0] if len(named) == 1 else None
    if choice is None:
        return scene.stay(scene.say("choose_number"))
    if choice == len(options):
        return end(scene.say("photo_dropped"))
    if scene.ctx.now() - datetime.fromisoformat(scene.answers["at"]) > _KEPT:
        return end(scene.say("photo_too_old"))
    option = options[choice]
    if "service" in option:
        return await _for_service(scene, option["service"])
    view = await matters.view(scene.ctx, scene.person, option["number"])
    view, _, said = await attach_photo(scene, view, option["material"], scene.answers["media_id"])
    fresh = replace(scene, answers={"number": view.number, "told": True})
    return await application.proceed(fresh, view, said)


async def _for_service(scene: Scene, code: str) -> Move:
    """The draft is begun first; then the photo is asked about once more, with its materials."""
    begun = await application.begin(scene, code)
    if begun.to is None or not begun.to.startswith("application."):
        return begun
    options = await _open_materials(scene)
    return scene.stay(begun.said, options=options[:_MOST])


QUESTIONS = (Question("photo.what_for", _ask_what_for, _take_what_for, photos=True),)
