"""Photos sent in the chat for a material, and the exchange of those an officer sent back."""

from collections.abc import Mapping
from typing import Any

from bot.scene import Scene
from bot.wording import joined
from casework import matters
from casework.conversations import fetch_photo
from casework.views import MaterialView, MatterView


def asked_material(scene: Scene, view: MatterView, name: str) -> str:
    """The words that ask for a material: what it must show, how many photos, how to end."""
    material = _material(view, name)
    defect = next((d.reason for d in view.defects if d.part == f"material:{name}"), "")
    if material.photos and not scene.answers.get("replace"):
        return scene.say("more_photos", left=material.max_photos - len(material.photos))
    lines = [scene.say("ask_photo", label=material.label, shows=material.shows)]
    if defect:
        lines.insert(0, scene.say("defect", label=material.label, reason=defect))
    if material.max_photos > 1:
        lines.append(scene.say("several_photos", most=material.max_photos))
    if not material.required:
        lines.append(scene.say("may_skip"))
    return "\n".join(lines)


async def attach_photo(
    scene: Scene, view: MatterView, name: str, media_id: str
) -> tuple[MatterView, Mapping[str, Any], str]:
    """Fetch a photo from WeChat and add it; gives the matter, the answers and what to say.

    The first new photo takes the place of those that were there when replacing began: added first
    where there is room, so that a picture that cannot be used takes nothing away.
    """
    number, old = view.number, list(scene.answers.get("replace", []))
    material = _material(view, name)
    async with fetch_photo(scene.ctx, media_id) as spool:
        if old and len(material.photos) >= material.max_photos:
            view = await _detach(scene, view, name, old.pop())
        view = await matters.attach(
            scene.ctx, scene.person, number, name, spool, scene.cause("attach")
        )
    for photo_id in old:
        view = await _detach(scene, view, name, photo_id)
    photos = _material(view, name).photos
    said = scene.say("photo_taken", label=material.label, count=len(photos))
    checks = "；".join(photos[-1].checks) if photos else ""
    answers = {k: v for k, v in scene.answers.items() if k != "replace"}
    return view, answers, joined(said, scene.say("photo_hint", checks=checks) if checks else "")


async def _detach(scene: Scene, view: MatterView, name: str, photo_id: str) -> MatterView:
    if all(p.id != photo_id for p in _material(view, name).photos):
        return view
    cause = scene.cause(f"detach:{photo_id}")
    return await matters.detach(scene.ctx, scene.person, view.number, photo_id, cause)


def begin_replacing(
    view: MatterView, answers: Mapping[str, Any], always: bool = False
) -> dict[str, Any]:
    """Answers that remember which photos of the part give way to new ones.

    In correction these are the photos the officer has seen; with ``always`` every one there is.
    """
    kind, _, name = str(answers["part"]).partition(":")
    if kind != "material" or not (view.defects or always):
        return dict(answers)
    return {**answers, "replace": [p.id for p in _material(view, name).photos]}


def replaced_since_sent_back(view: MatterView) -> set[str]:
    """The materials that already have a photo newer than the officer's decision."""
    sent_back = max((e.at for e in view.timeline if e.type == "sent_back"), default=None)
    if sent_back is None:
        return set()
    return {
        f"material:{m.name}"
        for m in view.materials
        if any(p.added_at >= sent_back for p in m.photos)
    }


def _material(view: MatterView, name: str) -> MaterialView:
    return next(m for m in view.materials if m.name == name)
