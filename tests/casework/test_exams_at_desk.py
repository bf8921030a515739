"""An officer books, cancels and refuses for who stands there or calls; nobody else does."""

from collections.abc import Awaitable
from datetime import timedelta
from pathlib import Path

import pytest

from casework import desk, steps, worklist
from casework.context import Context
from casework.exams import at_desk, desk_bookings, plan_desk, result_sheet
from casework.exams.attending import attend_due
from casework.exams.booking import book
from casework.exams.leaving import cancel
from casework.officers import Officer
from casework.visits import visit_of
from rules.masking import groups
from rules.matter import State
from rules.people import Citizen
from rules.refusals import Refusal
from storage.engines import EngineUrls
from tests.casework.exams import learner, published
from tests.casework.inside import NAMES, OFFICE, OTHER, house, licence_holder, officer
from tests.casework.schools import clerk
from tests.casework.test_bookings import forward
from tests.casework.test_plan_races import Died, dying

CODE = "135790"


async def refused(work: Awaitable[object]) -> Refusal:
    """The refusal it ends in."""
    with pytest.raises(Refusal) as raised:
        await work
    return raised.value


async def visitor(ctx: Context, who: Officer, citizen: Citizen) -> str:
    """The visit of a student whose original card was looked at."""
    return await at_desk.receive(ctx, who, citizen.id_number, "visitor", checked=True)


async def caller(ctx: Context, who: Officer, citizen: Citizen) -> str:
    """The visit of a student on the phone who has not shown yet who he is."""
    return await at_desk.receive(ctx, who, citizen.id_number, "caller", checked=False)


async def code_arrives(ctx: Context, who: Officer, visit_id: str, phone: str) -> None:
    """The code on the student's phone: no gateway is here, so one is put in its place."""
    visit = await visit_of(ctx, who, "exam", visit_id)
    await ctx.stores.memory.put_code(at_desk.slot(ctx, visit, phone), CODE, 60)


async def looks(ctx: Context, citizen: Citizen) -> list[str]:
    """What was looked at of a student, oldest first."""
    return [
        look.action for look in reversed(await ctx.stores.access_log.of_subject(citizen.key, 50))
    ]


@pytest.mark.gen_test(timeout=120)
async def test_a_visitor_is_booked_and_cancelled(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, one = await officer(ctx), await learner(ctx, 1)
        await published(ctx, capacity=1)
        said = await refused(at_desk.receive(ctx, who, one.id_number, "visitor", checked=False))
        assert said.code == "original-not-checked" and await looks(ctx, one) == []
        visit = await visitor(ctx, who, one)
        seen = await at_desk.received(ctx, who, visit)
        assert seen.record is not None and seen.person.id_number == one.id_number
        # 科目一 is passed: what he may book next is looked for first.
        assert (seen.subject, [p.code for p in seen.sessions.plans]) == ("2", ["K2-1"])
        await published(ctx, "K9", office=OTHER)
        away = desk_bookings.book_for(ctx, who, visit, "K9", "seat", "desk:z")
        assert (await refused(away)).code == "wrong-office"
        number = await desk_bookings.book_for(ctx, who, visit, "K2-1", "seat", "desk:a")
        assert await desk_bookings.book_for(ctx, who, visit, "K2-1", "seat", "desk:a") == number
        matter = (await steps.load(ctx, number)).matter
        assert matter.state is State.ACCEPTED and matter.timeline[0].actor == who.actor
        printed = await desk_bookings.receipt(ctx, who, visit, number)
        assert (printed.person.phone, printed.entered) == ("", "窗口代约")
        assert one.id_number not in str(printed)
        seen = await at_desk.received(ctx, who, visit)
        assert [b.number for b in seen.bookings] == [number]
        stale = desk_bookings.act_for(ctx, who, visit, number, "cancel", version=1, cause="desk:b")
        assert (await refused(stale)).code == "stale-version"
        await desk_bookings.act_for(
            ctx, who, visit, number, "cancel", version=seen.bookings[0].version, cause="desk:b"
        )
        matter = (await steps.load(ctx, number)).matter
        assert (matter.state, matter.timeline[-1].type) == (State.WITHDRAWN, "cancelled_at_office")
        assert (await at_desk.received(ctx, who, visit)).bookings == []
        assert set(await looks(ctx, one)) == {"exam-visit", "open-booking"}


@pytest.mark.gen_test(timeout=120)
async def test_a_caller_shows_who_he_is_first_and_cannot_cancel(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, holder, one = await officer(ctx), await learner(ctx, 1), await learner(ctx, 2)
        await published(ctx, capacity=1)
        held = await book(ctx, holder, "K2-1", "a", "mini")
        visit = await caller(ctx, who, one)
        await at_desk.send_code(ctx, who, visit)
        seen = await at_desk.received(ctx, who, visit)
        assert seen.sent and not seen.proved and seen.record is None and seen.sessions.plans == []
        assert one.id_number not in str(seen) and one.phone not in str(seen)
        (newest,) = await ctx.stores.access_log.of_subject(one.key, 1)
        assert newest.fields == groups("desk.exam_caller")
        early = desk_bookings.book_for(ctx, who, visit, "K2-1", "line", "desk:a")
        assert (await refused(early)).code == "caller-not-proved"
        await code_arrives(ctx, who, visit, one.phone)
        wrong = await refused(at_desk.prove_caller(ctx, who, visit, "000000"))
        assert wrong.code == "code-wrong"
        await at_desk.prove_caller(ctx, who, visit, CODE)
        full = desk_bookings.book_for(ctx, who, visit, "K2-1", "seat", "desk:a")
        assert (await refused(full)).code == "plan-full"
        number = await desk_bookings.book_for(ctx, who, visit, "K2-1", "line", "desk:b")
        assert (await at_desk.received(ctx, who, visit)).bookings[0].position == 1
        await cancel(ctx, holder, held.number, "c")
        await attend_due(ctx)
        offered = (await at_desk.received(ctx, who, visit)).bookings[0]
        await desk_bookings.act_for(
            ctx, who, visit, number, "accept", version=offered.version, cause="desk:d"
        )
        taken = (await at_desk.received(ctx, who, visit)).bookings[0]
        assert taken.state == State.ACCEPTED
        told = desk_bookings.act_for(
            ctx, who, visit, number, "cancel", version=taken.version, cause="desk:e"
        )
        assert (await refused(told)).code == "original-not-checked"
        other = await visitor(ctx, who, holder)
        strange = desk_bookings.act_for(
            ctx, who, other, number, "cancel", version=taken.version, cause="desk:f"
        )
        assert (await refused(strange)).code == "not-found"


@pytest.mark.gen_test(timeout=120)
async def test_a_caller_without_a_phone_is_sent_nothing_and_the_officer_hears_so(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, one = await officer(ctx), await learner(ctx, 1)
        closings = ctx.stores.closings
        seen = await closings.look(one.key)
        assert seen is not None
        assert await closings.close(one.key, seen, ctx.now(), ctx.now() + timedelta(days=30))
        await closings.done(one.key)
        visit = await caller(ctx, who, one)
        assert (await refused(at_desk.send_code(ctx, who, visit))).code == "caller-no-phone"
        shown = await at_desk.received(ctx, who, visit)
        assert (shown.sent, shown.proved, shown.person.phone) == (False, False, "")
        assert await ctx.stores.memory.outbox.take(1, 0.1) == []


@pytest.mark.gen_test(timeout=120)
async def test_refused_before_closing_and_cancelled_until_the_last_working_day(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, one, two = await officer(ctx), await learner(ctx, 1), await learner(ctx, 2)
        await published(ctx, capacity=2)
        first, second = [await book(ctx, w, "K2-1", "a", "mini") for w in (one, two)]
        empty = desk_bookings.refuse_booking(
            ctx, who, first.number, reason=" ", version=first.version, cause="desk:r"
        )
        assert (await refused(empty)).code == "reason-needed"
        await desk_bookings.refuse_booking(
            ctx, who, first.number, reason="体检过期", version=first.version, cause="desk:r"
        )
        opened = await desk_bookings.open_booking(ctx, who, first.number)
        assert (opened.view.state, opened.log[-1].note) == (State.REFUSED, "体检过期")
        assert opened.log[-1].actor == who.username and opened.actions == []
        forward(ctx, days=15, hours=12)
        await attend_due(ctx)
        opened = await desk_bookings.open_booking(ctx, who, second.number)
        assert opened.view.state == State.CONFIRMED and "refuse" not in opened.actions
        late = desk_bookings.refuse_booking(
            ctx, who, second.number, reason="x", version=opened.view.version, cause="desk:s"
        )
        assert (await refused(late)).code == "step-not-possible"
        version = opened.view.version
        unseen = desk_bookings.cancel_at_office(
            ctx, who, second.number, checked=False, version=version, cause="desk:t"
        )
        assert (await refused(unseen)).code == "original-not-checked"
        forward(ctx, days=5)
        over = desk_bookings.cancel_at_office(
            ctx, who, second.number, checked=True, version=version, cause="desk:t"
        )
        assert (await refused(over)).code == "cancel-too-late"
        assert "cancel" not in (await desk_bookings.open_booking(ctx, who, second.number)).actions


@pytest.mark.gen_test(timeout=120)
async def test_other_offices_and_schools_can_do_nothing(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        mine, away, school = await officer(ctx), await officer(ctx, OTHER), await clerk(ctx)
        one = await learner(ctx, 1)
        await published(ctx)
        held = await book(ctx, one, "K2-1", "a", "mini")
        visit, number = await visitor(ctx, mine, one), held.number
        before = await looks(ctx, one)
        elsewhere = Refusal("tested-elsewhere", office=NAMES[OFFICE])
        assert await refused(visitor(ctx, away, one)) == elsewhere
        assert await refused(desk_bookings.open_booking(ctx, away, number)) == elsewhere
        assert (await looks(ctx, one))[len(before) :] == [
            "exam-visit",
            "turned-away",
            "turned-away",
        ]
        assert (await refused(at_desk.received(ctx, away, visit))).code == "visit-ended"
        stranger = await licence_holder(ctx, 9)
        nobody = at_desk.receive(ctx, mine, stranger, "visitor", checked=True)
        assert (await refused(nobody)).code == "not-a-student"
        of_booking = {"version": held.version, "cause": "desk:x"}
        for verb in (
            visitor(ctx, school, one),
            at_desk.received(ctx, school, visit),
            at_desk.send_code(ctx, school, visit),
            at_desk.prove_caller(ctx, school, visit, CODE),
            desk_bookings.book_for(ctx, school, visit, "K2-1", "seat", "desk:x"),
            desk_bookings.act_for(ctx, school, visit, number, "cancel", **of_booking),
            desk_bookings.receipt(ctx, school, visit, number),
            desk_bookings.open_booking(ctx, school, number),
            desk_bookings.cancel_at_office(ctx, school, number, checked=True, **of_booking),
            desk_bookings.refuse_booking(ctx, school, number, reason="x", **of_booking),
        ):
            assert (await refused(verb)).code == "role-not-allowed"
        # No page of another kind leads around it.
        assert (await refused(desk.open_matter(ctx, mine, number))).code == "not-found"
        assert await desk_bookings.is_booking(ctx, number)
        await desk_bookings.refuse_booking(
            ctx, mine, number, reason="x", version=held.version, cause="desk:y"
        )
        listed = await worklist.page(ctx, mine, state=State.REFUSED)
        assert (listed.rows, listed.counts[State.REFUSED]) == ([], 0)


@pytest.mark.gen_test(timeout=120)
@pytest.mark.parametrize("closed", [False, True])
async def test_an_offer_an_officer_took_is_his_though_he_died_on_the_way(
    closed: bool, engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, holder, one = await officer(ctx), await learner(ctx, 1), await learner(ctx, 2)
        await published(ctx, capacity=1)
        held = await book(ctx, holder, "K2-1", "a", "mini")
        forward(ctx, days=15)
        visit = await visitor(ctx, who, one)
        number = await desk_bookings.book_for(ctx, who, visit, "K2-1", "line", "desk:b")
        await cancel(ctx, holder, held.number, "c")
        await attend_due(ctx)
        (offered,) = (await at_desk.received(ctx, who, visit)).bookings
        accepting = desk_bookings.act_for(
            *(dying(ctx, "after-seat"), who, visit, number, "accept"),
            version=offered.version,
            cause="desk:d",
        )
        with pytest.raises(Died):
            await accepting
        assert (await steps.load(ctx, number)).matter.state is State.OFFERED
        if closed:
            # The plan closes before a worker comes to the step.
            forward(ctx, days=1)
        await attend_due(ctx)
        matter = (await steps.load(ctx, number)).matter
        accepted = matter.last("offer_accepted")
        assert accepted is not None and accepted.actor == who.actor
        assert matter.state is (State.CONFIRMED if closed else State.ACCEPTED)
        places = await ctx.stores.exam_places.get("K2-1")
        assert places is not None and (places.holders, places.accepted_by) == ((number,), {})


@pytest.mark.gen_test(timeout=120)
async def test_a_look_at_a_session_says_which(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await officer(ctx)
        await published(ctx)
        await result_sheet.sheet(ctx, who, "K2-1")
        await plan_desk.desk_plan(ctx, who, "K2-1", 0)
        log = ctx.stores.database["access_log"].find({}).sort("seq", 1)
        said = {entry["action"]: entry["fields"] async for entry in log}
        assert said == {
            "exam-results": ["name-masked", "id_number-masked", "exams:K2-1"],
            "exam-plan": ["name-masked", "exams:K2-1"],
        }
