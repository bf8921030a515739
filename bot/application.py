"""Any reviewed service in the chat: its fields and materials one after the other (REQ C1, F1, F2).

Nothing here knows a service. What is still open comes from the matter itself, so a draft begun in
the mini-program goes on at its first missing part, and in correction (补正) only the parts the
officer named are asked for.
"""

from dataclasses import replace

from bot.attaching import asked_material, attach_photo, begin_replacing, replaced_since_sent_back
from bot.registration import offer
from bot.scene import Move, Question, Scene, end
from bot.wording import chosen, day, joined, numbered, refused
from casework import matters
from casework.views import FieldView, MatterView
from rules.fields import Field
from rules.refusals import Refusal

_INCOMPLETE = frozenset({"materials-missing", "correction-incomplete"})
_DONE = ("完成", "发完了", "好了", "完了", "没有了", "发完")
_SKIP = ("跳过", "没有", "无", "不填")
_YES = ("确认提交", "提交", "确认", "是", "好的")


async def begin(scene: Scene, code: str) -> Move:
    """Begin a service, or go on with its draft; says what is missing when it cannot be begun."""
    service = scene.ctx.book.catalogue.find(code)
    if service.kind != "reviewed":
        return Move("services.guide", {"service": code})
    if scene.citizen is None:
        return offer(code, scene.say("register_first", service=service.title))
    try:
        view = await matters.open_draft(
            scene.ctx, scene.citizen, code, scene.cause("create"), "chat"
        )
    except Refusal as refusal:
        said = refused(scene.ctx.book.texts, refusal)
        if refusal.code == "already-under-way":
            return Move("progress.matter", {"number": refusal.params["number"]}, said)
        return end(said)
    begun = any(f.value for f in view.fields) or any(m.photos for m in view.materials)
    key = "draft_continued" if begun else "draft_begun"
    return await proceed(scene, view, scene.say(key, service=view.title, number=view.number))


async def resume(scene: Scene, number: str) -> Move:
    """Go on with a draft or a correction at the first open part."""
    view = await matters.view(scene.ctx, scene.person, number)
    said = scene.say("draft_continued", service=view.title, number=view.number)
    if view.defects:
        named = "\n".join(f"· {d.label}：{d.reason}" for d in view.defects)
        said = f"{scene.say('correction_intro')}\n{named}"
    return await proceed(scene, view, said)


async def go_on(scene: Scene) -> Move:
    """``继续`` at a part: the same question, or the next one where the part was filled in or put
    right meanwhile in the mini-program."""
    view = await matters.view(scene.ctx, scene.person, scene.answers["number"])
    open_parts = {d.part for d in view.missing}
    if view.defects:
        open_parts |= {d.part for d in view.defects} - replaced_since_sent_back(view)
    if scene.answers["part"] in open_parts | _empty_optional(view):
        return scene.stay()
    return await proceed(scene, view)


async def proceed(scene: Scene, view: MatterView, said: str = "") -> Move:
    """To the next part that is still open, else to the summary."""
    answers = dict(scene.answers) if scene.answers.get("number") == view.number else {}
    answers = {k: v for k, v in answers.items() if k not in ("part", "replace")}
    answers["number"] = view.number
    part = _next_part(scene, view, answers)
    if part is None:
        return Move("application.confirm", answers, said)
    if part.startswith("material:") and not answers.get("told"):
        return Move("application.channel", {**answers, "part": part}, said)
    return Move("application.part", begin_replacing(view, {**answers, "part": part}), said)


def _next_part(scene: Scene, view: MatterView, answers: dict[str, object]) -> str | None:
    done = answers.get("done") or []
    passed = set(done) if isinstance(done, list) else set()
    if view.defects:
        passed |= replaced_since_sent_back(view)
        return next((d.part for d in view.defects if d.part not in passed), None)
    wanted, optional = {d.part for d in view.missing}, _empty_optional(view)
    every = [f"field:{f.name}" for f in view.fields]
    every += [f"material:{m.name}" for m in view.materials]
    if not wanted and not passed:
        # Come back to a complete draft: what is optional was asked for before.
        return None
    return next((p for p in every if p in wanted or (p in optional and p not in passed)), None)


def _empty_optional(view: MatterView) -> set[str]:
    empty = {f"field:{f.name}" for f in view.fields if not f.required and not f.value}
    return empty | {f"material:{m.name}" for m in view.materials if not m.required and not m.photos}


async def _ask_part(scene: Scene) -> str:
    view = await matters.view(scene.ctx, scene.person, scene.answers["number"])
    kind, _, name = scene.answers["part"].partition(":")
    if kind == "material":
        return asked_material(scene, view, name)
    field = _field(scene, view, name)
    required = next(f.required for f in view.fields if f.name == name)
    return joined(
        "\n".join(
            line
            for line in (
                scene.say("ask_field", label=field.label),
                field.help,
                scene.say("field_example", example=field.example) if field.example else "",
                numbered([o.label for o in field.options]),
                "" if required else scene.say("may_skip"),
            )
            if line
        )
    )


def _field(scene: Scene, view: MatterView, name: str) -> Field:
    return next(f for f in scene.ctx.book.catalogue[view.service].fields if f.name == name)


async def _take_part(scene: Scene) -> Move:
    number, part = scene.answers["number"], scene.answers["part"]
    kind, _, name = part.partition(":")
    view = await matters.view(scene.ctx, scene.person, number)
    if kind == "material":
        return await _take_material(scene, view, name)
    optional = not next(f.required for f in view.fields if f.name == name)
    if optional and scene.text in _SKIP:
        return await proceed(_passed(scene, part), view)
    field = _field(scene, view, name)
    choice = chosen(scene.text, len(field.options))
    value = field.options[choice].value if choice is not None else scene.text
    try:
        view = await matters.fill(
            scene.ctx, scene.person, number, {name: value}, scene.cause("fill")
        )
    except Refusal as refusal:
        if refusal.code != "form-incomplete":
            raise
        reasons = "；".join(str(f["reason"]) for f in refusal.params["fields"])
        return scene.stay(reasons)
    filled = next(f for f in view.fields if f.name == name)
    return await proceed(_passed(scene, part), view, scene.say("noted", text=_read_back(filled)))


def _read_back(field: FieldView) -> str:
    return f"{field.label}：{field.text}"


def _passed(scene: Scene, part: str) -> Scene:
    """The scene after a part was dealt with."""
    done = [*scene.answers.get("done", []), part]
    return replace(scene, answers={**scene.answers, "done": done})


async def _take_material(scene: Scene, view: MatterView, name: str) -> Move:
    material = next(m for m in view.materials if m.name == name)
    part = f"material:{name}"
    if scene.photo:
        view, answers, said = await attach_photo(scene, view, name, scene.photo)
        material = next(m for m in view.materials if m.name == name)
        scene = replace(scene, answers=answers)
        if len(material.photos) < material.max_photos:
            return scene.stay(said)
        return await proceed(_passed(scene, part), view, said)
    fresh = bool(material.photos) and not scene.answers.get("replace")
    if scene.text in _DONE and fresh:
        return await proceed(_passed(scene, part), view)
    if not material.required and scene.text in _SKIP:
        return await proceed(_passed(scene, part), view)
    return scene.stay(scene.say("photo_wanted"))


async def _back(scene: Scene) -> Move:
    """``返回`` at a part shows what there is, to be changed from there."""
    return scene.go("application.change")


async def _ask_channel(scene: Scene) -> str:
    choices = numbered([scene.say("choice_go_on_here"), scene.say("choice_mini_program")])
    return joined(scene.say("chat_keeps_history"), choices)


async def _take_channel(scene: Scene) -> Move:
    choice = chosen(scene.text, 2)
    if choice == 1 or "小程序" in scene.text:
        return end(scene.say("go_on_in_mini_program"))
    if choice != 0 and not scene.photo and scene.text not in ("继续", *_YES):
        return scene.stay(scene.say("choose_number"))
    view = await matters.view(scene.ctx, scene.person, scene.answers["number"])
    answers = begin_replacing(view, {**scene.answers, "told": True})
    told = replace(scene, answers=answers, at="application.part")
    # Whoever sends the photo right away has decided.
    return await _take_part(told) if scene.photo else Move("application.part", answers)


async def _ask_confirm(scene: Scene) -> str:
    view = await matters.view(scene.ctx, scene.person, scene.answers["number"])
    lines = [_read_back(f) for f in view.fields if f.value]
    lines += [
        scene.say("photos_given", label=m.label, count=len(m.photos))
        for m in view.materials
        if m.photos
    ]
    choices = [scene.say("choice_submit"), scene.say("choice_change"), scene.say("choice_later")]
    return joined(scene.say("summary", service=view.title), "\n".join(lines), numbered(choices))


async def _take_confirm(scene: Scene) -> Move:
    choice = chosen(scene.text, 3)
    if choice == 1 or scene.text in ("修改", "改"):
        return scene.go("application.change")
    if choice == 2:
        return end(scene.say("draft_kept"))
    if choice != 0 and scene.text not in _YES:
        return scene.stay(scene.say("choose_number"))
    number = scene.answers["number"]
    try:
        view = await matters.submit(scene.ctx, scene.person, number, scene.cause("submit"))
    except Refusal as refusal:
        if refusal.code not in _INCOMPLETE:
            raise
        # Something was taken away in the mini-program: ask for it afresh.
        view = await matters.view(scene.ctx, scene.person, number)
        afresh = replace(scene, answers={"number": number, "told": scene.answers.get("told")})
        return await proceed(afresh, view, refused(scene.ctx.book.texts, refusal))
    return end(
        joined(
            scene.say("submitted", service=view.title, number=view.number),
            scene.say("submitted_office", office=view.office.name, phone=view.office.phone)
            if view.office
            else "",
            scene.say("progress_due", day=day(view.due)) if view.due else "",
            scene.say("submitted_next"),
        )
    )


async def _ask_change(scene: Scene) -> str:
    view = await matters.view(scene.ctx, scene.person, scene.answers["number"])
    return joined(scene.say("ask_change"), numbered([label for _, label in _open_parts(view)]))


def _open_parts(view: MatterView) -> list[tuple[str, str]]:
    parts = [(f"field:{f.name}", f.label) for f in view.fields if f.open]
    return parts + [(f"material:{m.name}", m.label) for m in view.materials if m.open]


async def _take_change(scene: Scene) -> Move:
    view = await matters.view(scene.ctx, scene.person, scene.answers["number"])
    parts = _open_parts(view)
    choice = chosen(scene.text, len(parts))
    if choice is None:
        return scene.stay(scene.say("choose_number"))
    part, _ = parts[choice]
    answers = begin_replacing(view, {**scene.answers, "part": part}, always=True)
    return Move("application.part", answers)


async def _back_to_confirm(scene: Scene) -> Move:
    view = await matters.view(scene.ctx, scene.person, scene.answers["number"])
    return await proceed(scene, view)


QUESTIONS = (
    Question("application.part", _ask_part, _take_part, photos=True, back=_back),
    Question("application.channel", _ask_channel, _take_channel, photos=True, back=_back),
    Question("application.confirm", _ask_confirm, _take_confirm, back=_back),
    Question("application.change", _ask_change, _take_change, back=_back_to_confirm),
)
