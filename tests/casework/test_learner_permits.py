"""Learner permits by file: the student's rights end with his, and a file read again is quiet."""

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from casework import steps
from casework.context import Context
from casework.sweep import sweep
from rules.calendar import HOUSE_ZONE
from rules.deadlines import add_years
from rules.enrolments import until_of
from rules.matter import State
from storage.engines import EngineUrls
from tests.casework.exams import enrolment, student
from tests.casework.files import imported
from tests.casework.inside import house, silent
from tests.casework.test_bookings import forward
from tests.desk.town import id_number


def permit(ctx: Context, order: int, **changes: Any) -> dict[str, Any]:
    """A permit issued ten days ago for three years."""
    issued: date = changes.pop("issued", ctx.today() - timedelta(days=10))
    return {
        "id_number": id_number(order),
        "name": "陈学员",
        "number": f"4101{order:06d}",
        "vehicle_class": "C1",
        "issued_on": issued,
        "valid_until": add_years(issued, 3),
        **changes,
    }


@pytest.mark.gen_test(timeout=120)
async def test_rights_end_with_the_permit_and_the_enrolment_lapses_some_days_later(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await student(ctx, 1)
        number = await enrolment(ctx, who)
        row = permit(ctx, 1)
        report = await imported(ctx, tmp_path, "learner-permits", [row])
        assert (report.rows, report.accepted, report.errors) == (1, 1, [])
        first = (await steps.load(ctx, number)).matter
        session = await ctx.stores.sessions.get(who.key)
        assert session is not None and session.student is not None
        assert session.student.until == until_of(first) == row["valid_until"]
        # Read again, alone or among others, it changes nothing.
        await student(ctx, 2)
        again = await imported(ctx, tmp_path, "learner-permits", [row, permit(ctx, 2)])
        assert (again.accepted, again.errors) == (2, [])
        assert (await steps.load(ctx, number)).matter.version == first.version
        document = await ctx.stores.database["matters"].find_one({"_id": number})
        kept = row["valid_until"] + timedelta(days=11)
        due = datetime.combine(kept, time(), HOUSE_ZONE)
        assert document is not None and document["remind_due"] == due
        forward(ctx, days=(row["valid_until"] - ctx.today()).days + 1)
        session = await ctx.stores.sessions.get(who.key)
        assert session is not None and session.tiers_on(ctx.today()) == frozenset()
        await sweep(ctx, silent)
        assert (await steps.load(ctx, number)).matter.state is State.APPROVED
        forward(ctx, days=10)
        await sweep(ctx, silent)
        assert (await steps.load(ctx, number)).matter.state is State.WITHDRAWN
        # However he has fared since: the file says nothing new.
        late = await imported(ctx, tmp_path, "learner-permits", [row])
        assert (late.accepted, late.errors) == (1, [])


@pytest.mark.gen_test(timeout=120)
async def test_each_row_that_does_not_fit_says_why_and_the_others_go_on(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        for order in (1, 2, 3, 4, 5, 6):
            await student(ctx, order)
        today = ctx.today()
        rows = [
            permit(ctx, 1, vehicle_class="C2"),
            permit(ctx, 2, issued=today + timedelta(days=1)),
            permit(ctx, 3, valid_until=add_years(today, 3)),
            permit(ctx, 4, name="别的人"),
            permit(ctx, 9),
            permit(ctx, 5, number=""),
            permit(ctx, 6, name=""),
            permit(ctx, 1, issued=date(2010, 1, 1), number="old"),
        ]
        report = await imported(ctx, tmp_path, "learner-permits", rows)
        assert report.accepted == 1
        assert sorted((line, column) for line, column, _ in report.errors) == [
            (2, "vehicle_class"),
            (3, "issued_on"),
            (4, "valid_until"),
            (5, "name"),
            (6, "id_number"),
            (7, "number"),
            (9, "valid_until"),
        ]
        why = dict((line, why) for line, _, why in report.errors)
        assert why[6] == "没有这个人的有效学员注册。"
        assert id_number(9) not in str(report.errors)


@pytest.mark.gen_test(timeout=120)
async def test_a_permit_ends_at_the_age_up_to_which_its_class_may_be_applied_for(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        ctx.clock.ahead = datetime(2049, 12, 1, tzinfo=HOUSE_ZONE) - ctx.now()  # type: ignore[attr-defined]  # the test's clock
        await student(ctx, 1, vehicle_class="D")  # born on 1990-01-01
        row = permit(ctx, 1, vehicle_class="D")
        refused = await imported(ctx, tmp_path, "learner-permits", [row])
        ((_, column, why),) = refused.errors
        assert column == "valid_until" and "2051年1月1日" in why
        row["valid_until"] = date(2051, 1, 1)
        taken = await imported(ctx, tmp_path, "learner-permits", [row])
        assert (taken.accepted, taken.errors) == (1, [])


@pytest.mark.gen_test(timeout=120)
async def test_a_last_day_put_right_counts_and_an_older_permit_does_not(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await student(ctx, 1)
        wrong = permit(ctx, 1, valid_until=ctx.today() + timedelta(days=300))
        right = permit(ctx, 1)
        for rows in ([wrong], [right], [wrong]):
            report = await imported(ctx, tmp_path, "learner-permits", rows)
            assert report.errors == []
        session = await ctx.stores.sessions.get(who.key)
        assert session is not None and session.student is not None
        assert session.student.until == right["valid_until"]
        older = permit(ctx, 1, issued=ctx.today() - timedelta(days=400), number="41010000")
        report = await imported(ctx, tmp_path, "learner-permits", [older])
        assert [column for _, column, _ in report.errors] == ["issued_on"]
