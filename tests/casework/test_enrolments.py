"""Enrolment from inside: once a person, reviewed, put right, moved only with his own code."""

from datetime import timedelta
from pathlib import Path

import pytest

from casework import desk, steps
from casework.context import Context
from casework.enrolments import (
    activate,
    amend,
    approve_many,
    ask_student_code,
    enrol,
    enrol_in_person,
    leave,
    student,
    students,
    transfer,
)
from rules.matter import Defect, State
from rules.people import Tier
from rules.refusals import Refusal
from storage.engines import EngineUrls
from storage.session_documents import Session
from tests.casework.inside import OFFICE, OTHER, house, officer
from tests.casework.schools import FAR, NEAR, SCHOOL, clerk, enrolled, entry, upload
from tests.casework.test_bookings import forward
from tests.casework.test_plan_races import Died, dying
from tests.desk.town import id_number


async def account(ctx: Context, order: int) -> Session | None:
    return await ctx.stores.sessions.get(ctx.stores.vault.id_key(id_number(order)))


async def decide(ctx: Context, number: str, decision: str, *defects: Defect) -> None:
    version = (await steps.load(ctx, number)).matter.version
    who = await officer(ctx)
    await desk.decide(ctx, who, number, version, decision, defects, "原因", f"{decision}-{version}")


async def approved(ctx: Context, order: int) -> str:
    number = (await enrolled(ctx, order)).number
    await decide(ctx, number, "approve")
    return number


@pytest.mark.gen_test(timeout=120)
async def test_a_reupload_repeats_nothing_and_another_school_is_turned_away(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        first = await enrolled(ctx, 1)
        assert (first.state, first.fresh) == (State.SUBMITTED, True)
        again = await enrolled(ctx, 1, cause="second upload")
        assert (again.number, again.fresh) == (first.number, False)
        assert (await steps.load(ctx, first.number)).matter.version == 1
        with pytest.raises(Refusal) as refused:
            await enrolled(ctx, 1, cause="third", medical_hospital="另一家医院")
        assert refused.value.code == "student-not-open"
        with pytest.raises(Refusal) as refused:
            await enrolled(ctx, 1, school=NEAR)
        assert refused.value == Refusal("student-elsewhere")
        files = await ctx.stores.database["photos.files"].count_documents({})
        assert files == 2  # one portrait and its thumbnail


@pytest.mark.gen_test(timeout=120)
async def test_who_does_not_know_his_name_does_not_hear_that_he_is_enrolled(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        people = [{"id_number": id_number(n), "name": "陈学员"} for n in (1, 2)]
        await ctx.stores.registry.upsert_population(people)
        await enrolled(ctx, 1)
        heard = []
        for order in (1, 2):
            with pytest.raises(Refusal) as refused:
                await enrolled(ctx, order, school=NEAR, cause=f"guess-{order}", name="刘不知")
            heard.append(refused.value)
        assert heard == [Refusal("student-mismatch")] * 2


@pytest.mark.gen_test(timeout=120)
async def test_approved_he_is_a_student_and_nothing_else(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        number = await approved(ctx, 1)
        session = await account(ctx, 1)
        assert session is not None and session.student is not None
        assert session.tiers == {Tier.STUDENT} and session.phone == "13700000001"
        assert (session.student.school, session.student.vehicle_class) == (SCHOOL, "C1")
        await activate(ctx, session)
        await activate(ctx, session)
        matter = (await steps.load(ctx, number)).matter
        assert [e.type for e in matter.timeline] == ["enrolled", "approved", "activated"]
        assert session.tiers_on(session.student.until) == {Tier.STUDENT}
        assert session.tiers_on(session.student.until + timedelta(days=1)) == frozenset()


@pytest.mark.gen_test(timeout=120)
async def test_what_came_back_is_put_right_in_place_and_only_that(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        mine = await clerk(ctx)
        number = (await enrolled(ctx, 1)).number
        await decide(ctx, number, "send_back", Defect("field:medical_on", "与证明不一致"))
        (row,) = (await students(ctx, mine, None, None)).rows
        assert (row.name, row.reason) == ("陈**", "体检日期：与证明不一致")
        assert id_number(1) not in str(row)
        shown = await student(ctx, mine, number)
        assert shown.actions == ["amend", "leave"]
        right = {"medical_on": (ctx.today() - timedelta(days=5)).isoformat()}
        for values, code in (
            ({**right, "phone": "13700009999"}, "part-not-open"),
            ({**right, "id_number": id_number(2)}, "part-not-open"),
            ({"phone": "13700000001"}, "correction-incomplete"),
            ({"medical_on": "2999-01-01"}, "form-incomplete"),
        ):
            with pytest.raises(Refusal) as refused:
                await amend(ctx, mine, number, row.version, values, None, code)
            assert refused.value.code == code
        with pytest.raises(Refusal) as refused:
            await amend(ctx, await clerk(ctx, NEAR), number, row.version, right, None, "theirs")
        assert refused.value == Refusal("not-found")
        with pytest.raises(Refusal) as refused:
            await amend(ctx, mine, number, row.version - 1, right, None, "old")
        assert refused.value == Refusal("stale-version")
        done = await amend(ctx, mine, number, row.version, right, None, "right")
        assert done.state is State.SUBMITTED
        assert (await steps.load(ctx, number)).matter.form["medical_on"] == right["medical_on"]
        assert not (await amend(ctx, mine, number, row.version, right, None, "right")).fresh


@pytest.mark.gen_test(timeout=120)
async def test_uploading_again_puts_a_returned_row_right(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        number = (await enrolled(ctx, 1)).number
        await decide(ctx, number, "send_back", Defect("field:medical_hospital", "写全称"))
        same = await enrolled(ctx, 1, cause="same")
        assert (same.state, same.fresh) == (State.CORRECTION, False)
        better = await enrolled(ctx, 1, cause="better", medical_hospital="郑州市第一人民医院")
        assert (better.number, better.state, better.fresh) == (number, State.SUBMITTED, True)


@pytest.mark.gen_test(timeout=60)
async def test_a_claim_gone_on_with_a_day_later_is_not_given_up(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """The process died with the claim; its school asks again when the sweep has just found it."""
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        with pytest.raises(Died):
            await enrolled(dying(ctx, "after-claim"), 1)
        forward(ctx, hours=25)
        (found,) = await ctx.stores.enrolments.unconfirmed(ctx.now(), 9)
        with pytest.raises(Died):
            await enrolled(dying(ctx, "after-matter-write"), 1)
        assert not await ctx.stores.enrolments.give_up(found)
        assert (await enrolled(ctx, 1)).number == found.matter


async def code_for(ctx: Context) -> str:
    """The code the worker would send."""
    (job,) = await ctx.stores.memory.outbox.take(1, 1.0)
    return job.code


@pytest.mark.gen_test(timeout=120)
async def test_leaving_needs_the_students_code_and_frees_his_place(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        mine, number = await clerk(ctx), await approved(ctx, 1)
        with pytest.raises(Refusal) as refused:
            await leave(ctx, mine, number, "123456", "guess")
        assert refused.value == Refusal("code-expired")
        sent = await ask_student_code(ctx, mine, number, "leave")
        assert sent.phone == "137****0001"
        code = await code_for(ctx)
        with pytest.raises(Refusal) as refused:
            await transfer(ctx, await clerk(ctx, NEAR), id_number(1), code, "stolen")
        assert refused.value.code == "code-expired"
        done = await leave(ctx, mine, number, code, "leave")
        assert done.state is State.WITHDRAWN
        assert await leave(ctx, mine, number, code, "leave") == type(done)(
            number, State.WITHDRAWN, False
        )
        session = await account(ctx, 1)
        assert session is not None and session.tiers == frozenset()
        fresh = await enrolled(ctx, 1, school=NEAR)
        assert fresh.fresh and fresh.number != number
        # A late repetition of the first request finds what became of it.
        late = await enrolled(ctx, 1)
        assert (late.number, late.state, late.fresh) == (number, State.WITHDRAWN, False)


@pytest.mark.gen_test(timeout=120)
async def test_going_over_to_another_school_takes_everything_along(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        mine, far, number = await clerk(ctx), await clerk(ctx, FAR), await approved(ctx, 1)
        with pytest.raises(Refusal) as refused:
            await ask_student_code(ctx, mine, id_number(1), "transfer")
        assert refused.value == Refusal("student-here-already")
        await ask_student_code(ctx, far, id_number(1), "transfer")
        code = await code_for(ctx)
        done = await transfer(ctx, far, id_number(1), code, "transfer")
        assert (done.number, done.state) == (number, State.APPROVED)
        session = await account(ctx, 1)
        assert session is not None and session.student is not None
        assert session.student.school == FAR
        matter = (await steps.load(ctx, number)).matter
        assert (matter.office, matter.school) == (OTHER, FAR)
        assert (await students(ctx, mine, "approved", None)).rows == []
        (row,) = (await students(ctx, far, "approved", None)).rows
        assert row.number == number
        with pytest.raises(Refusal) as refused:
            await student(ctx, mine, number)
        assert refused.value == Refusal("not-found")


@pytest.mark.gen_test(timeout=120)
async def test_in_person_he_is_a_student_at_once_and_an_old_account_keeps_its_phone(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await officer(ctx)
        async with upload(ctx) as portrait:
            done = await enrol_in_person(ctx, who, entry(ctx, 1), portrait, "window")
        assert done.state is State.APPROVED
        session = await account(ctx, 1)
        assert session is not None and session.student is not None
        assert (session.tiers, session.student.school) == ({Tier.STUDENT}, "")
        async with upload(ctx) as portrait:
            with pytest.raises(Refusal) as refused:
                await enrol(ctx, await clerk(ctx), entry(ctx, 1), portrait, "school")
        assert refused.value == Refusal("student-elsewhere")


@pytest.mark.gen_test(timeout=180)
async def test_many_are_approved_each_by_himself(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await officer(ctx)
        one, two, three = [(await enrolled(ctx, n)).number for n in (1, 2, 3)]
        row = {
            "plate": "豫A00002",
            "kind": "小型汽车",
            "owner_id_number": id_number(2),
            "owner_name": "陈学员",
            "owner_phone": "13700000002",
            "registering_office": OFFICE,
            "status": "正常",
        }
        await ctx.stores.registry.upsert_vehicles([row])
        chosen = [(one, 1), (two, 1), (three, 7)]
        answers = await approve_many(ctx, who, chosen, "many")
        assert [(n, r.code if r else None) for n, r in answers] == [
            (one, None),
            (two, "face-sign-first-vehicle"),
            (three, "stale-version"),
        ]
        assert await approve_many(ctx, who, [(one, 1)], "many") == [(one, None)]
        # Another office does not even hear that he owns a vehicle.
        ((_, answer),) = await approve_many(ctx, await officer(ctx, OTHER), [(two, 1)], "theirs")
        assert answer is not None and answer.code == "wrong-office"
        with pytest.raises(Refusal) as refused:
            await approve_many(ctx, await clerk(ctx), chosen, "clerk")
        assert refused.value == Refusal("role-not-allowed")


@pytest.mark.gen_test(timeout=120)
async def test_nobody_goes_through_the_numbers_to_find_who_learns_to_drive(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        curious, colleague = await clerk(ctx, FAR), await clerk(ctx, FAR, "colleague")
        for order in range(1, int(ctx.figure("school.transfers_per_hour")) + 1):
            with pytest.raises(Refusal, match="not-found"):
                await ask_student_code(ctx, curious, id_number(order), "transfer")
        for deed in (
            ask_student_code(ctx, curious, id_number(1), "transfer"),
            transfer(ctx, curious, id_number(1), "123456", "cause"),
        ):
            with pytest.raises(Refusal, match="too-many-tries"):
                await deed
        with pytest.raises(Refusal, match="not-found"):
            await ask_student_code(ctx, colleague, id_number(1), "transfer")
