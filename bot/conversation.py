"""The engine of the conversation: one message in, one answer and the next state of the talk out.

The table ``QUESTIONS`` is the whole conversation. Words of the house (菜单, 进度, 取消 …) work
anywhere; what they interrupt is kept and taken up again with 继续.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot import (
    application,
    closing,
    devices,
    exams,
    mandates,
    menu,
    offices,
    photos,
    privacy,
    progress,
    registration,
    services,
    switching,
    unbinding,
    vehicles,
)
from bot.intents import command, named
from bot.scene import Move, NotAnAnswer, Question, Scene
from bot.wording import fit, joined, refused, tidy
from casework.context import Context
from casework.turns import Incoming, Talk, Turn
from rules.people import Citizen
from rules.refusals import Refusal

_TABLE = (
    *menu.QUESTIONS,
    *registration.QUESTIONS,
    *application.QUESTIONS,
    *progress.QUESTIONS,
    *photos.QUESTIONS,
    *services.QUESTIONS,
    *offices.QUESTIONS,
    *vehicles.QUESTIONS,
    *privacy.QUESTIONS,
    *closing.QUESTIONS,
    *mandates.QUESTIONS,
    *switching.QUESTIONS,
    *unbinding.QUESTIONS,
    *devices.QUESTIONS,
    *exams.QUESTIONS,
)
QUESTIONS: Mapping[str, Question] = {q.name: q for q in _TABLE}
"""Every question of the conversation by its name ``flow.step``."""

_GONE = frozenset({"not-found", "service-unknown"})
# What these begin takes the place of what was under way; anything else only interrupts it.
_REPLACING = ("registration.", "application.")


async def think(ctx: Context, citizen: Citizen | None, talk: Talk, incoming: Incoming) -> Turn:
    """Answer one message. Raises nothing expected: every refusal is put in words."""
    scene = _scene(ctx, citizen, talk, incoming)
    question = QUESTIONS[scene.at]
    try:
        move = await _move(scene, question)
    except Refusal as refusal:
        move = _after_refusal(scene, refusal)
    turn = await _turn(scene, move)
    if not move.left and move.citizen is None:
        return turn
    # What whoever it spoke for before had interrupted stays with him.
    paused = scene.paused
    at_home = {"flow": "menu", "step": "pick", "answers": {}}
    behind = {**at_home, "paused": paused} if paused else None
    return replace(turn, moved=True, behind=behind)


@dataclass(frozen=True)
class Asked:
    """The question a dialogue stands at, worded: the same in every channel.

    ``number`` is the matter it is about, ``part`` the part asked for (``field:…``, ``material:…``).
    """

    flow: str
    step: str
    text: str
    number: str | None
    part: str | None


async def asked(ctx: Context, citizen: Citizen, talk: Talk) -> Asked:
    """The question under way, or the menu when nothing is or what it was about is gone."""
    nothing = Incoming("mini", "", "", ctx.now(), "text", citizen=citizen.key)
    scene = _scene(ctx, citizen, talk, nothing)
    try:
        text = await QUESTIONS[scene.at].ask(scene)
    except Refusal:
        scene = _scene(ctx, citizen, Talk(), nothing)
        text = ""
    flow, _, step = scene.at.partition(".")
    return Asked(
        flow=flow,
        step=step,
        text=text or menu.menu(scene),
        number=scene.answers.get("number"),
        part=scene.answers.get("part"),
    )


def _scene(ctx: Context, citizen: Citizen | None, talk: Talk, incoming: Incoming) -> Scene:
    dialogue = talk.dialogue or {}
    at = f"{dialogue.get('flow', 'menu')}.{dialogue.get('step', 'pick')}"
    known = at in QUESTIONS and (citizen is not None or not at.startswith(_FOR_CITIZENS))
    return Scene(
        ctx=ctx,
        citizen=citizen,
        incoming=incoming,
        at=at if known else menu.HOME,
        answers=dialogue.get("answers", {}) if known else {},
        text=tidy(incoming.text),
        paused=dialogue.get("paused"),
    )


_FOR_CITIZENS = (
    "application.",
    "booking.",
    "closing.",
    "devices.",
    "exams.",
    "mandates.",
    "unbinding.",
    "progress.",
    "photo.",
    "vehicles.",
)


async def _move(scene: Scene, question: Question) -> Move:
    incoming = scene.incoming
    if incoming.kind == "event":
        return await menu.on_event(scene)
    if scene.photo:
        return await question.take(scene) if question.photos else await _unasked_photo(scene)
    if not scene.text:
        key = "voice_unclear" if incoming.kind == "voice" else "kind_not_read"
        return scene.stay(scene.say(key))
    word = command(scene.text)
    if word == "back" and scene.at != menu.HOME:
        return await question.back(scene)
    answered = await _answered(scene, word)
    if answered is not None:
        return answered
    if scene.at != menu.HOME and not _is_meant_here(scene, word):
        if word in menu.EVERYWHERE:
            return await menu.obey(scene, word)
        code = named(scene.text, scene.ctx.book.catalogue)
        if code is not None and not scene.at.startswith("services."):
            return await menu.begin_service(scene, code)
    try:
        return await question.take(scene)
    except NotAnAnswer as no:
        return await menu.wished(scene) or scene.stay(no.said)


async def _answered(scene: Scene, word: str | None) -> Move | None:
    """接受 and 放弃 answer an offer of a place from anywhere, but where the question itself asks
    whether to accept something."""
    if word not in exams.ANSWERS or scene.at.startswith("mandates."):
        return None
    return await menu.answered(scene, word)


def _is_meant_here(scene: Scene, word: str | None) -> bool:
    """Whether a command answers the question itself: 继续 to go on with what it shows, 取消 to give
    up the booking it shows."""
    if word == "resume":
        return scene.paused is None and scene.at in ("progress.matter", "application.channel")
    return word == "cancel" and scene.at == "exams.one"


def _after_refusal(scene: Scene, refusal: Refusal) -> Move:
    """The same question again, unless there is no sense in asking it."""
    said = refused(scene.ctx.book.texts, refusal)
    if refusal.code in _GONE:
        return Move(None, {}, said)
    number = scene.answers.get("number")
    if refusal.code == "step-not-possible" and number:
        # Meanwhile it went on elsewhere, in the mini-program or at the office.
        at = "exams.one" if scene.at.startswith("exams.") else "progress.matter"
        return Move(at, {"number": number}, said)
    return scene.stay(said)


async def _unasked_photo(scene: Scene) -> Move:
    move = await photos.begin(scene)
    if scene.citizen is None and scene.at != menu.HOME:
        return scene.stay(move.said)
    return move


async def _turn(scene: Scene, move: Move) -> Turn:
    if move.to is not None and move.to.startswith("then."):
        move = await _then(replace(scene, citizen=move.citizen or scene.citizen), move)
    said, paused = _heard(scene, move.said), _paused(scene, move)
    if move.left:
        return Turn(fit(said, scene.say("shortened")))
    if move.to is None:
        if paused is None:
            return Turn(fit(said, scene.say("shortened")), None)
        said = joined(said, scene.say("may_resume"))
        dialogue = {"flow": "menu", "step": "pick", "answers": {}, "paused": paused}
        return Turn(fit(said, scene.say("shortened")), dialogue)
    asking = replace(scene, at=move.to, answers=move.answers, citizen=move.citizen or scene.citizen)
    try:
        asked = await QUESTIONS[move.to].ask(asking)
    except Refusal as refusal:
        gone = joined(said, refused(scene.ctx.book.texts, refusal))
        return Turn(fit(gone, scene.say("shortened")), None)
    flow, _, step = move.to.partition(".")
    dialogue = {"flow": flow, "step": step, "answers": dict(move.answers)}
    if paused is not None:
        dialogue["paused"] = paused
    return Turn(fit(joined(said, asked), scene.say("shortened")), dialogue)


async def _then(scene: Scene, move: Move) -> Move:
    """What the citizen came for before he had to register."""
    _, _, wish = (move.to or "").partition(".")
    scene = replace(scene, at=menu.HOME, answers={})
    try:
        if wish == "progress":
            after = await progress.begin(scene)
        else:
            after = await menu.begin_service(scene, wish)
    except Refusal as refusal:
        after = Move(None, {}, refused(scene.ctx.book.texts, refusal))
    return replace(after, said=joined(move.said, after.said), citizen=scene.citizen)


def _heard(scene: Scene, said: str) -> str:
    """What voice input was understood as is said first, so that a mistake is seen."""
    if scene.incoming.kind != "voice" or not scene.text:
        return said
    return joined(scene.say("heard", text=scene.text[:60]), said)


def _paused(scene: Scene, move: Move) -> Mapping[str, Any] | None:
    """What can be taken up again after this move."""
    if move.paused is not None:
        return move.paused or None
    if move.to is not None and move.to.startswith(_REPLACING):
        return None
    return scene.paused
