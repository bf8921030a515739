"""Where both apps belong to one open platform, who is known in one is known in the other."""

import time
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from pymongo import MongoClient

from casework.askers import prover_at
from casework.codes import slot
from casework.context import Context
from storage.engines import EngineUrls
from tests.support.citizens import Citizen
from tests.support.processes import House
from tests.support.story import QuickTown, look
from tests.support.web import fetch, fetch_json

DATABASE = "test_unionid"


@pytest.fixture(scope="module")
def town(engine_urls: EngineUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[QuickTown]:
    """A house whose WeChat names unionids."""
    with House(tmp_path_factory.mktemp("unionid"), engine_urls, DATABASE) as house:
        house.start_sandbox(BIANMIN_SANDBOX_UNIONID="1")
        town = QuickTown(house, 4, valid_until=date.today() + timedelta(days=60))
        house.start_service()
        house.start_worker()
        yield town
    client: MongoClient[dict[str, object]] = MongoClient(engine_urls.mongo_url)
    with client:
        client.drop_database(DATABASE)


def pushed(citizen: Citizen, kind: str, wish: dict[str, object]) -> str:
    """The answer to something the person does in the chat."""
    path = f"/sandbox/people/{citizen.wechat}/{kind}"
    reply = fetch_json(citizen.house.sandbox_url, "POST", path, wish).json()
    return "".join(r["text"] for r in reply["replies"])


def say(citizen: Citizen, text: str) -> str:
    """What the chat answers."""
    return pushed(citizen, "say", {"text": text})


def apps(citizen: Citizen) -> list[str]:
    """Where the citizen has a WeChat account."""
    return [b["app"] for b in citizen.call("GET", "/me").json()["bindings"]]


def test_who_registered_in_the_mini_program_is_known_in_the_chat(town: QuickTown) -> None:
    citizen = town.registered()
    assert apps(citizen) == ["mini"]
    pushed(citizen, "event", {"event": "subscribe", "key": "", "fields": {}})
    assert citizen.person.phone[-4:] in say(citizen, "我的")
    assert apps(citizen) == ["mini", "official"]

    # Who leaves is forgotten, and is not taken in again by the other app.
    pushed(citizen, "event", {"event": "unsubscribe", "key": "", "fields": {}})
    assert apps(citizen) == ["mini"]
    pushed(citizen, "event", {"event": "subscribe", "key": "", "fields": {}})
    assert "还没有注册" in say(citizen, "我的")


def test_a_stranger_is_nobody(town: QuickTown) -> None:
    stranger = town.somebody()
    pushed(stranger, "event", {"event": "subscribe", "key": "", "fields": {}})
    assert "还没有注册" in say(stranger, "我的")
    assert stranger.call("POST", "/login", {"code": stranger.wx_login()}).status == 404


def test_another_wechat_is_told_to_the_phone_by_the_worker(town: QuickTown) -> None:
    citizen = town.registered()
    other = town.somebody_like(citizen.person)

    async def put_code(ctx: Context) -> None:
        # The gateway sends a number one code a minute, and it was just sent one.
        key = ctx.stores.vault.id_key(citizen.person.id_number)
        sent_to = slot(ctx, "login", key, citizen.person.phone, prover_at(ctx, "127.0.0.1"))
        await ctx.stores.memory.put_code(sent_to, "135790", 60)

    look(town.house, put_code)
    body = {
        "id_number": citizen.person.id_number,
        "sms_code": "135790",
        "wechat_code": other.wx_login(),
    }
    done = other.call("POST", "/login/id-number", body)
    assert done.status == 200, done.body
    assert citizen.call("POST", "/login", {"code": citizen.wx_login()}).status == 404
    path = f"/sandbox/phones/{citizen.person.phone}/sms"
    told: list[dict[str, str]] = []
    end = time.monotonic() + 40
    while not told:
        assert time.monotonic() < end
        time.sleep(0.5)
        inbox = fetch(town.house.sandbox_url, "GET", path).json()
        told = [sms for sms in inbox if "改绑" in sms["text"]]
    assert len(told) == 1 and "12123" in told[0]["text"]
