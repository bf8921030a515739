"""What there is to book, what a student has booked, his record."""

from datetime import date, timedelta

from casework import steps
from casework.acting import rows_of
from casework.context import Context
from casework.exams.facts import plan_of
from casework.exams.leaving import own
from casework.exams.showing import booking_view, plan_view, record_view
from casework.exams.views import BookingView, PlanPage, PlanView, RecordView
from rules.exams.plan import SERVICE
from rules.matter import State
from rules.people import Citizen
from rules.refusals import Refusal

_PAGE, _MOST_DAYS, _ROWS = 100, 366, 50


async def plans(
    ctx: Context,
    *,
    office: str = "",
    site: str = "",
    subject: str = "",
    vehicle_class: str = "",
    since: date | None = None,
    until: date | None = None,
    free: bool = False,
    after: str = "",
    limit: int = 30,
) -> PlanPage:
    """Sessions of an office or a site, by day (from today for two months when none is given); of
    one subject, of one class, only with seats left (``free``), where that is asked.

    ``after`` is the cursor a page before gave. Raises bad-request when neither office nor site is
    named, or for more than a year.
    """
    first = since or ctx.today()
    last = until or first + timedelta(days=60)
    if not (office or site) or (last - first).days > _MOST_DAYS:
        raise Refusal("bad-request")
    where = {"site": site} if site else {"office": office}
    if not site and subject and vehicle_class:
        where |= {"subject": subject, "vehicle_class": vehicle_class}
    found: list[PlanView] = []
    cursor = after
    while True:
        rows = await ctx.stores.exam_plans.between(where, first, last, after=cursor, limit=_PAGE)
        for when, plan in rows:
            if len(found) == limit:
                return PlanPage(found, cursor)
            cursor = when
            fits = (
                (not office or plan.office == office)
                and (not subject or plan.subject == subject)
                and (not vehicle_class or plan.vehicle_class == vehicle_class)
            )
            if not fits:
                continue
            view = await plan_view(ctx, plan)
            if view.bookable or not free:
                found.append(view)
        if len(rows) < _PAGE:
            return PlanPage(found, None)


async def plan(ctx: Context, code: str) -> PlanView:
    """One session. Raises plan-unknown."""
    return await plan_view(ctx, await plan_of(ctx, code))


async def booking(ctx: Context, citizen: Citizen, number: str) -> BookingView:
    """One booking of the citizen's. Raises not-found."""
    await own(ctx, citizen, number)
    return await booking_view(ctx, await steps.load(ctx, number))


async def bookings(ctx: Context, citizen: Citizen, *, live: bool = False) -> list[BookingView]:
    """The citizen's bookings, newest first; only those not over, where ``live``. One that its plan
    turned away never was one."""
    rows = [r for r in await rows_of(ctx, citizen, _ROWS) if r.service == SERVICE]
    shown = [r for r in rows if not (r.state is State.WITHDRAWN and r.submitted_at is None)]
    over = (State.WITHDRAWN, State.REFUSED, State.FINISHED)
    return [
        await booking_view(ctx, await steps.load(ctx, r.number))
        for r in shown
        if not (live and r.state in over)
    ]


async def record(ctx: Context, citizen: Citizen) -> RecordView:
    """The citizen's record as a student: subjects passed, bookings left, first days to book.

    Raises not-a-student.
    """
    found = await record_view(ctx, citizen.key)
    if found is None:
        raise Refusal("not-a-student")
    return found
