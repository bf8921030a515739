"""One dialogue a citizen: begun in the chat, gone on with in the mini-program (REQ A7)."""

from datetime import date, timedelta
from typing import Any

import pytest

from casework import accounts
from casework.context import Context
from tests.api import pictures
from tests.support.citizens import Citizen, Town
from tests.support.story import asked_for_code, look, say

UNTIL = (date.today() + timedelta(days=400)).isoformat()


@pytest.fixture
def in_both(town: Town) -> Citizen:
    """A face-signed citizen who registered in the chat and is logged in at the mini-program."""
    citizen = town.somebody()
    asked_for_code(citizen)
    assert "注册成功" in say(citizen, citizen.sms_code())
    town.face_sign(citizen.person)

    async def log_in(ctx: Context) -> str:
        # One code a minute goes to a phone; logging in is tried elsewhere.
        session = await ctx.stores.sessions.get(ctx.stores.vault.id_key(citizen.person.id_number))
        assert session is not None
        return (await accounts.open_session(ctx, session.citizen(ctx.today()), "mini", "")).token

    citizen.token = look(town.house, log_in)
    return citizen


def dialogue(citizen: Citizen) -> dict[str, Any]:
    found = citizen.call("GET", "/dialogue")
    assert found.status == 200, found.body
    return dict(found.json())


def tell(citizen: Citizen, text: str, key: str | None = None) -> dict[str, Any]:
    answered = citizen.call("POST", "/dialogue", {"text": text}, key=key)
    assert answered.status == 200, answered.body
    return dict(answered.json())


def test_each_question_goes_on_in_the_other_channel(in_both: Citizen) -> None:
    citizen = in_both
    assert dialogue(citizen)["flow"] == "menu"
    asked = say(citizen, "延期换证")
    assert "延期事由" in asked
    here = dialogue(citizen)
    # The same question, word for word.
    assert here["text"] in asked and here["part"] == "field:reason"
    number = here["number"]
    after = tell(citizen, "出国留学")
    assert "延期截止日期" in after["said"] and after["part"] == "field:until"
    # Back in the chat: asked again where the mini-program left off.
    assert after["text"] in say(citizen, "继续")
    assert "补充说明" in say(citizen, UNTIL)
    assert dialogue(citizen)["part"] == "field:note"
    assert "聊天会保留记录" in tell(citizen, "跳过")["said"]
    assert tell(citizen, "1")["part"] == "material:id_card"
    for material in ("id_card", "reason_proof"):
        done = citizen.upload(number, {"material": material, "photo": pictures.jpeg()})
        assert done.status == 201, done.body
    # The photos came by the mini-program's own page, so the chat asks for the next thing.
    assert "请核对" in say(citizen, "继续")
    assert dialogue(citizen)["step"] == "confirm"
    assert "已提交" in tell(citizen, "确认提交")["said"]
    assert dialogue(citizen)["flow"] == "menu"
    seen = citizen.call("GET", f"/matters/{number}").json()
    assert (seen["state"], seen["form"]["until"]) == ("submitted", UNTIL)


def test_a_form_filled_in_meanwhile_is_not_asked_again(in_both: Citizen) -> None:
    citizen = in_both
    say(citizen, "延期换证")
    number = dialogue(citizen)["number"]
    form = {"form": {"reason": "abroad", "until": UNTIL}}
    assert citizen.call("PATCH", f"/matters/{number}", form).status == 200
    assert "补充说明" in say(citizen, "继续")


def test_a_repeated_answer_is_the_same_and_counts_once(in_both: Citizen) -> None:
    citizen = in_both
    say(citizen, "延期换证")
    first = tell(citizen, "出国", key="the-same-tap-twice")
    again = tell(citizen, "出国", key="the-same-tap-twice")
    assert first == again and first["part"] == "field:until"


def test_a_wish_and_nonsense_are_understood_as_in_the_chat(in_both: Citizen) -> None:
    citizen = in_both
    assert "没有听懂" in tell(citizen, "今天天气怎么样")["said"]
    assert tell(citizen, "办事指南")["flow"] == "services"
    assert "延期换证" in say(citizen, "返回") or dialogue(citizen)["flow"] == "services"


def test_nobody_elses_dialogue(town: Town, in_both: Citizen) -> None:
    say(in_both, "延期换证")
    other = town.registered()
    assert dialogue(other)["flow"] == "menu"
    stranger = town.somebody()
    assert stranger.call("GET", "/dialogue").status == 401
    assert stranger.call("POST", "/dialogue", {"text": "菜单"}).code == "not-logged-in"
