"""Lists of sessions: in order, in pages, in sums, and without whoever holds their places."""

from datetime import timedelta
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from rules.exams.plan import Plan, Subject
from rules.places import Places
from storage.engines import EngineUrls
from storage.exams import ExamPlans
from tests.storage.opening import NOW, opened

SITE = {"site": "s"}
DAYS = (0, 0, 0, 1, 3, 3, 10, 11, 40, 41, 41, 90, 91, 92, 200, 340, 364, 365)


def _plan(order: int, days: int) -> Plan:
    closes = NOW + timedelta(days=days)
    return Plan(
        **{"code": f"p{order:02d}", "office": "o", "region": "4101", "site": "s"},
        **{"site_name": "考场", "subject": Subject.FIELD, "vehicle_class": "C1"},
        **{"day": closes.date(), "starts": "08:30", "ends": "11:30", "capacity": 9},
        **{"closes_at": closes, "published_at": NOW},
    )


async def _published(plans: ExamPlans) -> None:
    for order, days in enumerate(DAYS):
        plan = _plan(order, days)
        holders = tuple(f"{n:012d}" for n in range(5))
        places = Places(9, plan.closes_at, holders=holders)
        assert await plans.publish(plan, places, {})


@pytest.mark.gen_test(timeout=60)
async def test_pages_hold_every_session_once_and_in_order(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        plans = stores.exam_plans
        await _published(plans)
        first, last = NOW.date(), NOW.date() + timedelta(days=365)
        whole = [p.code for _, p in await plans.between(SITE, first, last, limit=99)]
        assert whole == [f"p{order:02d}" for order in range(len(DAYS))]
        for size in (1, 2, 5):
            paged: list[str] = []
            cursor = ""
            while rows := await plans.between(SITE, first, last, after=cursor, limit=size):
                assert len(rows) <= size
                paged += [p.code for _, p in rows]
                cursor = rows[-1][0]
            assert paged == whole
        some = await plans.between(SITE, first + timedelta(days=3), first + timedelta(40), limit=99)
        assert [p.code for _, p in some] == ["p04", "p05", "p06", "p07", "p08"]
        assert await plans.between(SITE, first, last, after="no cursor", limit=9) == []
        assert await plans.between(SITE, first, last, after="9999-12-31", limit=9) == []


class _Replies(CommandListener):
    """The names of the fields the engine sent of sessions."""

    def __init__(self) -> None:
        self.fields: set[str] = set()

    def started(self, event: CommandStartedEvent) -> None:
        """Nothing to learn."""

    def succeeded(self, event: CommandSucceededEvent) -> None:
        if event.command_name == "find":
            cursor: dict[str, Any] = dict(event.reply)["cursor"]
            for document in cursor["firstBatch"]:
                self.fields |= set(document)

    def failed(self, event: CommandFailedEvent) -> None:
        """Nothing to learn."""


@pytest.mark.gen_test(timeout=60)
async def test_a_list_does_not_read_who_holds_the_places(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        await _published(stores.exam_plans)
        replies = _Replies()
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
            engine_urls.mongo_url, tz_aware=True, event_listeners=[replies]
        )
        async with client:
            plans = ExamPlans(client[mongo_database]["exam_plans"])
            day = NOW.date()
            rows = await plans.between(SITE, day, day, limit=9)
            assert await plans.get("p00") == rows[0][1]
        assert (rows[0][1].booked, rows[0][1].left) == (5, 4)
        assert "booked" in replies.fields
        assert replies.fields & {"holders", "queue", "offers", "owed", "results"} == set()


@pytest.mark.gen_test(timeout=60)
async def test_sums_are_those_of_the_sessions(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        plans = stores.exam_plans
        await _published(plans)
        await plans.note_result("p00", "1", "passed", 1)
        await plans.note_result("p01", "1", "failed", 1)
        await plans.note_result("p01", "2", "excused", 1)
        day = NOW.date()
        (row,) = await plans.sums(SITE, day, day)
        assert (row.month, row.site, row.subject) == (day.isoformat()[:7], "s", "2")
        assert (row.sessions, row.capacity, row.booked) == (3, 27, 15)
        assert (row.passed, row.failed, row.missed) == (1, 1, 0)
