"""What becomes of bookings when their student is none any more, and the way to the licence."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from casework import closing, steps
from casework.context import Context
from casework.exams.attending import attend_due
from casework.exams.booking import book, wait
from casework.exams.listing import booking, bookings, plan, record
from casework.sweep import sweep
from rules.matter import State
from rules.people import Actor, Citizen, Tier
from rules.refusals import Refusal
from storage.engines import EngineUrls
from tests.casework.exams import attempt, enrolment, learner, published, student
from tests.casework.files import imported
from tests.casework.inside import OFFICE, OTHER, house, silent
from tests.casework.schools import FAR, NEAR
from tests.casework.test_bookings import forward
from tests.casework.test_exam_results import matter_of, result
from tests.casework.test_learner_permits import permit
from tests.casework.test_licence_issues import issue
from tests.casework.test_results_cut_off import Killed
from tests.desk.town import id_number

_SYSTEM = Actor("system", "test")


async def two_bookings(ctx: Context) -> tuple[Citizen, str, str, Citizen, str]:
    """A student who holds the one seat of subject two and waits for the one of subject three, and
    who waits behind him for subject two."""
    who, other, third = [await learner(ctx, n) for n in (1, 2, 3)]
    await published(ctx, capacity=1)
    await published(ctx, "K3-1", capacity=1, subject="3")
    held = await book(ctx, who, "K2-1", "a", "mini")
    behind = await wait(ctx, other, "K2-1", "w", "mini")
    await book(ctx, third, "K3-1", "a", "mini")
    waits = await wait(ctx, who, "K3-1", "w", "mini")
    return who, held.number, waits.number, other, behind.number


async def leave(ctx: Context, number: str) -> None:
    await steps.take(ctx, number, "leave", Actor("school", "liu", NEAR), "leave")


async def transfer(ctx: Context, number: str, school: str, office: str) -> None:
    given = {"school": school, "office": office}
    await steps.take(ctx, number, "transfer", Actor("school", "liu", school), school, given)


async def licence(ctx: Context, number: str) -> None:
    given = {"vehicle_class": "C1", "licence": "1", "licence_office": OFFICE}
    given["issued_on"] = ctx.today().isoformat()
    await steps.take(ctx, number, "licence_issued", Actor("exchange", "file"), "issued", given)


@pytest.mark.gen_test(timeout=120)
@pytest.mark.parametrize("way", ["left", "licence", "elsewhere", "void"])
async def test_what_he_has_not_sat_goes_to_who_waits_and_costs_nothing(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path, way: str
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, held, waits, other, behind = await two_bookings(ctx)
        number = await enrolment(ctx, who)
        if way == "left":
            await transfer(ctx, number, NEAR, OFFICE)
            # The same office tests him: he keeps what he has.
            assert (await matter_of(ctx, held)).state is State.ACCEPTED
            await leave(ctx, number)
        elif way == "licence":
            await licence(ctx, number)
        elif way == "elsewhere":
            await transfer(ctx, number, FAR, OTHER)
        else:
            for back in range(5, 10):
                await attempt(ctx, who, "3", "failed", ctx.today() - timedelta(days=back))
        for one in (held, waits):
            matter = await matter_of(ctx, one)
            assert (matter.state, matter.timeline[-1].type) == (State.WITHDRAWN, "let_go")
            assert "预约随之解除" in matter.timeline[-1].data["reason"]
            (last,) = list((await steps.load(ctx, one)).notices.values())[-1:]
            assert last.template == "let_go"
        for subject in "23":
            assert await ctx.stores.live_bookings.get(f"{who.key}:{subject}") is None
        await attend_due(ctx)
        assert (await booking(ctx, other, behind)).state == State.OFFERED
        assert (await plan(ctx, "K3-1")).waiting == 0
        assert not [a for a in (await record_attempts(ctx, number)) if a in (held, waits)]


async def record_attempts(ctx: Context, number: str) -> list[str]:
    timeline = (await matter_of(ctx, number)).timeline
    return [e.data["attempt"] for e in timeline if e.type == "attempt_recorded"]


@pytest.mark.gen_test(timeout=120)
async def test_lapsing_lets_go_of_what_is_still_to_come(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await student(ctx, 1)
        issued = ctx.today() - timedelta(days=100)
        until = ctx.today() + timedelta(days=30)
        rows = [permit(ctx, 1, issued=issued, valid_until=until)]
        report = await imported(ctx, tmp_path, "learner-permits", rows)
        assert report.errors == []
        await attempt(ctx, who, "1", "passed", issued)
        await published(ctx)
        held = await book(ctx, who, "K2-1", "a", "mini")
        forward(ctx, days=16)
        await attend_due(ctx)
        # Confirmed, and put off by the office until after his permit.
        later = {"day": (until + timedelta(days=30)).isoformat(), "changes": 1}
        await ctx.stores.database["exam_plans"].update_one({"_id": "K2-1"}, {"$set": later})
        await steps.take(ctx, held.number, "change", _SYSTEM, "change", {"reason": "停电"})
        number = await enrolment(ctx, who)
        forward(ctx, days=24)
        await sweep(ctx, silent)
        assert (await matter_of(ctx, number)).state is State.APPROVED
        assert (await matter_of(ctx, held.number)).state is State.CONFIRMED
        forward(ctx, days=1)
        await sweep(ctx, silent)
        assert (await matter_of(ctx, number)).state is State.WITHDRAWN
        assert (await matter_of(ctx, held.number)).timeline[-1].type == "let_go"
        assert await bookings(ctx, who, live=True) == []


@pytest.mark.gen_test(timeout=120)
async def test_what_he_books_afterwards_stays_however_late_the_release_comes(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, held, _, _, _ = await two_bookings(ctx)
        for back in range(6, 10):
            await attempt(ctx, who, "3", "failed", ctx.today() - timedelta(days=back))
        writes = 0

        def checkpoint(point: str) -> None:
            nonlocal writes
            writes += point == "after-matter-write"
            if writes == 2:
                raise Killed(point)

        with pytest.raises(Killed):
            process = replace(ctx, checkpoint=checkpoint)
            await attempt(process, who, "3", "failed", ctx.today() - timedelta(days=5))
        forward(ctx, minutes=1)
        await published(ctx, "K1-1", subject="1")
        again = await book(ctx, who, "K1-1", "again", "mini")
        assert (await steps.load(ctx, held)).matter.state is State.ACCEPTED
        forward(ctx, minutes=5)
        await sweep(ctx, silent)
        assert (await matter_of(ctx, held)).timeline[-1].type == "let_go"
        assert (await matter_of(ctx, again.number)).state is State.ACCEPTED


@pytest.mark.gen_test(timeout=120)
async def test_a_student_with_bookings_does_not_close_his_account(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, held, waits, _, _ = await two_bookings(ctx)
        with pytest.raises(Refusal) as refused:
            await closing.may_close(ctx, who)
        assert refused.value.code == "closing-matters-under-way"
        assert {held, waits} <= set(refused.value.params["numbers"])


@pytest.mark.gen_test(timeout=240)
async def test_from_the_permit_over_four_subjects_to_the_licence(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await student(ctx, 1)
        number = await enrolment(ctx, who)

        async def sits(subject: str, first: str = "合格", **changes: Any) -> None:
            code = f"K{subject}-{ctx.today().isoformat()}"
            await published(ctx, code, subject=subject)
            await book(ctx, who, code, f"book-{code}", "mini")
            forward(ctx, days=20)
            await attend_due(ctx)
            row = result(who, ctx.today(), first, plan=code, subject=subject, **changes)
            report = await imported(ctx, tmp_path, "exam-results", [row])
            assert report.errors == []

        seen = await record(ctx, who)
        assert [(s.passed, s.bookable_from == ctx.today()) for s in seen.subjects] == [
            (False, True),
            *[(False, False)] * 3,
        ]
        assert all(s.why for s in seen.subjects[1:])
        await sits("1", "不合格", second="合格")
        report = await imported(
            ctx, tmp_path, "learner-permits", [permit(ctx, 1, issued=ctx.today())]
        )
        assert report.errors == []
        seen = await record(ctx, who)
        assert seen.permit_issued_on == ctx.today()
        first_days = [s.bookable_from for s in seen.subjects[1:3]]
        assert first_days == [ctx.today() + timedelta(days=n) for n in (10, 30)]
        forward(ctx, days=30)
        await sits("2", "缺考")
        seen = await record(ctx, who)
        assert (seen.subjects[1].used, seen.subjects[1].left) == (1, 4)
        assert seen.subjects[1].bookable_from == ctx.today() + timedelta(days=10)
        forward(ctx, days=10)
        await sits("2")
        await sits("3", "不合格", second="合格")
        await sits("4")
        seen = await record(ctx, who)
        assert all(s.passed and s.passed_on and not s.booking for s in seen.subjects)
        assert [(a.subject, a.outcome, a.retried, a.void) for a in seen.attempts] == [
            ("1", "passed", True, False),
            ("2", "missed", False, False),
            ("2", "passed", False, False),
            ("3", "passed", True, False),
            ("4", "passed", False, False),
        ]
        told = [n.template for n in (await steps.load(ctx, number)).notices.values()]
        assert told[-1] == "exams_passed"
        report = await imported(ctx, tmp_path, "licence-issues", [issue(ctx, 1)])
        assert report.errors == []
        session = await ctx.stores.sessions.get(who.key)
        assert session is not None and session.tiers == {Tier.FACE_SIGNED}
        assert session.licence_number == id_number(1)
        stored = await steps.load(ctx, number)
        assert stored.matter.state is State.FINISHED and stored.effects == ()
        assert [n.template for n in stored.notices.values()][-1] == "licence_issued"
