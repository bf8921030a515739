"""Closing and opening anew are one conditional write each, on the same document."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from rules.people import Tier
from storage.engines import EngineUrls
from storage.session_documents import NewSession
from storage.stores import Stores
from storage.wechat_accounts import WechatAccount
from storage.wechat_bindings import Binding
from tests.storage.opening import ID_NUMBER, NAME, NOW, PHONE, opened, registered

LATER = NOW + timedelta(days=1)
MONTH = LATER + timedelta(days=30)


def _anew(key: str, cause: str, phone: str = "13900010002") -> NewSession:
    return NewSession(key, ID_NUMBER, NAME, phone, LATER, cause)


async def _document(stores: Stores, key: str) -> dict[str, Any]:
    found = await stores.database["sessions"].find_one({"_id": key})
    assert found is not None
    return found


async def _full(stores: Stores) -> str:
    """An account with something in every part."""
    key = await registered(stores)
    await stores.wechat_accounts.put(key, "mini", WechatAccount("openid-key", "c1", "openid", NOW))
    await stores.wechat_bindings.bind(Binding("openid-key", "mini", key, "c1", NOW))
    await stores.consents.add_consent(key, "t", "consent")
    await stores.consents.agree(key, "1", NOW, "mini")
    await stores.sessions.grant_tier(
        key,
        Tier.FACE_SIGNED,
        "effect-1",
        since=NOW,
        office="1",
        phone=PHONE,
        licence=ID_NUMBER,
        licence_office="1",
    )
    return key


@pytest.mark.gen_test(timeout=60)
async def test_what_stays_of_a_closed_account(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        key = await _full(stores)
        seen = await stores.closings.look(key)
        assert seen is not None and await stores.closings.close(key, seen, LATER, MONTH)
        assert not await stores.closings.close(key, seen, LATER, MONTH)
        assert await stores.sessions.get(key) is None
        assert await stores.conversations.of_citizen(key) is None
        held = await _document(stores, key)
        assert set(held) == {
            *("_id", "person", "created_at", "effects", "tiers"),
            *("closed_at", "closed_due", "farewell", "farewell_due"),
        }
        assert held["tiers"] == {} and set(held["person"]) == {"id_number", "name"}
        person = await stores.sessions.person(key)
        assert person is not None
        assert (person.id_number, person.name, person.phone) == (ID_NUMBER, NAME, "")
        farewell = await stores.closings.farewell(key)
        assert farewell is not None and farewell.phone == PHONE
        assert [b.key for b in farewell.bindings] == ["openid-key"]
        assert await stores.closings.telling(LATER, 9) == [key]
        assert await stores.closings.kept(LATER, 9) == []
        # A request under way writes late; finishing takes that away too.
        await stores.consents.add_consent(key, "t", "late")
        await stores.closings.done(key)
        held = await _document(stores, key)
        assert set(held) == {
            *("_id", "person", "created_at", "effects", "tiers", "closed_at", "closed_due")
        }
        assert await stores.closings.telling(MONTH, 9) == []
        assert await stores.closings.kept(MONTH, 9) == [key]
        await stores.closings.look_again(key, MONTH + timedelta(days=30))
        assert await stores.closings.kept(MONTH, 9) == []
        assert await stores.closings.forget_person(key)
        await stores.closings.look_again(key, MONTH)
        await stores.closings.tell_later(key, MONTH)
        assert await stores.sessions.person(key) is None
        assert not {"closed_due", "farewell_due"} & set(await _document(stores, key))


@pytest.mark.gen_test(timeout=60)
async def test_opened_anew_it_is_a_fresh_account(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        key = await _full(stores)
        seen = await stores.closings.look(key)
        assert seen is not None and await stores.closings.close(key, seen, LATER, MONTH)
        # What opened it before, swept once more, does not open it again.
        assert not await stores.sessions.create(_anew(key, "effect-1"))
        assert await stores.sessions.create(_anew(key, "again"))
        assert not await stores.sessions.create(_anew(key, "and again"))
        session = await stores.sessions.get(key)
        assert session is not None
        assert session.tiers == {Tier.DIRECT} and session.phone == "13900010002"
        assert not session.wechat and not session.consents and session.licence_number is None
        # What closing left to do is still done, and ends nothing of the fresh account.
        farewell = await stores.closings.farewell(key)
        assert farewell is not None and farewell.phone == PHONE
        await stores.closings.done(key)
        assert await stores.closings.farewell(key) is None
        assert await stores.closings.telling(MONTH, 9) == []
        assert await stores.closings.kept(MONTH, 9) == []
        assert not await stores.closings.forget_person(key)
        assert await stores.sessions.get(key) == session


@pytest.mark.gen_test(timeout=60)
async def test_it_is_closed_only_as_it_was_seen(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        key = await _full(stores)
        seen = await stores.closings.look(key)
        assert seen is not None
        await stores.sessions.claim_open(key, "s", "1")
        assert not await stores.closings.close(key, seen, LATER, MONTH)
        await stores.sessions.release_open(key, "s", "1")
        await stores.wechat_accounts.put(
            key, "official", WechatAccount("other", "c2", "openid-2", NOW)
        )
        assert not await stores.closings.close(key, seen, LATER, MONTH)
        assert await stores.sessions.get(key) is not None


@pytest.mark.gen_test(timeout=60)
async def test_one_teller_at_a_time(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        key = await _full(stores)
        seen = await stores.closings.look(key)
        assert seen is not None and await stores.closings.close(key, seen, LATER, MONTH)
        farewell = await stores.closings.farewell(key)
        assert farewell is not None and farewell.tried is None
        begun = await asyncio.gather(
            *(
                stores.closings.begin_telling(key, farewell, LATER + timedelta(seconds=i))
                for i in range(9)
            )
        )
        assert sum(begun) == 1
        await stores.wechat_bindings.bind(
            Binding("openid-key", "mini", "somebody else", "c3", LATER)
        )
        for bound in farewell.bindings:
            await stores.wechat_bindings.drop(bound.key, bound.claim)
        held = await stores.wechat_bindings.get("openid-key")
        assert held is not None and held.session == "somebody else"
