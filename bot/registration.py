"""Registration in the chat: ID number, name, phone, the code sent to it (REQ A1, A2)."""

import re
from typing import Any

from bot.offices import home_region, offices_of
from bot.scene import Move, NotAnAnswer, Question, Scene, asks, back_to, end
from bot.wording import chosen, joined, numbered, refused
from casework import accounts, codes, privacy
from casework.askers import asker_in_chat
from rules import id_number, names, phones
from rules.masking import mask_name
from rules.refusals import Refusal

_CODE = re.compile(r"(?<!\d)\d{6}(?!\d)", re.ASCII)
_AGAIN = ("重发", "重新发送", "重新获取", "没收到", "再发一次", "收不到")
_OTHER_PHONE = ("换手机", "换号", "改手机", "换手机号", "改手机号")


def begin(scene: Scene, then: str = "", said: str = "") -> Move:
    """Start registering; ``then`` is what the citizen came for and comes back to."""
    if scene.citizen is not None:
        return end(scene.say("registered_already", name=mask_name(scene.citizen.name)))
    notice = privacy.notice(scene.ctx)
    intro = scene.say("register_intro", short=notice.short, version=notice.version)
    answers = {"then": then, "privacy": notice.version}
    return Move("registration.id_number", answers, joined(said, intro))


def offer(then: str, said: str) -> Move:
    """Say that it needs an account, and offer to make one."""
    return Move("registration.offer", {"then": then}, said)


async def _ask_offer(scene: Scene) -> str:
    return numbered([scene.say("choice_register"), scene.say("choice_not_now")])


async def _take_offer(scene: Scene) -> Move:
    choice = chosen(scene.text, 2)
    if choice == 0 or scene.text in ("注册", "是", "好", "好的", "可以", "同意"):
        return begin(scene, str(scene.answers.get("then", "")))
    if choice == 1 or scene.text in ("否", "不", "不用", "不要", "暂不"):
        return end(scene.say("register_later"))
    raise NotAnAnswer(scene.say("choose_number"))


async def _take_id_number(scene: Scene) -> Move:
    number = id_number.normalise(scene.text, scene.ctx.today())
    accounts.must_be_of_age(scene.ctx, number)
    return scene.go("registration.name", id_number=number)


async def _take_name(scene: Scene) -> Move:
    return scene.go("registration.phone", name=names.normalise(scene.text))


async def _take_phone(scene: Scene) -> Move:
    return await _send_code(scene, phones.normalise(scene.text))


async def _send_code(scene: Scene, phone: str) -> Move:
    sent = await codes.send_code(
        scene.ctx,
        purpose="register",
        id_number=scene.answers["id_number"],
        phone=phone,
        asker=asker_in_chat(scene.ctx, scene.incoming.identity),
    )
    said = scene.say("code_sent", phone=sent.phone, minutes=sent.minutes, hint=sent.hint)
    return scene.go("registration.code", said, phone=phone)


async def _take_code(scene: Scene) -> Move:
    if any(word in scene.text for word in _OTHER_PHONE):
        return scene.go("registration.phone")
    if any(word in scene.text for word in _AGAIN):
        return await _send_code(scene, scene.answers["phone"])
    code = _CODE.search(scene.text.replace(" ", ""))
    if code is None:
        return scene.stay(scene.say("code_six_digits"))
    try:
        citizen = await accounts.register(
            scene.ctx,
            id_number=scene.answers["id_number"],
            name=scene.answers["name"],
            phone=scene.answers["phone"],
            sms_code=code[0],
            region=home_region(scene, scene.answers["id_number"]),
            wechat=scene.incoming.identity,
            asker=asker_in_chat(scene.ctx, scene.incoming.identity),
            cause=scene.incoming.cause,
            privacy_version=scene.answers.get("privacy"),
        )
    except Refusal as refusal:
        if refusal.code == "privacy-version-outdated":
            said = refused(scene.ctx.book.texts, refusal)
            return begin(scene, str(scene.answers.get("then", "")), said)
        if refusal.code == "id-fact-needed":
            # He has an account, with another WeChat: logging in asks for the rest.
            return end(scene.say("register_use_login"))
        if refusal.code != "identity-mismatch":
            raise
        kept: dict[str, Any] = {"then": scene.answers.get("then", "")}
        return Move("registration.mismatch", kept, refused(scene.ctx.book.texts, refusal))
    said = scene.say("registered", name=mask_name(citizen.name))
    then = str(scene.answers.get("then", ""))
    return Move(f"then.{then}" if then else None, {}, said, citizen=citizen)


async def _ask_mismatch(scene: Scene) -> str:
    choices = numbered([scene.say("choice_fill_again"), scene.say("choice_not_now")])
    return f"{choices}\n{scene.say('mismatch_city')}"


async def _take_mismatch(scene: Scene) -> Move:
    choice = chosen(scene.text, 2)
    if choice == 0 or "重新填" in scene.text:
        return begin(scene, str(scene.answers.get("then", "")))
    if choice == 1:
        return end(scene.say("register_later"))
    found = await offices_of(scene, scene.text)
    if not found:
        raise NotAnAnswer(scene.say("city_unknown"))
    return scene.stay(found)


QUESTIONS = (
    Question("registration.offer", _ask_offer, _take_offer),
    Question("registration.id_number", asks("ask_id_number"), _take_id_number),
    Question(
        "registration.name",
        asks("ask_name"),
        _take_name,
        back=back_to("registration.id_number"),
    ),
    Question(
        "registration.phone", asks("ask_phone"), _take_phone, back=back_to("registration.name")
    ),
    Question("registration.code", asks("ask_code"), _take_code, back=back_to("registration.phone")),
    Question("registration.mismatch", _ask_mismatch, _take_mismatch),
)
