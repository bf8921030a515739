"""Every query of storage is answered from an index, on the server that runs."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from storage.engines import EngineUrls
from storage.indexes import QUERIES, Query, ensure_indexes
from tests.storage.opening import opened


def _stages(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for part in (plan.get("inputStage"), plan.get("queryPlan"), *plan.get("inputStages", ())):
        if part:
            yield from _stages(part)


def _name(query: Query) -> str:
    return f"{query.collection}-{'-'.join(query.filter)}{'-sorted' if query.sort else ''}"


@pytest.mark.gen_test(timeout=60)
async def test_every_query_uses_its_index(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        scanned: list[str] = []
        for query in QUERIES:
            command: dict[str, Any] = {"find": query.collection, "filter": dict(query.filter)}
            if query.sort:
                command["sort"] = dict(query.sort)
            answer = await stores.database.command("explain", command, verbosity="queryPlanner")
            stages = list(_stages(answer["queryPlanner"]["winningPlan"]))
            names = {s["stage"] for s in stages}
            keys = [dict(s["keyPattern"]) for s in stages if "keyPattern" in s]
            # MongoDB answers a search by _id with IDHACK or EXPRESS, and one with a counter by _id.
            by_id = "_id" in query.filter and {"IDHACK", "EXPRESS_IXSCAN"} & names
            if "COLLSCAN" in names or not (
                by_id or dict(query.index) in keys or {"_id": 1} in keys
            ):
                scanned.append(f"{_name(query)}: {sorted(names)} {keys}")
        assert not scanned


@pytest.mark.gen_test(timeout=60)
async def test_a_query_without_an_index_would_show(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        command = {"find": "sessions", "filter": {"phone_key": "x"}}
        answer = await stores.database.command("explain", command, verbosity="queryPlanner")
        stages = _stages(answer["queryPlanner"]["winningPlan"])
        assert any(s["stage"] == "COLLSCAN" for s in stages)


@pytest.mark.gen_test(timeout=60)
async def test_indexes_are_made_once(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        before = await stores.database["matters"].index_information()
        await ensure_indexes(stores.database)
        assert await stores.database["matters"].index_information() == before
