"""One matter from two channels, one decision from two officers, one event from two clicks."""

from collections import Counter
from dataclasses import replace

from casework.context import Context
from tests.races.conftest import Trio
from tests.races.test_registration import attempt, code_at_hand, phones_of
from tests.races.together import together
from tests.support.citizens import OFFICE, Citizen
from tests.support.story import (
    SERVICE,
    asked_for_code,
    assert_whole,
    decision,
    look,
    ready_draft,
    say,
)
from tests.support.web import Browser


def in_both_channels(trio: Trio) -> tuple[Citizen, Citizen]:
    """One face-signed person: at his chat, and at his mini-program."""
    chat = trio.town.somebody()
    asked_for_code(chat)
    code = chat.sms_code()
    (mini,) = phones_of(trio, chat, 1)
    register = attempt(mini, code_at_hand(trio, mini, "246802"))
    assert "注册成功" in say(chat, code)
    reply = register()
    assert reply.status == 201, reply.body
    trio.town.face_sign(chat.person)
    return chat, replace(mini, token=reply.json()["token"])


def submitted(trio: Trio) -> tuple[Citizen, str]:
    """Somebody's matter waiting for an officer."""
    citizen = trio.town.face_signed()
    number = ready_draft(citizen)
    assert citizen.call("POST", f"/matters/{number}/submit").status == 200
    return citizen, number


def elsewhere(browser: Browser, trio: Trio, number: int) -> Browser:
    """The same browser, its next request served by another process."""
    return Browser(trio.house(number).service_url, dict(browser.cookies))


def test_a_draft_begun_everywhere_at_once_is_one(trio: Trio) -> None:
    chat, mini = in_both_channels(trio)
    wish = {"service": SERVICE}
    # As far as the first answer, with which the chat begins its draft.
    assert "延期事由" in say(chat, "延期换证")
    taps = [replace(mini, house=trio.house(n)) for n in range(6)]
    works = [lambda c=c: c.call("POST", "/matters", wish).json()["number"] for c in taps]
    answers = together([lambda: say(chat, "出国"), *works])
    numbers = set(answers[1:])
    assert len(numbers) == 1, answers

    async def begun(ctx: Context) -> list[str]:
        key = ctx.stores.vault.id_key(mini.person.id_number)
        rows = await ctx.stores.matters.of_applicant(key, 50)
        return [r.number for r in rows if r.service == SERVICE]

    assert look(trio.town.house, begun) == list(numbers)
    assert "截止日期" in answers[0], answers
    seen = mini.call("GET", f"/matters/{numbers.pop()}").json()
    assert seen["form"] == {"reason": "abroad"}


def test_two_officers_decide_one_version(trio: Trio) -> None:
    _, number = submitted(trio)
    one = trio.town.desk(OFFICE)
    two = trio.town.officer("second")
    path = f"/desk/matters/{number}"
    approve = decision(one.open(path), "approve")
    back = decision(two.open(path), "send_back")
    replies = together(
        [
            lambda: elsewhere(one, trio, 1).send(f"{path}/decision", approve),
            lambda: elsewhere(two, trio, 2).send(f"{path}/decision", back),
        ]
    )
    assert sorted(r.status for r in replies) == [200, 409], [r.status for r in replies]
    assert "最新" in next(r for r in replies if r.status == 409).body.decode()
    matter = assert_whole(trio.town.house, number).matter
    types = Counter(e.type for e in matter.timeline)
    assert types["approved"] + types["sent_back"] == 1


def test_a_double_click_decides_once(trio: Trio) -> None:
    _, number = submitted(trio)
    desk = trio.town.desk(OFFICE)
    path = f"/desk/matters/{number}"
    fields = decision(desk.open(path), "approve")
    clicks = [elsewhere(desk, trio, n) for n in range(6)]
    replies = together([lambda b=b: b.send(f"{path}/decision", fields) for b in clicks])
    assert [r.status for r in replies] == [200] * 6
    matter = assert_whole(trio.town.house, number).matter
    assert [e.type for e in matter.timeline if e.type == "approved"] == ["approved"]


def test_a_double_tap_submits_once(trio: Trio) -> None:
    citizen = trio.town.face_signed()
    number = ready_draft(citizen)
    taps = [replace(citizen, house=trio.house(n)) for n in range(6)]
    path = f"/matters/{number}/submit"
    replies = together([lambda c=c: c.call("POST", path, key="the-same-tap") for c in taps])
    assert [r.status for r in replies] == [200] * 6, [r.body for r in replies]
    types = [e.type for e in assert_whole(trio.town.house, number).matter.timeline]
    assert types.count("submitted") == 1
