"""「登录」「切换」「换人」: whose account this WeChat uses, by ID number and the code sent to that
account's phone (REQ A5). One WeChat serves several members of a family, one at a time.
"""

import re
from collections.abc import Mapping
from typing import Any

from bot.scene import Move, Question, Scene, asks, back_to, end
from bot.wording import refused
from casework import accounts, codes
from casework.askers import asker_in_chat
from casework.conversations import under_way
from rules import id_number
from rules.masking import mask_name
from rules.people import Citizen
from rules.refusals import Refusal

_CODE = re.compile(r"(?<!\d)\d{6}(?!\d)", re.ASCII)
_AGAIN = ("重发", "重新发送", "重新获取", "没收到", "再发一次", "收不到")
# A look at something is not left off: only what was begun is taken up again.
_BEGUN = ("registration.", "application.", "photo.")


def begin(scene: Scene) -> Move:
    """Ask whose account it is to be. Not where the mini-program shows the dialogue: there its own
    login decides."""
    if scene.incoming.citizen:
        return end(scene.say("switch_in_app"))
    said = scene.say("switch_intro" if scene.citizen else "login_intro")
    return Move("switching.id_number", {}, said)


async def _take_id_number(scene: Scene) -> Move:
    number = id_number.normalise(scene.text, scene.ctx.today())
    if scene.citizen is not None and scene.citizen.id_number == number:
        return end(scene.say("switch_same", name=mask_name(scene.citizen.name)))
    return await _send_code(scene, number)


async def _send_code(scene: Scene, number: str) -> Move:
    sent = await codes.send_code(
        scene.ctx,
        purpose="login",
        id_number=number,
        phone=None,
        asker=asker_in_chat(scene.ctx, scene.incoming.identity),
    )
    said = scene.say("code_sent", phone=sent.phone, minutes=sent.minutes, hint=sent.hint)
    return scene.go("switching.code", said, id_number=number)


async def _take_code(scene: Scene) -> Move:
    if any(word in scene.text for word in _AGAIN):
        return await _send_code(scene, scene.answers["id_number"])
    code = _CODE.search(scene.text.replace(" ", ""))
    if code is None:
        return scene.stay(scene.say("code_six_digits"))
    try:
        return await _prove(scene, code[0])
    except Refusal as refusal:
        if refusal.code != "id-fact-needed":
            raise
        return scene.go("switching.fact", code=code[0], fact=refusal.params["fact"])


async def _ask_fact(scene: Scene) -> str:
    return scene.say("ask_fact", fact=scene.answers["fact"])


async def _take_fact(scene: Scene) -> Move:
    try:
        return await _prove(scene, scene.answers["code"], scene.text)
    except Refusal as refusal:
        if refusal.code in ("code-expired", "id-fact-window"):
            return Move(None, {}, refused(scene.ctx.book.texts, refusal))
        raise


async def _prove(scene: Scene, code: str, fact: str | None = None) -> Move:
    citizen = await accounts.prove_person(
        scene.ctx,
        id_number=scene.answers["id_number"],
        sms_code=code,
        wechat=scene.incoming.identity,
        asker=asker_in_chat(scene.ctx, scene.incoming.identity),
        id_fact=fact,
    )
    key = "switched" if scene.citizen else "logged_in"
    said = scene.say(key, name=mask_name(citizen.name))
    return Move(None, {}, said, citizen=citizen, paused=await _left_off(scene, citizen))


async def _left_off(scene: Scene, citizen: Citizen) -> Mapping[str, Any]:
    """What this person was at when he wrote last, from wherever."""
    dialogue = (await under_way(scene.ctx, citizen)).talk.dialogue or {}
    if f"{dialogue.get('flow')}.".startswith(_BEGUN):
        return {name: dialogue[name] for name in ("flow", "step", "answers")}
    return dialogue.get("paused") or {}


QUESTIONS = (
    Question("switching.id_number", asks("ask_switch_id_number"), _take_id_number),
    Question(
        "switching.code",
        asks("ask_switch_code"),
        _take_code,
        back=back_to("switching.id_number"),
    ),
    Question("switching.fact", _ask_fact, _take_fact, back=back_to("switching.id_number")),
)
