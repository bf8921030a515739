"""Exam sites and plans by file, and the demo's, from inside."""

from datetime import timedelta
from pathlib import Path

import pytest

from bianmin.demo.sessions import publish_sessions
from bianmin.files_cli import REGISTRY
from casework.context import Context
from casework.exams.booking import book
from casework.exams.listing import booking, plans
from casework.exams.sites import site, sites
from casework.exchange import import_file
from casework.import_report import ImportReport
from rules.exams.publishing import FIELDS
from rules.matter import State
from rules.refusals import Refusal
from storage.engines import EngineUrls
from tests.casework.exams import learner
from tests.casework.inside import OFFICE, house, officer
from tests.casework.test_bookings import forward
from tests.casework.test_plans import drained, entry, in_days


async def imported(ctx: Context, folder: Path, kind: str, text: str) -> ImportReport:
    path = folder / f"{kind}.csv"
    path.write_text(text, encoding="utf-8")
    return await import_file(ctx, kind, path, lambda rows: None)


@pytest.mark.gen_test(timeout=120)
async def test_sites_and_plans_come_by_file(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        await officer(ctx)
        head = "code,name,office,address,phone,hours,subjects,daily_capacity,layout,route,process\n"
        row = f"4101K1,第一考场,{OFFICE},示范路1号,12123,工作日,{{}},{{}},甲区,,\n"
        report = await imported(
            ctx,
            tmp_path,
            "exam-sites",
            head
            + row.format("2 3", 60)
            + row.format("驾驶", 60)
            + row.format("2", 0)
            # An office nobody knows.
            + row.replace(OFFICE, "4199-VO").format("2", 60),
        )
        assert (report.rows, report.accepted) == (4, 1)
        assert [e[:2] for e in report.errors] == [
            (3, "subjects"),
            (4, "daily_capacity"),
            (5, "office"),
        ]
        assert [s.layout for s in await sites(ctx, OFFICE)] == ["甲区"]
        assert (await site(ctx, "4101K1")).daily_capacity == 60
        with pytest.raises(Refusal) as refused:
            await site(ctx, "nowhere")
        assert refused.value.code == "site-unknown"

        head = ",".join(["code", "office", *FIELDS, "status", "reason"]) + "\n"

        def plan_row(code: str, *, capacity: int = 2, status: str = "", **changes: str) -> str:
            one = {**entry(ctx, capacity=str(capacity)), "why": "", **changes}
            cells = [code, OFFICE, *(one[name] for name in FIELDS), status, one["why"]]
            return ",".join(cells) + "\n"

        async def plans_file(*rows: str) -> list[tuple[int, str, str]]:
            report = await imported(ctx, tmp_path, "exam-plans", head + "".join(rows))
            assert report.accepted == report.rows - len({line for line, *_ in report.errors})
            return report.errors

        late = {"day": in_days(ctx, 9), "closes_at": in_days(ctx, 8)}
        errors = await plans_file(
            plan_row("F1"),
            plan_row("F2", **late),
            plan_row("abc"),
            plan_row("F3", status="取消"),
            plan_row("F4", capacity=99, starts="12:00"),
            plan_row("F5").replace(OFFICE, "4199-VO"),
        )
        assert [e[:2] for e in errors] == [
            *((3, "day"), (4, "code"), (5, "code")),
            *((6, "capacity"), (6, "ends"), (7, "office")),
        ]
        assert "至少提前10日" in errors[0][2]
        # A day nobody has rules for spoils its own row only.
        days = ({"day": "9999-12-31"}, {"day": "0001-01-01"}, {"day": "2014-01-01"})
        far = [plan_row(f"D{n}", **day, closes_at="") for n, day in enumerate(days)]
        errors = await plans_file(*far, plan_row("D9", closes_at="0001-01-01"))
        assert [e[:2] for e in errors] == [(2, "day"), (3, "day"), (4, "day"), (5, "closes_at")]
        student = await learner(ctx, 1)
        held = await book(ctx, student, "F1", "a", "mini")
        # The same row again changes nothing; one that differs is a change; then it is cancelled.
        assert await plans_file(plan_row("F1")) == []
        unchanged = await ctx.stores.exam_plans.get("F1")
        assert unchanged is not None and unchanged.changes == 0
        assert await plans_file(plan_row("F1", starts="9:00", why="路面维修")) == []
        await drained(ctx, "F1")
        seen = await booking(ctx, student, held.number)
        assert (seen.starts, seen.changed) == ("09:00", True)
        assert [e.note for e in seen.timeline if e.type == "plan_changed"] == ["路面维修"]
        for _ in range(2):
            assert await plans_file(plan_row("F1", starts="9:00", status="取消")) == []
        await drained(ctx, "F1")
        assert (await booking(ctx, student, held.number)).state == State.WITHDRAWN
        assert [e[:2] for e in await plans_file(plan_row("F1", starts="9:00"))] == [(2, "code")]
        history = await ctx.stores.exam_plans.history("F1")
        assert [h["what"] for h in history] == ["published", "changed", "cancelled"]


@pytest.mark.gen_test(timeout=120)
async def test_the_demo_has_something_to_book_on_any_day(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        for kind in ("offices", "exam-sites"):
            report = await import_file(ctx, kind, REGISTRY / f"{kind}.csv", lambda rows: None)
            assert (report.errors, report.accepted) == ([], report.rows)
        # The later ones fall into a year whose holidays are not published yet.
        for days in (0, 14, 40):
            forward(ctx, days=days)
            assert await publish_sessions(ctx) > 0
            assert await publish_sessions(ctx) == 0
            for office in ("4101V01", "4105V01"):
                free = (await plans(ctx, office=office, free=True, limit=500)).plans
                assert {p.subject for p in free} == {"1", "2", "3", "4"}
                assert {p.day - ctx.today() >= timedelta(days=4) for p in free} == {True}
