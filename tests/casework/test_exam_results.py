"""Results by file: the booking, the student's record, what follows of it, corrections."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from casework import steps
from casework.context import Context
from casework.exams import result_sheet
from casework.exams.attending import attend_due
from casework.exams.booking import book, wait
from casework.exams.listing import plan
from casework.exams.showing import record_view
from rules.exams.record import Record, record_of
from rules.matter import Matter, State
from rules.people import Actor, Citizen
from rules.refusals import Refusal
from storage.engines import EngineUrls
from tests.casework.exams import attempt, enrolment, learner, published
from tests.casework.files import imported
from tests.casework.inside import house, officer
from tests.casework.test_bookings import forward
from tests.casework.test_learner_permits import permit

_SYSTEM = Actor("system", "test")


def result(who: Citizen, day: date, first: str = "不合格", **changes: Any) -> dict[str, Any]:
    """A row of the file about subject two in K2-1."""
    values = {"id_number": who.id_number, "plan": "K2-1", "subject": "2", "day": day}
    return {**values, "first": first, **changes}


async def sat(ctx: Context, *orders: int, code: str = "K2-1", **changes: Any) -> list[Citizen]:
    """Learners with a confirmed booking of a session that is today."""
    people = [await learner(ctx, n) for n in orders]
    await published(ctx, code, capacity=10, **changes)
    for who in people:
        await book(ctx, who, code, "a", "mini")
    forward(ctx, days=20)
    await attend_due(ctx)
    return people


async def matter_of(ctx: Context, number: str) -> Matter:
    """The matter, every effect of it applied."""
    stored = await steps.load(ctx, number)
    assert stored.effects == ()
    return stored.matter


async def booked(ctx: Context, who: Citizen) -> Matter:
    """The one booking somebody has had."""
    rows = await ctx.stores.matters.of_applicant(who.key, 20)
    (number,) = [r.number for r in rows if r.service == "exam-booking"]
    return await matter_of(ctx, number)


async def record(ctx: Context, number: str) -> Record:
    """The record in an enrolment."""
    return record_of(await matter_of(ctx, number))


@pytest.mark.gen_test(timeout=120)
async def test_a_result_ends_the_booking_enters_the_record_and_is_counted_once(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        people = await sat(ctx, 1, 2, 3, 4)
        day = ctx.today()
        rows = [
            result(people[0], day, "合格", first_score=85),
            result(people[1], day, "不合格", second="合格", first_score=70, second_score=80),
            result(people[2], day, "不合格", second="未补考", plan=""),
            result(people[3], day, "缺考"),
        ]
        report = await imported(ctx, tmp_path, "exam-results", rows)
        assert (report.accepted, report.errors) == (4, [])
        came = {"passed": 2, "failed": 1, "missed": 1}
        assert (await plan(ctx, "K2-1")).outcomes == came
        versions: list[int] = []
        for who, event, retried in zip(
            people, ("passed", "passed", "failed", "missed"), (False, True, False, False),
            strict=True,
        ):  # fmt: skip
            matter = await booked(ctx, who)
            assert matter.state is State.FINISHED and matter.timeline[-1].type == event
            assert await ctx.stores.live_bookings.get(f"{who.key}:2") is None
            enrolled = await matter_of(ctx, await enrolment(ctx, who))
            entered = [e for e in enrolled.timeline if e.data.get("attempt") == matter.number]
            assert [e.type for e in entered] == ["attempt_recorded"]
            assert entered[0].data["outcome"] == event and entered[0].data["retried"] is retried
            versions += [matter.version, enrolled.version]
        again = await imported(ctx, tmp_path, "exam-results", rows)
        assert (again.accepted, again.errors) == (4, [])
        after = [(await booked(ctx, w)).version for w in people]
        after += [(await matter_of(ctx, await enrolment(ctx, w))).version for w in people]
        assert sorted(after) == sorted(versions)
        assert (await plan(ctx, "K2-1")).outcomes == came


@pytest.mark.gen_test(timeout=120)
async def test_each_row_that_does_not_fit_says_why(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        (one,) = await sat(ctx, 1)
        two, three = await learner(ctx, 2), await learner(ctx, 3)
        await published(ctx, "K2-9", capacity=1)
        early = await book(ctx, two, "K2-9", "b", "mini")
        await wait(ctx, three, "K2-9", "w", "mini")
        day, later = ctx.today(), early.day
        stranger = Citizen("", "410105199001019994", "", "", frozenset())
        rows = [
            result(one, day, "合格", second="合格"),
            result(one, day, "合格", first_score=79),
            result(one, day, "不合格", first_score=80),
            result(one, day, "合格", first_score=101),
            result(one, day, plan="K2-9"),
            result(one, day - timedelta(days=1), plan="K2-1"),
            result(one, day, plan="", subject="3"),
            result(two, later, plan="K2-9"),
            result(two, day, plan=""),
            result(three, day, plan="K2-1"),
            result(stranger, day, plan=""),
            result(one, day, "没来"),
            result(one, day, "合格"),
            # No figures are known of such days; the rows around it count all the same.
            result(one, date(2014, 1, 1), plan="", first_score=10),
            result(one, date(1, 1, 1), plan=""),
        ]
        report = await imported(ctx, tmp_path, "exam-results", rows)
        said = {line: (column, why) for line, column, why in report.errors}
        assert {line: column for line, (column, _) in said.items()} == {
            **{2: "second", 3: "first_score", 4: "first_score", 5: "first_score"},
            **{6: "plan", 7: "plan", 9: "day", 10: "plan", 11: "plan"},
            **{12: "id_number", 13: "first", 15: "day", 16: "day"},
        }
        assert "K2-1" in said[6][1] and "K2-9" in said[10][1]
        assert report.accepted == 2
        assert (await booked(ctx, two)).state is State.ACCEPTED


@pytest.mark.gen_test(timeout=120)
async def test_a_sitting_from_before_this_platform_goes_straight_into_the_record(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await learner(ctx, 1, passed="")
        number = await enrolment(ctx, who)
        day = ctx.today() - timedelta(days=30)
        first = result(who, day, "不合格", plan="", subject="1")
        for _ in range(2):
            report = await imported(ctx, tmp_path, "exam-results", [first])
            assert (report.accepted, report.errors) == (1, [])
        (one,) = (await record(ctx, number)).attempts
        assert (one.id, one.outcome, one.day) == (f"1-{day.isoformat()}", "failed", day)
        right = {**first, "first": "合格", "reason": "录入错误"}
        for rows in ([right], [first], [right]):
            await imported(ctx, tmp_path, "exam-results", rows)
        matter = await matter_of(ctx, number)
        (one,) = record_of(matter).attempts
        assert one.outcome == "passed"
        corrected = matter.last("attempt_corrected")
        assert corrected is not None and corrected.data["reason"] == "录入错误"
        assert [e.type for e in matter.timeline].count("attempt_corrected") == 1


@pytest.mark.gen_test(timeout=120)
async def test_a_corrected_result_keeps_the_wrong_one_and_moves_the_counts(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        (who,) = await sat(ctx, 1)
        day = ctx.today()
        wrong, right = result(who, day), result(who, day, "合格")
        await imported(ctx, tmp_path, "exam-results", [wrong])
        await imported(ctx, tmp_path, "exam-results", [right])
        # The first file again takes nothing back; with a reason the same result does.
        await imported(ctx, tmp_path, "exam-results", [wrong])
        matter = await booked(ctx, who)
        assert [e.type for e in matter.timeline[-2:]] == ["failed", "result_corrected"]
        assert matter.timeline[-1].data["reason"] == "业务系统更正"
        assert (await plan(ctx, "K2-1")).outcomes == {"passed": 1}
        number = await enrolment(ctx, who)
        assert [(a.id, a.outcome) for a in (await record(ctx, number)).attempts][-1] == (
            matter.number,
            "passed",
        )
        await imported(ctx, tmp_path, "exam-results", [{**wrong, "reason": "视频复核"}])
        assert (await plan(ctx, "K2-1")).outcomes == {"failed": 1}
        told = [n.template for n in (await steps.load(ctx, matter.number)).notices.values()]
        assert told[-3:] == ["failed", "result_corrected", "result_corrected"]


@pytest.mark.gen_test(timeout=120)
async def test_a_file_sent_again_takes_no_officers_correction_back(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """What the file says was entered at the desk already, so that nothing was noted of the row."""
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        (who,) = await sat(ctx, 1)
        by, number = await officer(ctx), (await booked(ctx, who)).number
        await result_sheet.enter(ctx, by, "K2-1", {number: ("failed", "")}, "entered")
        row = result(who, ctx.today())
        assert (await imported(ctx, tmp_path, "exam-results", [row])).errors == []
        seen = (await booked(ctx, who)).version
        await result_sheet.correct(
            *(ctx, by, "K2-1", number, ("passed", "")),
            **{"reason": "视频复核", "version": seen, "cause": "put-right"},
        )
        again = await imported(ctx, tmp_path, "exam-results", [row])
        ((_, column, why),) = again.errors
        assert column == "first" and "合格" in why
        assert (await plan(ctx, "K2-1")).outcomes == {"passed": 1}
        said = {**row, "reason": "视频再次复核"}
        assert (await imported(ctx, tmp_path, "exam-results", [said])).errors == []
        assert (await plan(ctx, "K2-1")).outcomes == {"failed": 1}


@pytest.mark.gen_test(timeout=120)
async def test_whoever_counts_last_the_later_result_counts(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        await published(ctx)
        for outcome, version in (("passed", 7), ("failed", 6), ("passed", 7)):
            await ctx.stores.exam_plans.note_result("K2-1", "202611250001", outcome, version)
        assert (await plan(ctx, "K2-1")).outcomes == {"passed": 1}


@pytest.mark.gen_test(timeout=120)
async def test_the_fifth_failure_voids_and_a_correction_restores(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await learner(ctx, 1, days=200, passed="134")
        number = await enrolment(ctx, who)
        for back in (160, 140, 120, 100):
            await attempt(ctx, who, "2", "failed", ctx.today() - timedelta(days=back))
        await published(ctx)
        await book(ctx, who, "K2-1", "a", "mini")
        forward(ctx, days=20)
        await attend_due(ctx)
        day = ctx.today()
        await imported(ctx, tmp_path, "exam-results", [result(who, day, "缺考")])
        matter = await matter_of(ctx, number)
        assert [e.type for e in matter.timeline[-2:]] == ["attempt_recorded", "exams_voided"]
        view = await record_view(ctx, who.key)
        assert view is not None and not any(s.passed for s in view.subjects)
        assert [a.void for a in view.attempts if a.outcome == "passed"] == [True] * 3
        await imported(ctx, tmp_path, "exam-results", [result(who, day, "合格")])
        matter = await matter_of(ctx, number)
        assert [e.type for e in matter.timeline[-3:]] == [
            *("attempt_corrected", "exams_restored", "exams_passed"),
        ]
        view = await record_view(ctx, who.key)
        assert view is not None and {s.subject for s in view.subjects if s.passed} == set("1234")
        told = [n.template for n in (await steps.load(ctx, number)).notices.values()]
        assert [t for t in told if t.startswith("exams_")] == [
            *("exams_voided", "exams_restored", "exams_passed"),
        ]


@pytest.mark.gen_test(timeout=120)
async def test_a_new_permit_after_a_void_begins_anew(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await learner(ctx, 1, days=200)
        number = await enrolment(ctx, who)
        for back in (160, 140, 120, 100, 80):
            await attempt(ctx, who, "2", "failed", ctx.today() - timedelta(days=back))
        assert (await matter_of(ctx, number)).timeline[-1].type == "exams_voided"
        await attempt(ctx, who, "1", "passed", ctx.today() - timedelta(days=60))
        rows = [permit(ctx, 1, issued=ctx.today() - timedelta(days=59))]
        report = await imported(ctx, tmp_path, "learner-permits", rows)
        assert report.errors == []
        # Nothing is said to be restored; the bookings are there again.
        assert (await matter_of(ctx, number)).timeline[-1].type == "permit_issued"
        view = await record_view(ctx, who.key)
        assert view is not None
        assert [(s.subject, s.passed, s.left) for s in view.subjects][:2] == [
            ("1", True, None),
            ("2", False, 5),
        ]
        assert view.subjects[1].bookable_from == ctx.today()


@pytest.mark.gen_test(timeout=120)
async def test_passed_everything_is_told_and_taken_back_by_a_correction(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await learner(ctx, 1, passed="134")
        number = await enrolment(ctx, who)
        await published(ctx)
        await book(ctx, who, "K2-1", "a", "mini")
        forward(ctx, days=20)
        await attend_due(ctx)
        day = ctx.today()
        await imported(ctx, tmp_path, "exam-results", [result(who, day, "合格")])
        await imported(ctx, tmp_path, "exam-results", [result(who, day)])
        matter = await matter_of(ctx, number)
        assert [e.type for e in matter.timeline[-4:]] == [
            *("attempt_recorded", "exams_passed", "attempt_corrected", "exams_reopened"),
        ]
        await imported(ctx, tmp_path, "exam-results", [result(who, day, "合格", reason="复核")])
        assert (await matter_of(ctx, number)).timeline[-1].type == "exams_passed"
        # His time for learning may end, or its end be put right: he waits for the licence.
        known = (await record(ctx, number)).permit
        assert known is not None
        last = known.issued_on + timedelta(days=100)
        rows = [permit(ctx, 1, number=known.number, issued=known.issued_on, valid_until=last)]
        assert (await imported(ctx, tmp_path, "learner-permits", rows)).errors == []
        document = await ctx.stores.database["matters"].find_one({"_id": number})
        assert document is not None and "remind_due" not in document
        with pytest.raises(Refusal):
            forward(ctx, days=4000)
            await steps.take(ctx, number, "lapse", _SYSTEM, "lapse")


@pytest.mark.gen_test(timeout=120)
async def test_no_show_after_an_unanswered_change_is_excused_however_often_it_comes(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await learner(ctx, 1)
        await published(ctx)
        made = await book(ctx, who, "K2-1", "a", "mini")
        change = {"$set": {"starts": "13:30", "changes": 1}}
        await ctx.stores.database["exam_plans"].update_one({"_id": "K2-1"}, change)
        await steps.take(ctx, made.number, "change", _SYSTEM, "change", {"reason": "停电"})
        forward(ctx, days=20)
        await attend_due(ctx)
        rows = [result(who, ctx.today(), "缺考")]
        for _ in range(2):
            report = await imported(ctx, tmp_path, "exam-results", rows)
            assert report.errors == []
            await imported(ctx, tmp_path, "exam-results", [{**rows[0], "reason": "再报"}])
        matter = await booked(ctx, who)
        assert (matter.timeline[-1].type, matter.timeline[-1].data["outcome"]) == (
            "missed",
            "excused",
        )
        assert (await plan(ctx, "K2-1")).outcomes == {"excused": 1}


@pytest.mark.gen_test(timeout=120)
async def test_who_has_left_gets_his_result_and_his_record_stays(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        (who,) = await sat(ctx, 1)
        number = await enrolment(ctx, who)
        forward(ctx, days=4000)
        await steps.take(ctx, number, "lapse", _SYSTEM, "lapse")
        before = await matter_of(ctx, number)
        # The test's day had come: its place was not let go.
        rows = [result(who, date.fromisoformat((await booked(ctx, who)).form["day"]), "合格")]
        report = await imported(ctx, tmp_path, "exam-results", rows)
        assert (report.accepted, report.errors) == (1, [])
        assert (await booked(ctx, who)).state is State.FINISHED
        assert (await plan(ctx, "K2-1")).outcomes == {"passed": 1}
        assert (await matter_of(ctx, number)).version == before.version
