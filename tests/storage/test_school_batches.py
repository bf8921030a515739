"""Batches: one worker at a time, and what is committed is committed once."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from storage.engines import EngineUrls
from storage.school_batches import Batch, Progress, RowProblems
from tests.storage.opening import NOW, opened


def _batch(name: str, due: datetime | None) -> Batch:
    return Batch(
        id=name,
        school="s",
        clerk="c",
        created_at=NOW,
        state="waiting",
        total=3,
        next=0,
        taken=0,
        there=0,
        wrong=0,
        rows_file="f",
        portraits="p",
        due=due,
        ends=NOW,
    )


@pytest.mark.gen_test(timeout=60)
async def test_a_lost_lease_commits_nothing(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        batches, later = stores.school_batches, NOW + timedelta(minutes=1)
        assert await batches.insert(_batch("b", NOW))
        assert not await batches.insert(_batch("b", NOW))
        (seen,) = await batches.with_due(NOW, 9)
        assert await batches.take(seen, "first", later)
        assert not await batches.take(seen, "second", later)
        assert await batches.with_due(NOW, 9) == []
        wrong = [RowProblems(1, (("name", "不能为空"),))]
        step = Progress(2, 1, 0, wrong, "running", later)
        assert await batches.commit("b", "first", step)
        (expired,) = await batches.with_due(later, 9)
        assert expired == replace(seen, state="running", next=2, taken=1, wrong=1, due=later)
        assert await batches.take(expired, "second", later + timedelta(minutes=1))
        assert not await batches.commit("b", "first", replace(step, next=3))
        end = Progress(3, 0, 1, [], "done", None)
        assert await batches.commit("b", "second", end)
        done = await batches.get("b")
        assert done == replace(seen, state="done", next=3, taken=1, there=1, wrong=1, due=None)
        assert await batches.problems("b") == wrong
        assert await batches.with_due(later + timedelta(days=9), 9) == []
        assert [b.id for b in await batches.of_school("s", 9)] == ["b"]


@pytest.mark.gen_test(timeout=60)
async def test_a_file_is_read_at_any_place(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        files = stores.school_files
        content = bytes(range(256)) * 4000
        writer = await files.begin(matter="b", at=NOW)
        for start in range(0, len(content), 70_001):
            await writer.write(content[start : start + 70_001])
        await writer.done()
        whole = await files.whole(writer.id)
        assert whole.size == len(content)
        pieces = [await files.piece(whole, n) for n in range(whole.pieces)]
        assert b"".join(pieces) == content
        assert b"".join([p async for p in await files.open(writer.id)]) == content
        stored = await stores.database["school.chunks"].find({}).to_list()
        assert not any(content[:64] in d["data"] for d in stored)
