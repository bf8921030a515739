"""An account's document and what a session names: replaced whole, remembered, removed exactly."""

from datetime import timedelta

import pytest

from storage.engines import EngineUrls
from storage.stores import Stores
from storage.wechat_accounts import WechatAccount
from storage.wechat_bindings import Binding
from tests.storage.opening import NOW, opened, registered

LATER = NOW + timedelta(minutes=1)


def _binding(session: str, claim: str) -> Binding:
    return Binding("account", "mini", session, claim, NOW, LATER)


@pytest.mark.gen_test(timeout=30)
async def test_an_account_speaks_for_the_last_it_was_bound_to_and_remembers_the_others(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        bindings = stores.wechat_bindings
        assert await bindings.get("account") is None
        for number, person in enumerate(("p", "q", "p", "r")):
            await bindings.bind(_binding(person, f"c{number}"))
        held = await bindings.get("account")
        assert held is not None and (held.session, held.claim) == ("r", "c3")
        assert set(held.former) == {"p", "q"}
        await bindings.settled("account", "c2")
        assert await bindings.get("account") == held
        await bindings.settled("account", "c3")
        assert await bindings.get("account") == Binding("account", "mini", "r", "c3", NOW)


@pytest.mark.gen_test(timeout=30)
async def test_only_the_binding_that_was_read_is_deleted(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        bindings = stores.wechat_bindings
        await bindings.bind(_binding("p", "c1"))
        await bindings.bind(_binding("p", "c2"))
        await bindings.drop("account", "c1")
        await bindings.unbind("account", "q", NOW)
        assert await bindings.get("account") is not None
        await bindings.unbind("account", "p", NOW)
        assert await bindings.get("account") is None
        await bindings.unbind("account", "p", NOW)


@pytest.mark.gen_test(timeout=30)
async def test_what_is_due_is_taken_in_hand_by_one(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        bindings = stores.wechat_bindings
        await bindings.bind(_binding("p", "c"))
        assert await bindings.due(NOW, 9) == []
        (held,) = await bindings.due(LATER, 9)
        until = LATER + timedelta(minutes=1)
        assert held.due is not None
        assert await bindings.later("account", "c", held.due, until)
        assert not await bindings.later("account", "c", held.due, until)
        assert await bindings.due(LATER, 9) == []


async def _named(stores: Stores, key: str) -> WechatAccount | None:
    session = await stores.sessions.get(key)
    assert session is not None
    return session.wechat.get("mini")


@pytest.mark.gen_test(timeout=30)
async def test_a_session_names_one_account_of_an_app(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        key, wechat = await registered(stores), stores.wechat_accounts
        first = WechatAccount("k1", "c1", "openid-1", NOW, "unionid-1", "u1")
        await wechat.put(key, "mini", first)
        assert await _named(stores, key) == first
        second = WechatAccount("k2", "c2", "openid-2", NOW)
        await wechat.put(key, "mini", second)
        named = await _named(stores, key)
        assert named == WechatAccount("k2", "c2", "openid-2", NOW, before=("k1",))
        await wechat.put(key, "mini", WechatAccount("k1", "c3", "openid-1", NOW))
        named = await _named(stores, key)
        assert named is not None and named.before == ("k2",)
        await wechat.settled(key, "mini", "c2")
        assert (await _named(stores, key)) == named
        await wechat.settled(key, "mini", "c3")
        assert (await _named(stores, key)) == WechatAccount("k1", "c3", "openid-1", NOW)
        assert not await wechat.put_if_none(key, "mini", second)
        await wechat.remove(key, "mini", "c2")
        assert await _named(stores, key) is not None
        await wechat.remove(key, "mini", "c3")
        assert await _named(stores, key) is None
        assert await wechat.put_if_none(key, "mini", second)
        assert await _named(stores, key) == second
