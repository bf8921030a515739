"""Devices of a session: bounded, renewed by one of many, signed out; no secret in clear."""

import asyncio
from datetime import date, datetime, timedelta

import pytest

from rules.logins import Device
from storage.engines import EngineUrls
from storage.logins import Logins
from storage.stores import Stores
from tests.storage.opening import NOW, opened, registered

LATER = NOW + timedelta(days=1)


def _device(logins: Logins, key: str, name: str, end: datetime = LATER) -> Device:
    return Device(
        id=name,
        app="mini",
        label=logins.sealed_name(key, f"手机{name}"),
        since=NOW.date(),
        seen=NOW.date(),
        expires_at=end,
        ends_at=end,
        family="f",
        secret=f"s-{name}",
    )


async def _devices(stores: Stores, key: str) -> tuple[Device, ...]:
    session = await stores.sessions.get(key)
    assert session is not None
    return session.devices


@pytest.mark.gen_test(timeout=30)
async def test_a_device_is_kept_as_it_was_given(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        key = await registered(stores)
        device = _device(stores.logins, key, "a")
        await stores.logins.add(key, device)
        assert await _devices(stores, key) == (device,)
        assert stores.logins.name(key, device) == "手机a"
        kept = await stores.database["sessions"].find_one({"_id": key})
        assert "手机" not in str(kept)


@pytest.mark.gen_test(timeout=30)
async def test_the_oldest_of_more_than_ten_are_signed_out(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        key = await registered(stores)
        for n in range(13):
            await stores.logins.add(key, _device(stores.logins, key, f"{n}"))
        assert [d.id for d in await _devices(stores, key)] == [f"{n}" for n in range(3, 13)]


@pytest.mark.gen_test(timeout=30)
async def test_of_many_renewals_one_is_made(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        key, logins = await registered(stores), stores.logins
        device, other = (_device(logins, key, name) for name in ("a", "b"))
        await logins.add(key, device)
        await logins.add(key, other)
        done = await asyncio.gather(
            *(
                logins.renew(key, device, f"n{i}", before_until=LATER, expires_at=LATER)
                for i in range(20)
            )
        )
        assert sum(done) == 1
        renewed, untouched = await _devices(stores, key)
        assert renewed.secret == f"n{done.index(True)}" and renewed.before == device.secret
        assert untouched == other


@pytest.mark.gen_test(timeout=30)
async def test_a_renewal_and_a_signing_out_for_safety_exclude_each_other(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        key, logins = await registered(stores), stores.logins
        for n in range(10):
            device = _device(logins, key, f"{n}")
            await logins.add(key, device)
            done = await asyncio.gather(
                logins.renew(key, device, "new", before_until=LATER, expires_at=LATER),
                logins.reused(key, device, NOW.date()),
            )
            assert sum(done) == 1
            held = (await _devices(stores, key))[-1]
            assert (held.secret, held.signed_in) == (("new", True) if done[0] else ("", False))


@pytest.mark.gen_test(timeout=30)
async def test_signing_out_one_and_all_others(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        key, logins = await registered(stores), stores.logins
        for name in "abcd":
            await logins.add(key, _device(logins, key, name))
        assert await logins.drop(key, "b") and not await logins.drop(key, "b")
        await logins.drop_others(key, "c")
        assert [d.id for d in await _devices(stores, key)] == ["c"]
        await logins.drop_others(key, None)
        assert await _devices(stores, key) == ()
        await logins.drop_others("nobody", None)


@pytest.mark.gen_test(timeout=30)
async def test_the_day_of_use_goes_forward_only(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        key, logins = await registered(stores), stores.logins
        await logins.add(key, _device(logins, key, "a"))
        for day in (date(2026, 3, 9), date(2026, 3, 5)):
            await logins.seen(key, "a", day)
        assert (await _devices(stores, key))[0].seen == date(2026, 3, 9)
