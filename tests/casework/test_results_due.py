"""Which sessions lack results: the own office's, up to today, for two months, not cancelled."""

from datetime import timedelta
from pathlib import Path

import pytest

from casework.context import Context
from casework.exams.attending import attend_due
from casework.exams.booking import book
from casework.exams.result_sheet import enter
from casework.exams.results_due import lacking, results_due
from casework.officers import Officer
from storage.engines import EngineUrls
from tests.casework.exams import learner, published
from tests.casework.inside import OTHER, house, officer
from tests.casework.schools import clerk
from tests.casework.test_bookings import forward
from tests.casework.test_exams_at_desk import refused


async def due(ctx: Context, who: Officer) -> list[tuple[str, int]]:
    """What is listed, and how many results each lacks."""
    found = await results_due(ctx, who)
    assert found.whole and found.count == len(found.plans)
    return [(plan.code, lacking(plan)) for plan in found.plans]


@pytest.mark.gen_test(timeout=120)
async def test_a_session_is_listed_until_everybody_has_a_result(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, away = await officer(ctx), await officer(ctx, OTHER)
        people = [await learner(ctx, order) for order in range(1, 5)]
        await published(ctx, "A-1")
        await published(ctx, "A-2")
        await published(ctx, "A-3")
        await published(ctx, "EMPTY")
        first = [(await book(ctx, p, "A-1", "a", "mini")).number for p in people[:2]]
        await book(ctx, people[2], "A-2", "a", "mini")
        await book(ctx, people[3], "A-3", "a", "mini")
        assert await due(ctx, who) == []
        forward(ctx, days=20)
        await attend_due(ctx)
        # One that was called off, its place not yet given back.
        plans = ctx.stores.database["exam_plans"]
        await plans.update_one({"_id": "A-3"}, {"$set": {"status": "cancelled"}})
        assert await due(ctx, who) == [("A-1", 2), ("A-2", 1)]
        assert await due(ctx, away) == []
        assert (await refused(results_due(ctx, await clerk(ctx)))).code == "role-not-allowed"
        await enter(ctx, who, "A-1", {first[0]: ("passed", "")}, "desk:1")
        assert await due(ctx, who) == [("A-1", 1), ("A-2", 1)]
        await enter(ctx, who, "A-1", {first[1]: ("missed", "")}, "desk:2")
        assert await due(ctx, who) == [("A-2", 1)]
        forward(ctx, days=60)
        assert await due(ctx, who) == [("A-2", 1)]
        forward(ctx, days=1)
        assert await due(ctx, who) == []


@pytest.mark.gen_test(timeout=120)
async def test_more_than_a_page_are_counted(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await officer(ctx)
        for order in range(120):
            await published(ctx, f"M-{order:03}", days=-order % 20 - 20)
        plans = ctx.stores.database["exam_plans"]
        await plans.update_many({}, {"$set": {"booked": 1}})
        found = await results_due(ctx, who)
        assert (found.count, found.whole, len(found.plans)) == (120, True, 50)
        days = [plan.day for plan in found.plans]
        assert days == sorted(days) and days[0] == ctx.today() - timedelta(days=20)
