"""Accounts: one per ID number, claims and effects once, consents counted."""

import asyncio

import pytest
from pymongo.asynchronous.collection import AsyncCollection

from rules.people import Tier
from storage.engines import EngineUrls
from storage.session_documents import NewSession
from storage.stores import Stores
from tests.storage.opening import ID_NUMBER, NAME, NOW, PHONE, opened, registered


@pytest.mark.gen_test(timeout=30)
async def test_of_fifty_registrations_one_opens_the_account(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        key = stores.vault.id_key(ID_NUMBER)
        made = await asyncio.gather(
            *(
                stores.sessions.create(NewSession(key, ID_NUMBER, NAME, PHONE, NOW, f"c{i}"))
                for i in range(50)
            )
        )
        assert sum(made) == 1
        session = await stores.sessions.get(key)
        assert session is not None
        assert session.citizen(NOW.date()).id_number == ID_NUMBER and session.name == NAME
        assert [f"c{i}" in session.causes for i in range(50)] == made
        assert session.tiers == {Tier.DIRECT}


async def _look_then_write(sessions: AsyncCollection[dict[str, object]], person: str) -> bool:
    if await sessions.find_one({"person": person}) is not None:
        return False
    await asyncio.sleep(0)
    await sessions.insert_one({"person": person})
    return True


@pytest.mark.gen_test(timeout=30)
async def test_looking_before_writing_would_open_several(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    """The guard is ``_id``: without it the same race does happen."""
    async with opened(engine_urls, mongo_database) as stores:
        unguarded = stores.database["unguarded"]
        made = await asyncio.gather(*(_look_then_write(unguarded, "p") for _ in range(50)))
        assert sum(made) > 1


@pytest.mark.gen_test(timeout=60)
async def test_of_fifty_claims_one_wins_and_all_hear_who(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        key = await registered(stores)
        for round_ in range(5):
            numbers = [f"{round_}{i:04d}" for i in range(50)]
            heard = await asyncio.gather(
                *(stores.sessions.claim_open(key, "licence-deferral", n) for n in numbers)
            )
            assert len(set(heard)) == 1 and heard[0] in numbers
            assert not await stores.sessions.release_open(key, "licence-deferral", "another")
            assert await stores.sessions.release_open(key, "licence-deferral", heard[0])


@pytest.mark.gen_test(timeout=30)
async def test_services_are_claimed_apart(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        key = await registered(stores)
        assert await stores.sessions.claim_open(key, "a-b", "1") == "1"
        assert await stores.sessions.claim_open(key, "c", "2") == "2"
        session = await stores.sessions.get(key)
        assert session is not None and session.open == {"a-b": "1", "c": "2"}


async def _grant(stores: Stores, key: str, effect: str, phone: str) -> bool:
    return await stores.sessions.grant_tier(
        key,
        Tier.FACE_SIGNED,
        effect,
        since=NOW,
        office="4101V01",
        phone=phone,
        licence=ID_NUMBER,
        licence_office="4101V01",
    )


@pytest.mark.gen_test(timeout=30)
async def test_an_effect_is_applied_once(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        key = await registered(stores)
        done = await asyncio.gather(*(_grant(stores, key, "e1", "13900010009") for _ in range(20)))
        assert sum(done) == 1
        assert await _grant(stores, key, "e2", "13900010008")
        assert not await _grant(stores, key, "e1", "13900010007")
        session = await stores.sessions.get(key)
        assert session is not None and session.phone == "13900010008"
        assert session.tiers == {Tier.DIRECT, Tier.FACE_SIGNED}
        assert session.licence_number == ID_NUMBER


@pytest.mark.gen_test(timeout=30)
async def test_a_consent_is_counted_once_a_tap_and_used_up_once(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        key = await registered(stores)
        assert not await stores.consents.use_consent(key, "T_progress-1")
        for cause in ("tap-1", "tap-2", "tap-1", "tap-3"):
            await stores.consents.add_consent(key, "T_progress-1", cause)
        used = await asyncio.gather(
            *(stores.consents.use_consent(key, "T_progress-1") for _ in range(20))
        )
        assert sum(used) == 3
        session = await stores.sessions.get(key)
        assert session is not None and session.consents == {"T_progress-1": 0}


@pytest.mark.gen_test(timeout=30)
async def test_nobody_has_no_account(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        assert await stores.sessions.get("nobody") is None
        assert not await stores.sessions.release_open("nobody", "a", "1")
        assert not await stores.consents.use_consent("nobody", "t")
