"""SIGKILL at every named point: the matter is whole, effects are once, messages are once.

Each scenario has a house of its own; they are played side by side, then told one by one.
"""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from casework.context import Context
from rules.matter import State
from rules.notices import NoticeState
from storage.engines import EngineUrls
from tests.kills.houses import KILLED, Place, place
from tests.support.citizens import OFFICE, Citizen
from tests.support.engines import ROOT
from tests.support.processes import House
from tests.support.story import (
    SERVICE,
    asked_for_code,
    assert_told_once,
    assert_whole,
    consent,
    days_later,
    decision,
    filled,
    fresh_key,
    look,
    ready_draft,
    received,
    say,
    stored,
    until,
    wait_until_settled,
)
from tests.support.web import Browser, Reply, fetch, fetch_json

FACE_SIGN = "register-face-sign"


def seen_by(house: House, citizen: Citizen) -> Citizen:
    """The citizen at another process."""
    return Citizen(house, citizen.person, citizen.wechat, citizen.token)


def numbers_of(place: Place, citizen: Citizen, service: str) -> list[str]:
    """His matters of a service."""

    async def find(ctx: Context) -> list[str]:
        key = ctx.stores.vault.id_key(citizen.person.id_number)
        rows = await ctx.stores.matters.of_applicant(key, 50)
        return [r.number for r in rows if r.service == service]

    return look(place.house, find)


def documents(place: Place, citizen: Citizen) -> tuple[dict[str, Any], dict[str, Any]]:
    """His account and his licence as they lie in the store."""

    async def find(ctx: Context) -> tuple[dict[str, Any], dict[str, Any]]:
        key = ctx.stores.vault.id_key(citizen.person.id_number)
        account = await ctx.stores.database["sessions"].find_one({"_id": key})
        licence = await ctx.stores.database["registry_licences"].find_one({"_id": key})
        return account or {}, licence or {}

    return look(place.house, find)


def pressed(
    place: Place, desk: Browser, path: str, fields: Mapping[str, Any]
) -> Callable[..., Reply]:
    """A click of the officer's, at whichever process."""
    return lambda house: Browser(house.service_url, dict(desk.cookies)).send(path, fields)


def accounts(place: Place) -> int:
    """How many accounts there are."""

    async def count(ctx: Context) -> int:
        return int(await ctx.stores.database["sessions"].count_documents({}))

    return look(place.house, count)


# -- registering ---------------------------------------------------------------------------------


def registering(place: Place) -> None:
    """Mini-program: the key and the SMS code are repeated, with a fresh code of wx.login."""
    for count, point in enumerate(("before-session", "after-session"), 1):
        citizen, key = place.town.somebody(), fresh_key()
        wish = {"purpose": "register", "id_number": citizen.person.id_number}
        wish["phone"] = citizen.person.phone
        assert citizen.call("POST", "/sms-codes", wish).status == 200
        code = citizen.sms_code()

        def register(house: House, who: Citizen = citizen, k: str = key, c: str = code) -> Reply:
            body = {
                "id_number": who.person.id_number,
                "name": who.person.name,
                "phone": who.person.phone,
                "sms_code": c,
                "wechat_code": who.wx_login(),
            }
            return seen_by(house, who).call("POST", "/registrations", body, key=k)

        reply = place.killed_and_repeated(point, register)
        assert reply.status == 201, reply.body
        citizen.token = reply.json()["token"]
        assert citizen.call("GET", "/me").status == 200
        assert accounts(place) == count


def chatting(place: Place) -> None:
    """Chat: WeChat repeats the message with its id; the answer is found or worked out once."""
    for count, point in enumerate(("before-session", "after-session", "before-turn"), 1):
        citizen = place.town.somebody()
        asked_for_code(citizen)
        message = {"text": citizen.sms_code(), "msg_id": str(10**18 + count)}
        place.service.stop()
        doomed = place.house.start_service(BIANMIN_CRASH_AT=point)
        push(citizen, message)
        assert doomed.wait() == KILLED, point
        place.service = place.house.start_service()
        # The dead process stood in line before the retry: then the answer may follow late.
        passive = push(citizen, message)
        told = until("an answer", lambda who=citizen: welcomes(who))
        assert len(told) == 1 and passive in ("", told[0]), (point, passive, told)
        assert push(citizen, message) == told[0]
        assert accounts(place) == count
        assert "已经" in say(citizen, "注册")


def welcomes(citizen: Citizen) -> list[str]:
    """Every message in his chat that says he is registered."""
    path = f"/sandbox/people/{citizen.wechat}/chat"
    chat = fetch(citizen.house.sandbox_url, "GET", path).json()
    return [m["text"] for m in chat if "注册成功" in str(m.get("text"))]


def push(citizen: Citizen, message: Mapping[str, str]) -> str:
    """One message with its three tries; the reply, if one came."""
    path = f"/sandbox/people/{citizen.wechat}/say"
    replies = fetch_json(citizen.house.sandbox_url, "POST", path, message).json()["replies"]
    return "\n".join(str(r.get("text", "")) for r in replies if not r.get("broken"))


# -- one matter's life ---------------------------------------------------------------------------


def life(point: str) -> Callable[[Place], None]:
    """Face-signing, a draft, its submission and approval, and a withdrawal, killed each time."""

    def play(place: Place) -> None:
        town = place.town
        desk = town.desk(OFFICE)
        citizen = town.registered()
        path, fields = town.face_sign_form(citizen.person)
        click = pressed(place, desk, path, fields)
        assert place.killed_and_repeated(point, click).status == 200
        (signing,) = numbers_of(place, citizen, FACE_SIGN)
        # The grant is owed; the worker's sweep comes for it before the citizen goes on.
        days_later(place.house)
        citizen.token = login(citizen)

        begin, submit = fresh_key(), fresh_key()
        claimed = "after-matter-write" if point == "after-matter-write" else "after-claim"
        begun = place.killed_and_repeated(
            claimed,
            lambda house: seen_by(house, citizen).call(
                "POST", "/matters", {"service": SERVICE}, key=begin
            ),
        )
        assert begun.status == 201, begun.body
        number = str(begun.json()["number"])
        assert numbers_of(place, citizen, SERVICE) == [number]
        filled(citizen, number)
        done = place.killed_and_repeated(
            point,
            lambda house: seen_by(house, citizen).call(
                "POST", f"/matters/{number}/submit", key=submit
            ),
        )
        assert done.status == 200, done.body
        path = f"/desk/matters/{number}"
        approve = decision(desk.open(path), "approve")
        click = pressed(place, desk, f"{path}/decision", approve)
        assert place.killed_and_repeated(point, click).status == 200

        other = town.face_signed()
        withdrawn = ready_draft(other)
        assert other.call("POST", f"/matters/{withdrawn}/submit").status == 200
        gone = fresh_key()
        # The second of its two effects gives the citizen's place back.
        nth = point if point == "after-matter-write" else f"{point}:2"
        done = place.killed_and_repeated(
            nth,
            lambda house: seen_by(house, other).call("DELETE", f"/matters/{withdrawn}", key=gone),
        )
        assert done.status == 200, done.body

        days_later(place.house)
        check_life(place, citizen, signing, number)
        check_withdrawal(place, other, withdrawn)

    return play


def login(citizen: Citizen) -> str:
    """A fresh token, by WeChat: what the service remembers of an older one is half a minute old."""
    reply = citizen.call("POST", "/login", {"code": citizen.wx_login()})
    assert reply.status == 200, reply.body
    return str(reply.json()["token"])


def check_life(place: Place, citizen: Citizen, signing: str, number: str) -> None:
    """One event a cause, every effect once, every message once."""
    signed, matter = assert_whole(place.house, signing), assert_whole(place.house, number)
    assert [e.type for e in signed.matter.timeline] == ["face_signed"]
    types = Counter(e.type for e in matter.matter.timeline)
    assert types == {"created": 1, "filled": 1, "attached": 2, "submitted": 1, "approved": 1}
    assert not signed.effects and not matter.effects
    account, licence = documents(place, citizen)
    assert set(account["tiers"]) == {"direct", "face_signed"}
    assert Counter(account["effects"])[f"{signing}-0001-grant_face_signed"] == 1
    last = matter.matter.version
    assert licence["effects"] == [
        f"{number}-{last - 1:04d}-hold_licence",
        f"{number}-{last:04d}-defer_licence",
    ]
    assert [(h["matter"], h["kind"]) for h in licence["holds"]] == [(number, "deferred")]
    assert assert_told_once(place.house, signed) == 0
    assert assert_told_once(place.house, matter) == 0


def check_withdrawal(place: Place, citizen: Citizen, number: str) -> None:
    """The place is free again, once, and nothing holds the licence."""
    matter = assert_whole(place.house, number)
    assert matter.matter.state is State.WITHDRAWN and not matter.effects
    _, licence = documents(place, citizen)
    assert licence["holds"] == []
    assert assert_told_once(place.house, matter) == 0
    anew = citizen.call("POST", "/matters", {"service": SERVICE})
    assert anew.status == 201 and anew.json()["number"] != number, anew.body


# -- delivering ----------------------------------------------------------------------------------


def delivering(place: Place) -> None:
    """A worker dies before and after the gateway, by SMS and by subscribe message."""
    town, house = place.town, place.house
    plans = [
        ("before-gateway", False, 0),
        ("after-gateway", False, 0),
        ("before-gateway", True, 1),
        ("after-gateway", True, 1),
    ]
    citizens = [town.face_signed() for _ in (*plans, "careless")]
    numbers = [ready_draft(c) for c in citizens]
    usual = house.start_worker()
    wait_until_settled(house)
    usual.stop()
    # Receipts would settle a doubt before anybody has to look it up.
    fault = {"gateway": "sms", "fault": "no_receipt", "path": "SendSms"}
    assert fetch_json(house.sandbox_url, "POST", "/sandbox/faults", fault).status == 200
    for (point, by_wechat, _), citizen, number in zip(plans, citizens, numbers, strict=False):
        if by_wechat:
            consent(citizen)
        assert citizen.call("POST", f"/matters/{number}/submit").status == 200
        worker = house.start_worker(BIANMIN_CRASH_AT=point)
        assert worker.wait() == KILLED
        (notice,) = stored(house, number).notices.values()
        assert notice.state is NoticeState.SENDING
        assert notice.channel == ("subscribe" if by_wechat else "sms")
        here = received(house)[f"subscribe:{number}" if by_wechat else notice.id]
        assert here == (point == "after-gateway"), point
    days_later(house)
    for (point, by_wechat, flags), number in zip(plans, numbers, strict=False):
        assert assert_told_once(house, assert_whole(house, number)) == flags, (point, by_wechat)
    logs = "".join(one.log.read_text() for one in house.started if one.name == "worker")
    assert logs.count("notice-repeated") == sum(flags for _, _, flags in plans)
    careless(place, citizens[-1], numbers[-1])


def careless(place: Place, citizen: Citizen, number: str) -> None:
    """The guard taken away: a delivery that writes nothing before its call sends twice."""
    assert citizen.call("POST", f"/matters/{number}/submit").status == 200
    env = {**os.environ, **place.house.env, "PYTHONPATH": str(ROOT)}
    env["BIANMIN_CRASH_AT"] = "after-gateway"
    command = (sys.executable, "-m", "tests.kills.careless", number)
    done = subprocess.run(
        command, cwd=place.house.folder, env=env, capture_output=True, check=False
    )
    assert done.returncode == KILLED, done.stderr.decode()[-2000:]
    worker = place.house.start_worker()
    wait_until_settled(place.house)
    worker.stop()
    (notice,) = stored(place.house, number).notices.values()
    assert received(place.house)[notice.id] == 2
    with pytest.raises(AssertionError):
        assert_told_once(place.house, stored(place.house, number))


SCENARIOS: dict[str, Callable[[Place], None]] = {
    "delivering": delivering,
    "chatting": chatting,
    "after-matter-write": life("after-matter-write"),
    "before-effect": life("before-effect"),
    "after-effect": life("after-effect"),
    "registering": registering,
}


@pytest.fixture(scope="module")
def played(
    engine_urls: EngineUrls, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    """All scenarios under way, three at a time."""
    folder: Path = tmp_path_factory.mktemp("kills")

    def play(name: str) -> None:
        with place(engine_urls, folder / name, 8) as there:
            SCENARIOS[name](there)

    with ThreadPoolExecutor(3) as pool:
        yield {name: pool.submit(play, name) for name in SCENARIOS}


@pytest.mark.parametrize("name", SCENARIOS)
def test_killed_at_a_named_point(played: dict[str, Future[None]], name: str) -> None:
    played[name].result()
