"""A student at the counter or on the phone (162令 第三十九条 电话、服务窗口): who it is, where he
stands.

A visitor shows the original ID card; a caller reads back a code sent to his own phone. Before that
an officer sees no more than he needs to send it. Only the office where the student is tested does
this, and no school ever.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from casework import steps
from casework.access_log import record_look
from casework.codes import desk_slot, prove, send_to_phone
from casework.context import Context
from casework.desk_people import PersonView, applicant_view
from casework.exams import listing
from casework.exams.facts import record_for
from casework.exams.own_office import tested_elsewhere
from casework.exams.showing import booking_view, record_view
from casework.exams.views import BookingView, PlanPage, RecordView
from casework.officers import Officer
from casework.visits import Visit, begin_visit, keep, kept, visit_of
from rules.exams.booking import change_unanswered, day_of
from rules.exams.days import last_office_day
from rules.exams.plan import SERVICE, Subject
from rules.exams.record import Record
from rules.flow import ENDED, allowed
from rules.id_number import normalise
from rules.masking import groups, shown
from rules.matter import Matter
from rules.refusals import Refusal
from storage.matter_documents import StoredMatter

PERMISSION = "exam_bookings"
_PURPOSE = "exam"
_PAGE = 20

How = Literal["visitor", "caller"]
CHANNELS: Mapping[How, str] = {"visitor": "window", "caller": "phone"}
"""How a student comes -> the channel his booking names."""


@dataclass(frozen=True)
class Filter:
    """Which sessions are looked for: of one subject, on one day (any day when None), after the
    cursor of a page before."""

    subject: str = ""
    day: date | None = None
    after: str = ""


@dataclass(frozen=True)
class DeskStudent:
    """A student as the officer sees him. Until a caller is ``proved`` everything is masked and
    there is no record; ``sent`` once a code is on its way. ``bookings`` are those not over,
    ``actions`` by their number what an officer may do with them, ``sessions`` those of his class at
    this office, of the filter's ``subject``."""

    visit: str
    how: How
    proved: bool
    sent: bool
    person: PersonView
    record: RecordView | None
    bookings: list[BookingView]
    actions: dict[str, list[str]]
    subject: str
    sessions: PlanPage


async def receive(
    ctx: Context, officer: Officer, id_number: str, how: str, *, checked: bool
) -> str:
    """Begin the visit of a student of this office; its id. ``checked``: a visitor's original ID
    card was looked at.

    Raises the ID-number refusals, original-not-checked, not-a-student, tested-elsewhere,
    bad-request.
    """
    officer.must(PERMISSION)
    come = next((known for known in CHANNELS if known == how), None)
    if come is None:
        raise Refusal("bad-request")
    number = normalise(id_number, ctx.today())
    if come == "visitor" and not checked:
        raise Refusal("original-not-checked")
    key = ctx.stores.vault.id_key(number)
    await record_look(ctx, officer, "exam-visit", key, None, [])
    await _own_student(ctx, officer, key)
    visit = await begin_visit(ctx, officer, _PURPOSE, key, number)
    await keep(ctx, visit, "how", {"how": come})
    if come == "visitor":
        await keep(ctx, visit, "proved", {"by": "card"})
    return visit.id


async def received(
    ctx: Context, officer: Officer, visit_id: str, wanted: Filter | None = None
) -> DeskStudent:
    """The student of a visit under way. Raises visit-ended, not-a-student, tested-elsewhere."""
    visit, how, proved = await under_way(ctx, officer, visit_id)
    record = await _own_student(ctx, officer, visit.key)
    screen = "desk.exam_visit" if proved else "desk.exam_caller"
    await record_look(ctx, officer, "exam-visit", visit.key, None, groups(screen))
    enrolment = (await steps.load(ctx, record.enrolment)).matter
    person = await applicant_view(ctx, enrolment)
    view = await record_view(ctx, visit.key) if proved else None
    sent = await kept(ctx, visit, "sent")
    wanted, found = wanted or Filter(), PlanPage([], None)
    subject, live = wanted.subject, list[StoredMatter]()
    if view is not None:
        live = await _live(ctx, view)
        subject = subject or _next_subject(view)
        found = await _sessions(ctx, record, subject, wanted)
    return DeskStudent(
        visit=visit.id,
        how=how,
        proved=proved,
        sent=sent is not None,
        person=PersonView(
            **{name: shown(screen, name, text) for name, text in vars(person).items()}
        ),
        record=view,
        bookings=[await booking_view(ctx, stored) for stored in live],
        actions={s.matter.number: desk_actions(ctx, s.matter) for s in live},
        subject=subject,
        sessions=found,
    )


async def send_code(ctx: Context, officer: Officer, visit_id: str) -> None:
    """Send a caller the code he reads back. Raises visit-ended, bad-request, caller-no-phone,
    too-many-codes."""
    visit, how, _ = await under_way(ctx, officer, visit_id)
    if how != "caller":
        raise Refusal("bad-request")
    phone = await _phone(ctx, officer, visit)
    await record_look(ctx, officer, "code-exam", visit.key, None, [])
    if not phone:
        # Unlike a citizen an officer may know: the caller waits for it on the line.
        raise Refusal("caller-no-phone")
    await send_to_phone(ctx, purpose=_PURPOSE, key=visit.key, phone=phone, asker=visit.id)
    await keep(ctx, visit, "sent", {"to": ctx.stores.vault.phone_key(phone)})


async def prove_caller(ctx: Context, officer: Officer, visit_id: str, code: str) -> None:
    """The caller read the code back: he is who he says.

    Raises visit-ended, bad-request, code-wrong, code-expired, too-many-tries.
    """
    visit, how, proved = await under_way(ctx, officer, visit_id)
    if how != "caller":
        raise Refusal("bad-request")
    if proved:
        return
    phone = await _phone(ctx, officer, visit)
    again = int(ctx.figure("sms_code.again_seconds"))
    await prove(ctx, slot(ctx, visit, phone), code, claim=visit.id, again=again)
    await keep(ctx, visit, "proved", {"by": "code"})


def slot(ctx: Context, visit: Visit, phone: str) -> str:
    """Where a caller's code is kept: for one visit and one phone."""
    return desk_slot(ctx, _PURPOSE, visit.key, phone, visit.id)


async def under_way(ctx: Context, officer: Officer, visit_id: str) -> tuple[Visit, How, bool]:
    """The officer's visit, how the student came, and whether it is proved who he is.

    Raises role-not-allowed, visit-ended.
    """
    officer.must(PERMISSION)
    visit = await visit_of(ctx, officer, _PURPOSE, visit_id)
    how = await kept(ctx, visit, "how")
    if how is None:
        raise Refusal("visit-ended")
    come: How = "caller" if how["how"] == "caller" else "visitor"
    return visit, come, await kept(ctx, visit, "proved") is not None


async def proved_visit(ctx: Context, officer: Officer, visit_id: str) -> tuple[Visit, How]:
    """A visit of who has shown who he is. Raises visit-ended, caller-not-proved, not-a-student,
    tested-elsewhere."""
    visit, how, proved = await under_way(ctx, officer, visit_id)
    if not proved:
        raise Refusal("caller-not-proved")
    await _own_student(ctx, officer, visit.key)
    return visit, how


async def _own_student(ctx: Context, officer: Officer, key: str) -> Record:
    """The record of a student whom this office tests."""
    record = await record_for(ctx, key)
    if record is None:
        raise Refusal("not-a-student")
    if record.office != officer.office.code:
        await record_look(ctx, officer, "turned-away", key, None, [])
        raise await tested_elsewhere(ctx, record.office)
    return record


async def _phone(ctx: Context, officer: Officer, visit: Visit) -> str:
    """The account's own phone, else the one given at enrolment."""
    record = await _own_student(ctx, officer, visit.key)
    enrolment: Matter = (await steps.load(ctx, record.enrolment)).matter
    return (await applicant_view(ctx, enrolment)).phone


async def _sessions(ctx: Context, record: Record, subject: str, wanted: Filter) -> PlanPage:
    if subject not in {known.value for known in Subject}:
        raise Refusal("bad-request")
    return await listing.plans(
        ctx,
        office=record.office,
        subject=subject,
        vehicle_class=record.vehicle_class,
        since=wanted.day,
        until=wanted.day,
        after=wanted.after,
        limit=_PAGE,
    )


def _next_subject(view: RecordView) -> str:
    """The first subject he may book now; else the first not passed, so that the page shows when."""
    open_ones = [s for s in view.subjects if not s.passed]
    free = [s for s in open_ones if s.bookable_from is not None and s.booking is None]
    return next((s.subject for s in (*free, *open_ones)), Subject.THEORY.value)


async def _live(ctx: Context, view: RecordView) -> list[StoredMatter]:
    claimed = [subject.booking for subject in view.subjects if subject.booking]
    found = [await ctx.stores.matters.get(number) for number in claimed]
    return [stored for stored in found if stored and stored.matter.state not in ENDED]


def desk_actions(ctx: Context, matter: Matter) -> list[str]:
    """What the table holds for an officer, without what the day forbids. Whom to call is another
    list (``casework.exams.telling``)."""
    found = list(allowed(ctx.book.catalogue[SERVICE], matter, "officer"))
    if "note_told" in found:
        found.remove("note_told")
    last = last_office_day(day_of(matter), ctx.book.parameters)
    if "cancel" in found and ctx.today() > last:
        found.remove("cancel")
    if "accept_change" in found and not change_unanswered(matter):
        found.remove("accept_change")
    return found
