"""A change of the index key: whom it would lose, and faults of the access log that stay faults."""

from collections.abc import Callable
from typing import Any

import pytest

from storage.engines import EngineUrls
from storage.keyring import index_check
from storage.reindex import Keys, Reindexed, Reindexing
from storage.reindex_map import MAP
from storage.rotation import StillInUse
from storage.stores import Stores, open_stores, real_time
from tests.storage.opening import ID_NUMBER, INDEX, MASTER, NAME, NOW, opened, registered

NEW = b"n" * 32


async def reindex(
    stores: Stores, tell: Callable[[str], None] = lambda line: None, *, forget: bool = False
) -> Reindexed:
    """The whole change, by a command beside these stores, which are not present."""
    return await Reindexing(
        stores.database,
        Keys(MASTER, INDEX, NEW),
        ("wx1", "wx2"),
        real_time,
        tell=tell,
        progress=lambda *bar: None,
        checkpoint=lambda name: None,
    ).run(forget_unknown=forget)


async def opened_anew(urls: EngineUrls, database: str) -> Stores:
    """Stores under the new index key."""
    return await open_stores(urls.mongo_url, urls.redis_url, database, MASTER, NEW)


@pytest.mark.gen_test(timeout=60)
async def test_who_would_be_lost_stops_it(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        await registered(stores)
        population = stores.database["registry_population"]
        # As rows were stored before ID numbers lay beside names.
        other = stores.vault.id_key("410105198001011013")
        name = stores.vault.seal(NAME, f"registry_population/{other}/name")
        await population.insert_one({"_id": other, "name": name})
        before = await stores.database["sessions"].find({}).to_list()
        with pytest.raises(StillInUse, match="1 in registry_population"):
            await reindex(stores)
        names = await stores.database.list_collection_names()
        assert MAP not in names and await stores.database["upkeep"].find({}).to_list() == []
        assert await stores.database["sessions"].find({}).to_list() == before
        said: list[str] = []
        done = await reindex(stores, said.append, forget=True)
        assert done.moved == {"sessions": 1} and "1 were deleted from registry_population." in said
        assert await population.count_documents({}) == 0
    later = await opened_anew(engine_urls, mongo_database)
    try:
        session = await later.sessions.get(later.vault.id_key(ID_NUMBER))
        assert session is not None and session.name == NAME
    finally:
        await later.close()


@pytest.mark.gen_test(timeout=60)
async def test_what_was_wrong_with_the_log_stays_wrong(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        key = await registered(stores)
        for number in range(6):
            await stores.access_log.append(
                officer="li", office="1", action="view", subject_key=key,
                matter=str(number), fields=["name"], at=NOW,
            )  # fmt: skip
        await stores.access_log.anchor(NOW)
        entries = stores.database["access_log"]
        run = (await entries.find({}).to_list())[0]["run"]
        await entries.update_one({"_id": f"{run}/1"}, {"$set": {"officer": "wang"}})
        await entries.delete_one({"_id": f"{run}/3"})
        before = (await stores.access_log.verify()).faults
        assert {(f.seq, f.problem) for f in before} == {(1, "changed"), (3, "missing")}
        done = await reindex(stores)
        assert done.faults == len(before)
    later = await opened_anew(engine_urls, mongo_database)
    try:
        assert (await later.access_log.verify()).faults == before
        subjects = {e["subject"] async for e in later.database["access_log"].find({})}
        assert subjects == {later.vault.id_key(ID_NUMBER)}
    finally:
        await later.close()


@pytest.mark.gen_test(timeout=60)
async def test_mandates_follow_both_persons(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        other = "410105198001011013"
        keys = await registered(stores), await registered(stores, other)
        pair = stores.mandates.pair(*keys)
        place = f"mandates/{pair}/{pair}-0001"
        event: dict[str, Any] = {"id": f"{pair}-0001", "actor": {"kind": "citizen", "key": keys[0]}}
        event["data"] = stores.vault.seal({"agent": keys[1]}, place)
        principal, agent = keys
        document = {"_id": pair, "principal": principal, "agent": agent, "timeline": [event]}
        await stores.database["mandates"].insert_one(document)
        await reindex(stores)
    later = await opened_anew(engine_urls, mongo_database)
    try:
        ours = later.vault.id_key(ID_NUMBER), later.vault.id_key(other)
        pair = later.mandates.pair(*ours)
        found = await later.database["mandates"].find_one({"_id": pair})
        assert found is not None and (found["principal"], found["agent"]) == ours
        (event,) = found["timeline"]
        assert event["id"] == f"{pair}-0001" and event["actor"]["key"] == ours[0]
        data = later.vault.open_json(event["data"], f"mandates/{pair}/{pair}-0001")
        assert data == {"agent": ours[1]}
        check = {d["index_check"] for d in await later.keyring.documents()}
        assert check == {index_check(NEW)}
    finally:
        await later.close()
