"""The eve of a test: who is reminded, when, of which session; results that are told late."""

from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from casework import steps
from casework.context import Context
from casework.exams.attending import attend, attend_due
from casework.exams.booking import book
from casework.exams.desk_bookings import cancel_at_office
from casework.exams.publishing import change_plan, publish
from casework.officers import Officer
from casework.sweep import sweep
from rules.calendar import HOUSE_ZONE
from rules.exams.booking import begins, day_of
from rules.exams.days import told_by
from rules.matter import Matter, State
from rules.messages import sms_params
from storage.engines import EngineUrls
from tests.casework.exams import attempt, learner, published
from tests.casework.inside import OFFICE, Clock, house, officer, silent
from tests.casework.test_plans import entry, town


@pytest.mark.gen_test(timeout=120)
async def test_the_reminder_comes_at_nine_on_the_eve_once(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        goes, cancels = [await learner(ctx, n) for n in (1, 2)]
        plan = await published(ctx, capacity=3)
        numbers = [(await book(ctx, who, "K2-1", "a", "mini")).number for who in (goes, cancels)]
        until(ctx, plan.closes_at + timedelta(minutes=1))
        await attend_due(ctx)
        who = await officer(ctx)
        version = (await now(ctx, numbers[1])).version
        await cancel_at_office(ctx, who, numbers[1], checked=True, version=version, cause="off")
        eve = eve_of(plan.day)
        until(ctx, eve - timedelta(seconds=5))
        await sweep(ctx, silent)
        assert [reminders(await now(ctx, n)) for n in numbers] == [[], []]
        until(ctx, eve + timedelta(seconds=5))
        await sweep(ctx, silent)
        assert await sweep(ctx, silent) == 0, "somebody is still waited for"
        assert [len(reminders(await now(ctx, n))) for n in numbers] == [1, 0]
        assert (await now(ctx, numbers[0])).state is State.CONFIRMED
        assert await ctx.stores.matters.with_remind_due(ctx.now() + timedelta(days=9), 9) == []


@pytest.mark.gen_test(timeout=120)
async def test_a_moved_session_moves_its_reminder(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await town(ctx)
        code = (await publish(ctx, who, OFFICE, entry(ctx), "c")).code
        number = (await book(ctx, await learner(ctx, 1), code, "a", "mini")).number
        first_day = day_of(await now(ctx, number))
        new_day = first_day + timedelta(days=3)
        await change(ctx, who, code, day=new_day.isoformat())
        plan = await ctx.stores.exam_plans.get(code)
        assert plan is not None
        until(ctx, plan.closes_at + timedelta(minutes=1))
        await attend_due(ctx)
        assert (await now(ctx, number)).state is State.CONFIRMED
        # After the closing only hours and site can change: the one reminder names the new ones.
        await change(ctx, who, code, day=new_day.isoformat(), site="4101K2", starts="10:00")
        until(ctx, eve_of(first_day) + timedelta(hours=1))
        await sweep(ctx, silent)
        assert reminders(await now(ctx, number)) == []
        until(ctx, eve_of(new_day) + timedelta(hours=1))
        await sweep(ctx, silent)
        matter = await now(ctx, number)
        assert len(reminders(matter)) == 1
        office = await ctx.office(matter.office)
        params = sms_params(
            ctx.book.texts, ctx.book.catalogue[matter.service], matter, "reminded", office
        )
        assert f"{new_day.month}月{new_day.day}日10:00，郑州第二考场" in params["hint"]


@pytest.mark.gen_test(timeout=120)
async def test_a_worker_that_comes_too_late_reminds_of_nothing_past(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        plan = await published(ctx)
        number = (await book(ctx, await learner(ctx, 1), "K2-1", "a", "mini")).number
        until(ctx, plan.closes_at + timedelta(minutes=1))
        await attend_due(ctx)
        until(ctx, begins(await now(ctx, number)))
        await sweep(ctx, silent)
        assert await sweep(ctx, silent) == 0
        assert reminders(await now(ctx, number)) == []


@pytest.mark.gen_test(timeout=120)
async def test_a_result_later_than_two_days_before_is_told_at_once_and_counted(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        in_time, late = await published(ctx, "K2-1"), await published(ctx, "K2-2", days=40)
        one = (await book(ctx, await learner(ctx, 1), in_time.code, "a", "mini")).number
        two = (await book(ctx, await learner(ctx, 2), late.code, "a", "mini")).number
        three = await learner(ctx, 3)
        refused = (await book(ctx, three, late.code, "a", "mini")).number
        until(ctx, told_by(in_time.day, ctx.book.parameters) - timedelta(minutes=1))
        before = counted_late()
        await attend_due(ctx)
        assert (await now(ctx, one)).state is State.CONFIRMED
        assert counted_late() == before
        # He passed elsewhere, as the internal system says before the closing.
        await attempt(ctx, three, "2", "passed", ctx.today())
        until(ctx, told_by(late.day, ctx.book.parameters) + timedelta(hours=1))
        await attend_due(ctx)
        assert [(await now(ctx, n)).state for n in (two, refused)] == [
            State.CONFIRMED,
            State.REFUSED,
        ]
        assert counted_late() == before + 2
        for number, event in ((two, "confirmed"), (refused, "refused")):
            stored = await steps.load(ctx, number)
            told = [n for n in stored.notices.values() if n.template == event]
            assert [n.due <= ctx.now() for n in told if n.due] == [True]


def until(ctx: Context, moment: datetime) -> None:
    """Put the house's clock to a moment to come."""
    assert isinstance(ctx.clock, Clock)
    ctx.clock.ahead += moment - ctx.now()


def eve_of(day: date) -> datetime:
    return datetime.combine(day - timedelta(days=1), time(9), HOUSE_ZONE)


async def now(ctx: Context, number: str) -> Matter:
    return (await steps.load(ctx, number)).matter


def reminders(matter: Matter) -> list[datetime]:
    return [e.at for e in matter.timeline if e.type == "reminded"]


def counted_late() -> float:
    return REGISTRY.get_sample_value("bianmin_exam_told_late_total") or 0.0


async def change(ctx: Context, who: Officer, code: str, **values: str) -> None:
    """Change a session, and let the worker take everybody along."""
    plan = await ctx.stores.exam_plans.get(code)
    assert plan is not None
    closes = plan.closes_at.astimezone(HOUSE_ZONE).strftime("%Y-%m-%d %H:%M")
    wanted = entry(ctx, closes_at=closes, **values)
    await change_plan(ctx, who, code, wanted, "设备检修", f"change-{values}")
    await attend(ctx, code)
