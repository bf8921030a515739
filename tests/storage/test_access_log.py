"""The access log: chains that hold, and every way of touching one that shows."""

import asyncio
from datetime import datetime, timedelta

import pytest

from storage.engines import EngineUrls
from storage.stores import Stores
from tests.storage.opening import NOW, opened


async def _look(stores: Stores, index: int, at: datetime = NOW) -> None:
    await stores.access_log.append(
        officer="li",
        office="4101V01",
        action="open-matter",
        subject_key="k" * 43,
        matter=f"{index:012d}",
        fields=["name"],
        at=at + timedelta(microseconds=1001 * index),
    )


@pytest.mark.gen_test(timeout=60)
async def test_chains_of_two_processes_hold(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with (
        opened(engine_urls, mongo_database) as one,
        opened(engine_urls, mongo_database) as two,
    ):
        await asyncio.gather(*(_look(s, i) for s in (one, two) for i in range(30)))
        assert await one.access_log.anchor(NOW) == 2
        assert await two.access_log.anchor(NOW) == 0
        await _look(one, 31)
        assert await two.access_log.anchor(NOW) == 1
        report = await two.access_log.verify()
        assert (report.runs, report.entries, report.faults) == (2, 61, ())


@pytest.mark.gen_test(timeout=60)
async def test_touching_the_log_shows(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        entries = stores.database["access_log"]
        for i in range(6):
            await _look(stores, i)
        await stores.access_log.anchor(NOW)

        async def problems() -> list[tuple[int, str]]:
            return [(f.seq, f.problem) for f in (await stores.access_log.verify()).faults]

        assert await problems() == []
        second = await entries.find_one({"seq": 2})
        last = await entries.find_one({"seq": 5})
        assert second is not None and last is not None
        await entries.update_one({"_id": second["_id"]}, {"$set": {"officer": "wang"}})
        assert await problems() == [(2, "changed")]
        await entries.delete_one({"_id": second["_id"]})
        assert await problems() == [(2, "missing")]
        await entries.insert_one(second)
        assert await problems() == []
        await entries.delete_one({"_id": last["_id"]})
        assert await problems() == [(5, "anchor")]


@pytest.mark.gen_test(timeout=60)
async def test_a_run_ends_after_a_day(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        await _look(stores, 0)
        await _look(stores, 1, NOW + timedelta(hours=25))
        assert await stores.access_log.anchor(NOW + timedelta(hours=49)) == 2
        await stores.access_log.anchor(NOW + timedelta(hours=49))
        assert await stores.database["access_runs"].count_documents({"open": True}) == 1
        assert (await stores.access_log.verify()).runs == 2
