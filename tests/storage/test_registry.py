"""The mirrors of the registries: imported, found by key, imported again without losing holds."""

import asyncio
from datetime import date
from typing import Any

import pytest

from rules.facts import Licence, Office, Vehicle
from storage.engines import EngineUrls
from storage.officers import OfficerRecord
from storage.registry import Hold, PhoneOnFile
from tests.storage.opening import ID_NUMBER, NAME, PHONE, opened

LICENCE: dict[str, Any] = {
    "id_number": ID_NUMBER,
    "name": NAME,
    "phone": PHONE,
    "number": ID_NUMBER,
    "vehicle_class": "C1",
    "status": "正常",
    "issued_on": date(2011, 2, 1),
    "valid_from": date(2017, 2, 1),
    "valid_until": date(2027, 2, 1),
    "issuing_office": "4101V01",
    "points": 3,
}
VEHICLE: dict[str, Any] = {
    "plate": "豫A12345",
    "kind": "小型汽车",
    "owner_id_number": ID_NUMBER,
    "owner_name": NAME,
    "owner_phone": "13900010002",
    "registering_office": "4102V01",
    "status": "正常",
}


def _office(code: str, region: str, kind: str) -> dict[str, Any]:
    return {
        "code": code,
        "name": f"办公室{code}",
        "kind": kind,
        "region": region,
        "address": "示范路1号",
        "hours": "9:00-17:00",
        "phone": None,
    }


@pytest.mark.gen_test(timeout=30)
async def test_a_person_is_found_by_key(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        registry, key = stores.registry, stores.vault.id_key(ID_NUMBER)
        assert await registry.licence(key) is None
        assert await registry.phone_on_file(key) is None
        assert await registry.population_name(key) is None
        await registry.upsert_population([{"id_number": ID_NUMBER, "name": NAME}])
        await registry.upsert_vehicles([VEHICLE])
        assert await registry.population_name(key) == NAME
        assert await registry.phone_on_file(key) == PhoneOnFile(NAME, "13900010002")
        await registry.upsert_licences([LICENCE])
        assert await registry.phone_on_file(key) == PhoneOnFile(NAME, PHONE)
        assert await registry.vehicles_of(key) == [
            Vehicle("豫A12345", "小型汽车", "4102V01", "正常")
        ]
        assert await registry.licence(key) == Licence(
            number=ID_NUMBER,
            holder_name=NAME,
            vehicle_class="C1",
            status="正常",
            issued_on=date(2011, 2, 1),
            valid_from=date(2017, 2, 1),
            valid_until=date(2027, 2, 1),
            issuing_office="4101V01",
            points=3,
        )


@pytest.mark.gen_test(timeout=30)
async def test_no_phone_on_file_is_not_a_phone(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        key = stores.vault.id_key(ID_NUMBER)
        await stores.registry.upsert_licences([{**LICENCE, "phone": None, "points": None}])
        assert await stores.registry.phone_on_file(key) == PhoneOnFile(NAME, "")


@pytest.mark.gen_test(timeout=30)
async def test_a_hold_survives_an_import_and_ends_once(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        registry, key = stores.registry, stores.vault.id_key(ID_NUMBER)
        assert not await registry.hold_licence(key, "e0", Hold("1", "pending", None))
        await registry.upsert_licences([LICENCE])
        assert await registry.hold_licence(key, "e1", Hold("123456789012", "pending", None))
        assert not await registry.hold_licence(key, "e1", Hold("123456789012", "pending", None))
        await registry.upsert_licences([{**LICENCE, "points": 6}])
        licence = await registry.licence(key)
        assert licence is not None and licence.deferral_pending and licence.points == 6
        deferred = Hold("123456789012", "deferred", "2028-02-01")
        assert await registry.hold_licence(key, "e2", deferred)
        licence = await registry.licence(key)
        assert licence is not None and not licence.deferral_pending
        assert licence.deferred_until == date(2028, 2, 1)
        assert await registry.release_hold(key, "e3", "another")
        assert await registry.release_hold(key, "e4", "123456789012")
        # Found again by the sweep, an effect applied before does nothing.
        assert not await registry.hold_licence(key, "e1", Hold("123456789012", "pending", None))
        licence = await registry.licence(key)
        assert licence is not None and licence.deferred_until is None
        assert not licence.deferral_pending


@pytest.mark.gen_test(timeout=60)
async def test_a_long_file_goes_in_whole(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        rows = [{"id_number": f"{i:018d}", "name": f"人{i}"} for i in range(1200)]
        upsert = stores.registry.upsert_population
        await asyncio.gather(upsert(rows), upsert(rows[::-1]))
        await upsert([*rows, {"id_number": rows[0]["id_number"], "name": "改名"}])
        assert await stores.database["registry_population"].count_documents({}) == 1200
        key = stores.vault.id_key(f"{0:018d}")
        assert await stores.registry.population_name(key) == "改名"
        key = stores.vault.id_key(f"{1199:018d}")
        assert await stores.registry.population_name(key) == "人1199"


@pytest.mark.gen_test(timeout=30)
async def test_offices_by_region_and_kind(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        registry = stores.registry
        await registry.upsert_offices(
            [
                _office("4102V01", "4102", "vehicle_office"),
                _office("4101V01", "4101", "vehicle_office"),
                _office("4101P01", "4101", "police_station"),
            ]
        )
        office = await registry.office("4101V01")
        assert office == Office(
            "4101V01", "办公室4101V01", "vehicle_office", "4101", "示范路1号", "9:00-17:00", ""
        )
        assert await registry.office("none") is None
        assert [o.code for o in await registry.offices()] == ["4101P01", "4101V01", "4102V01"]
        assert [o.code for o in await registry.offices("4101")] == ["4101P01", "4101V01"]
        assert await registry.offices("4101", "vehicle_office") == [office]
        kinds = [o.code for o in await registry.offices(kind="vehicle_office")]
        assert kinds == ["4101V01", "4102V01"]


@pytest.mark.gen_test(timeout=30)
async def test_an_officer_is_kept_and_shut_out(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        record = OfficerRecord("li", "$argon2id$x", "SECRET", "4101V01", "reviewer", "李警官")
        await stores.officers.put(record)
        assert await stores.officers.get("li") == record
        assert await stores.officers.get("wang") is None
        assert await stores.officers.disable("li") and not await stores.officers.disable("wang")
        (there,) = await stores.officers.all()
        assert there.disabled
        await stores.officers.put(record)
        assert await stores.officers.get("li") == record
