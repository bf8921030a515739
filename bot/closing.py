"""「注销账户」: what goes, what stays, a code to the phone, and then it is done."""

import re

from bot.registration import offer
from bot.scene import Move, NotAnAnswer, Question, Scene, asks, end
from bot.wording import chosen, joined, listed, numbered
from casework import closing, codes
from casework.askers import asker_in_chat

_CODE = re.compile(r"(?<!\d)\d{6}(?!\d)", re.ASCII)
_AGAIN = ("重发", "重新发送", "重新获取", "没收到", "再发一次", "收不到")


async def begin(scene: Scene) -> Move:
    """Say what closing does, and ask. Refused at once while matters are under way."""
    if scene.citizen is None:
        return offer("", scene.say("close_needs_register"))
    await closing.may_close(scene.ctx, scene.citizen)
    stays = [f"{one.label}：{one.kept}" for one in closing.what_stays(scene.ctx)]
    said = joined(scene.say("close_intro"), f"{scene.say('close_stays')}\n{listed(stays)}")
    return Move("closing.confirm", {}, said)


async def _ask_confirm(scene: Scene) -> str:
    return numbered([scene.say("choice_close"), scene.say("choice_close_not")])


async def _take_confirm(scene: Scene) -> Move:
    choice = chosen(scene.text, 2)
    if choice == 0:
        return await _send_code(scene)
    if choice == 1:
        return end(scene.say("close_kept"))
    raise NotAnAnswer(scene.say("choose_number"))


async def _send_code(scene: Scene) -> Move:
    sent = await codes.send_code(
        scene.ctx,
        purpose="close",
        id_number=scene.person.id_number,
        phone=None,
        asker=asker_in_chat(scene.ctx, scene.incoming.identity),
    )
    said = scene.say("code_sent", phone=sent.phone, minutes=sent.minutes, hint=sent.hint)
    return scene.go("closing.code", said)


async def _take_code(scene: Scene) -> Move:
    if any(word in scene.text for word in _AGAIN):
        return await _send_code(scene)
    code = _CODE.search(scene.text.replace(" ", ""))
    if code is None:
        return scene.stay(scene.say("code_six_digits"))
    await closing.close(
        scene.ctx,
        scene.person,
        sms_code=code[0],
        asker=asker_in_chat(scene.ctx, scene.incoming.identity),
        cause=scene.cause("close"),
    )
    return Move(None, {}, scene.say("account_closed"), paused={}, left=True)


QUESTIONS = (
    Question("closing.confirm", _ask_confirm, _take_confirm),
    Question("closing.code", asks("ask_close_code"), _take_code),
)
