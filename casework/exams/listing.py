"""What there is to book, what a student has booked, his record."""

from dataclasses import fields
from datetime import date, timedelta

from casework import steps
from casework.acting import rows_of
from casework.context import Context
from casework.exams.facts import live_bookings, plan_of
from casework.exams.leaving import own
from casework.exams.rights import must_be_student
from casework.exams.showing import booking_view, plan_view, record_view
from casework.exams.views import BookingSummary, BookingView, PlanPage, PlanView, RecordView
from rules.exams.plan import SERVICE
from rules.flow import ENDED
from rules.matter import thrown_away
from rules.people import Citizen
from rules.refusals import Refusal

_PAGE, _PAGES, _ROWS = 100, 10, 50
_DAYS = 60
MOST_DAYS = 366
"""How much of the plans is looked at in one go."""


async def plans(
    ctx: Context,
    *,
    office: str = "",
    site: str = "",
    region: str = "",
    subject: str = "",
    vehicle_class: str = "",
    since: date | None = None,
    until: date | None = None,
    free: bool = False,
    full: bool = False,
    after: str = "",
    limit: int = 30,
) -> PlanPage:
    """Sessions of an office, a site or a region, by day (from today for two months when none is
    given); of one subject, of one class, only where a place may be taken (``free``) or only where
    one may stand in line (``full``), where that is asked.

    ``after`` is the cursor a page before gave. A page ends early, with a cursor, when very many
    sessions had to be looked at. Raises plans-of-where when no place is named, days-too-many.
    """
    first = since or ctx.today()
    last = until or first + timedelta(days=_DAYS)
    if not (office or site or region):
        raise Refusal("plans-of-where")
    if not 0 <= (last - first).days <= MOST_DAYS:
        raise Refusal("days-too-many", days=MOST_DAYS)
    where = _where(office, site, region, subject, vehicle_class)
    wanted = {"office": office, "region": region} | {
        **{"subject": subject, "vehicle_class": vehicle_class}
    }
    # Only where rows are passed over need more of them be read than are shown.
    whole = not free and {n for n, value in wanted.items() if value} <= {*where}
    size = limit + 1 if whole else _PAGE
    found: list[PlanView] = []
    cursor = after
    for _ in range(_PAGES):
        rows = await ctx.stores.exam_plans.between(where, first, last, after=cursor, limit=size)
        for when, plan in rows:
            if len(found) == limit:
                return PlanPage(found, cursor)
            cursor = when
            if any(value and getattr(plan, name) != value for name, value in wanted.items()):
                continue
            view = await plan_view(ctx, plan)
            if (view.bookable or not free) and (_has_line(view) or not full):
                found.append(view)
        if len(rows) < size:
            return PlanPage(found, None)
    return PlanPage(found, cursor)


def _has_line(view: PlanView) -> bool:
    return view.status == "open" and not view.bookable


def _where(office: str, site: str, region: str, subject: str, vehicle_class: str) -> dict[str, str]:
    """What the index is asked for; the rest is looked at row by row."""
    if site:
        return {"site": site}
    if not office:
        return {"region": region}
    if subject and vehicle_class:
        return {"office": office, "subject": subject, "vehicle_class": vehicle_class}
    return {"office": office}


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
    rows = await rows_of(ctx, citizen, _ROWS)
    shown = [
        r.number
        for r in rows
        if r.service == SERVICE
        and not thrown_away(r.state, r.submitted_at)
        and not (live and r.state in ENDED)
    ]
    if len(rows) == _ROWS:
        # What he has must not get lost behind what he had.
        shown += [n for n in await live_bookings(ctx, citizen.key) if n not in shown]
    return [await booking_view(ctx, await steps.load(ctx, number)) for number in shown]


async def summaries(ctx: Context, citizen: Citizen) -> list[BookingSummary]:
    """The citizen's bookings in short: those not over first, then newest first."""
    names = [f.name for f in fields(BookingSummary) if f.name != "live"]
    found = [
        BookingSummary(live=view.state not in ENDED, **{n: getattr(view, n) for n in names})
        for view in await bookings(ctx, citizen)
    ]
    return sorted(found, key=lambda one: not one.live)


async def record(ctx: Context, citizen: Citizen) -> RecordView:
    """The citizen's record as a student: subjects passed, bookings left, first days to book.

    Raises not-allowed-tier, naming the offices that help, or not-a-student.
    """
    found = await record_view(ctx, citizen.key)
    if found is not None:
        return found
    await must_be_student(ctx, citizen)
    raise Refusal("not-a-student")
