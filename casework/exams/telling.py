"""Whom no message has reached: the office that tests calls him, and notes that it did (REQ B4)."""

from dataclasses import dataclass

from casework import steps
from casework.access_log import record_look
from casework.context import Context
from casework.desk_people import applicant_view
from casework.exams.at_desk import PERMISSION
from casework.exams.desk_bookings import of_office
from casework.exams.showing import booking_view
from casework.exams.views import BookingView
from casework.officers import Officer
from rules.masking import groups, shown

_PAGE = 50
_SCREEN = "desk.exams_untold"


@dataclass(frozen=True)
class Untold:
    """A booking whose student could not be told ``what``; the name is masked, the phone is on the
    booking's page."""

    view: BookingView
    name: str
    what: str
    why: str


@dataclass(frozen=True)
class UntoldPage:
    """Bookings to be told by telephone, by day; ``next`` is the cursor of what follows."""

    rows: list[Untold]
    next: str | None


async def untold(ctx: Context, officer: Officer, after: str = "", limit: int = _PAGE) -> UntoldPage:
    """Bookings of the office whose students no message has reached, from the test of today on.
    Raises role-not-allowed."""
    officer.must(PERMISSION)
    found = await ctx.stores.matters.untold(officer.office.code, ctx.today(), limit + 1, after)
    await record_look(ctx, officer, "exams-untold", None, None, groups(_SCREEN))
    rows = []
    for number, _ in found[:limit]:
        stored = await ctx.stores.matters.get(number)
        if stored is None:
            continue
        view = await booking_view(ctx, stored)
        person, last = await applicant_view(ctx, stored.matter), view.notices[-1]
        name = shown(_SCREEN, "name", person.name)
        rows.append(Untold(view, name, last.text, last.state_label))
    return UntoldPage(rows, found[limit - 1][1] if len(found) > limit else None)


async def note_told(
    ctx: Context, officer: Officer, number: str, *, version: int, cause: str
) -> None:
    """Note that the student was told on the phone; the booking leaves the list by the same write.

    Raises role-not-allowed, not-found, tested-elsewhere, stale-version, step-not-possible.
    """
    await of_office(ctx, officer, number)
    await steps.take(ctx, number, "note_told", officer.actor, cause, seen=version)
