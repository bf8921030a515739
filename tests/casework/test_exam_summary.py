"""The public sums of tests, from inside."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from casework.context import Context
from casework.exams.booking import Wants, Wish, begin
from casework.exams.listing import plans
from casework.exams.summary import summary
from rules.exams.plan import SERVICE
from rules.people import Actor
from rules.places import cancelled
from rules.refusals import Refusal
from storage.engines import EngineUrls
from storage.exams import ExamPlans, Sums
from tests.casework.exams import learner, published
from tests.casework.inside import OFFICE, Clock, house

MANY = 520


async def _result(ctx: Context, code: str, *outcomes: str) -> None:
    for number, outcome in enumerate(outcomes):
        await ctx.stores.exam_plans.note_result(code, f"m{number}", outcome, 1)


@pytest.mark.gen_test(timeout=120)
async def test_results_are_summed_by_site_month_subject_and_class(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        assert isinstance(ctx.clock, Clock)
        # In the middle of a month, so that the days before and behind are of it too.
        start = date(2027, 6, 15)
        ctx.clock.ahead += timedelta(days=(start - ctx.today()).days)
        await published(ctx, "a", days=0, capacity=10)
        await published(ctx, "b", days=-3, capacity=5)
        await published(ctx, "c", days=-3, subject="3", capacity=4)
        await published(ctx, "d", days=-40, capacity=7)
        await published(ctx, "e", days=-3, capacity=9, site="4101-K2", site_name="第二考场")
        gone = await published(ctx, "f", days=-3, capacity=100)
        await ctx.stores.exam_places.change(
            gone.code, cancelled, ctx.now(), {"status": "cancelled"}
        )
        await _result(ctx, "a", "passed", "failed", "missed", "excused")
        await _result(ctx, "b", "passed")
        await _result(ctx, "d", "failed")
        found = await summary(ctx, site="4101-K1")
        rows = [
            (r.month, r.subject, r.sessions, r.capacity, r.passed, r.failed, r.missed, r.pass_rate)
            for r in found.rows
        ]
        assert rows == [
            ("2027-06", "2", 2, 15, 2, 1, 1, 66.7),
            ("2027-06", "3", 1, 4, 0, 0, 0, None),
            ("2027-05", "2", 1, 7, 0, 1, 0, 0.0),
        ]
        assert (found.total.sessions, found.total.capacity, found.total.pass_rate) == (4, 26, 50.0)
        of_office = await summary(ctx, office=OFFICE, since=start - timedelta(days=3), until=start)
        assert [(r.site, r.subject) for r in of_office.rows] == [
            ("4101-K1", "2"),
            ("4101-K1", "3"),
            ("4101-K2", "2"),
        ]
        assert (await summary(ctx, office="4106-VO")).rows == []


@pytest.mark.gen_test(timeout=120)
async def test_a_year_is_summed_whole_and_more_is_refused(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        for number in range(MANY):
            code = f"p{number:04d}"
            await published(ctx, code, days=-(number % 360), capacity=2, starts=f"{8 + number % 9}")
        found = await summary(ctx, site="4101-K1")
        assert (found.total.sessions, found.total.capacity) == (MANY, 2 * MANY)
        today = ctx.today()
        with pytest.raises(Refusal) as refused:
            await summary(ctx, site="4101-K1", since=today - timedelta(days=367), until=today)
        assert refused.value.code == "days-too-many"
        with pytest.raises(Refusal) as refused:
            await summary(ctx)
        assert refused.value.code == "plans-of-where"


@pytest.mark.gen_test(timeout=120)
async def test_a_page_ends_early_where_few_of_many_sessions_fit(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        for number in range(1_050):
            await published(ctx, f"p{number:04d}", days=20, starts="08:30")
        await published(ctx, "last", days=21, subject="3")
        first = await plans(ctx, site="4101-K1", subject="3")
        assert first.plans == [] and first.next is not None
        rest = await plans(ctx, site="4101-K1", subject="3", after=first.next)
        assert ([p.code for p in rest.plans], rest.next) == (["last"], None)


@pytest.mark.gen_test(timeout=60)
async def test_a_school_can_book_for_nobody(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        student = await learner(ctx, 1)
        plan = await published(ctx)
        both: tuple[Wants, ...] = ("seat", "line")
        for wants in both:
            wish = Wish(student.key, plan.code, wants, Actor("school", "liu"), "window", "a")
            with pytest.raises(Refusal) as refused:
                await begin(ctx, wish)
            assert refused.value.code == "not-by-yourself"
            assert refused.value.params["service"] == ctx.book.catalogue[SERVICE].title
        stored = await ctx.stores.exam_plans.get(plan.code)
        assert stored is not None and (stored.booked, stored.waiting) == (0, 0)


class Counted(ExamPlans):
    """Plans that count how many sums are made, and at once."""

    made = now = most = 0

    async def sums(self, where: Mapping[str, str], since: date, until: date) -> list[Sums]:
        self.made, self.now = self.made + 1, self.now + 1
        self.most = max(self.most, self.now)
        try:
            return await super().sums(where, since, until)
        finally:
            self.now -= 1


@pytest.mark.gen_test(timeout=120)
async def test_a_crowd_that_asks_for_sums_gets_them_one_after_the_other(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        await published(ctx)
        counted = Counted(ctx.stores.database["exam_plans"])
        ctx = replace(ctx, stores=replace(ctx.stores, exam_plans=counted))
        today = ctx.today()
        days = [today - timedelta(days=n) for n in range(6)] * 5
        await asyncio.gather(*(summary(ctx, office=OFFICE, since=d, until=today) for d in days))
        assert (counted.made, counted.most) == (6, 1)
