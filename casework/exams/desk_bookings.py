"""What an officer does with bookings: for the student of a visit, or for the office itself.

Whatever he does for a student is done as if by that student and recorded as the officer's; he
decides on the version he saw.
"""

from dataclasses import dataclass

from casework import steps
from casework.access_log import record_look
from casework.context import Context
from casework.desk import whole_log
from casework.desk_people import PersonView, applicant_view
from casework.exams.at_desk import CHANNELS, PERMISSION, desk_actions, proved_visit
from casework.exams.booking import Wants, Wish, begin
from casework.exams.leaving import accept_as
from casework.exams.own_office import tested_elsewhere
from casework.exams.showing import booking_view
from casework.exams.views import BookingView
from casework.officers import Officer
from casework.views import TimelineEntry
from rules.exams.plan import SERVICE
from rules.exams.telling import untold_place
from rules.masking import groups, shown
from rules.refusals import Refusal
from storage.matter_documents import StoredMatter

FOR_STUDENT = ("cancel", "leave", "accept", "accept_change")
"""What an officer does because the student wants it."""


@dataclass(frozen=True)
class DeskBooking:
    """A booking as an officer of its office sees it. ``entered``: by which channel it was asked
    for; ``log``: everything that happened, with who did it; ``actions``: what he may do now;
    ``to_call``: whether no message reached the student, and nobody called him yet."""

    view: BookingView
    person: PersonView
    entered: str
    log: list[TimelineEntry]
    actions: list[str]
    to_call: bool


async def is_booking(ctx: Context, number: str) -> bool:
    """Whether a number is that of a booking, which has a page of its own."""
    stored = await ctx.stores.matters.get(number)
    return stored is not None and stored.matter.service == SERVICE


async def open_booking(ctx: Context, officer: Officer, number: str) -> DeskBooking:
    """A booking of the officer's own office; the look is recorded before it is answered.

    Raises not-found, tested-elsewhere.
    """
    stored = await of_office(ctx, officer, number)
    return await _shown(ctx, officer, stored, "desk.booking")


async def receipt(ctx: Context, officer: Officer, visit_id: str, number: str) -> DeskBooking:
    """A booking to be printed for the student of a visit; name and number are masked.

    Raises visit-ended, caller-not-proved, not-found.
    """
    visit, _ = await proved_visit(ctx, officer, visit_id)
    stored = await of_office(ctx, officer, number)
    if stored.matter.subject != visit.key:
        raise Refusal("not-found")
    return await _shown(ctx, officer, stored, "desk.exam_receipt")


async def book_for(
    ctx: Context, officer: Officer, visit_id: str, plan: str, wants: str, cause: str
) -> str:
    """A seat (``wants``: seat) or a place in line (line) for the student of a visit; the number of
    his booking. The same cause gives the same one.

    Raises visit-ended, caller-not-proved, tested-elsewhere and as ``booking.book`` and ``wait`` do.
    """
    wish = _WANTS.get(wants)
    if wish is None:
        raise Refusal("bad-request")
    visit, how = await proved_visit(ctx, officer, visit_id)
    asked = Wish(visit.key, plan, wish, officer.actor, CHANNELS[how], cause)
    return (await begin(ctx, asked)).number


_WANTS: dict[str, Wants] = {"seat": "seat", "line": "line"}


async def act_for(
    ctx: Context,
    officer: Officer,
    visit_id: str,
    number: str,
    action: str,
    *,
    version: int,
    cause: str,
) -> None:
    """One of ``FOR_STUDENT`` for the student of a visit. A caller cannot cancel: the law asks for
    the original ID card, which only a visitor has shown.

    Raises visit-ended, caller-not-proved, not-found, stale-version, original-not-checked,
    cancel-too-late, offer-over, step-not-possible, the conditions of ``exam-booking``.
    """
    if action not in FOR_STUDENT:
        raise Refusal("bad-request")
    visit, how = await proved_visit(ctx, officer, visit_id)
    matter = (await of_office(ctx, officer, number)).matter
    if matter.subject != visit.key:
        raise Refusal("not-found")
    if action == "accept":
        if matter.event_of(cause) is None and matter.version != version:
            raise Refusal("stale-version")
        await accept_as(ctx, officer.actor, matter, cause)
        return
    given = {"checked": how == "visitor"}
    await steps.take(ctx, number, action, officer.actor, cause, given, seen=version)


async def cancel_at_office(
    ctx: Context, officer: Officer, number: str, *, checked: bool, version: int, cause: str
) -> None:
    """Cancel for who stands there with the original ID card (``checked``), until the last working
    day before the test.

    Raises not-found, tested-elsewhere, original-not-checked, cancel-too-late, stale-version,
    step-not-possible.
    """
    await of_office(ctx, officer, number)
    given = {"checked": checked}
    await steps.take(ctx, number, "cancel", officer.actor, cause, given, seen=version)


async def refuse_booking(
    ctx: Context, officer: Officer, number: str, *, reason: str, version: int, cause: str
) -> None:
    """Refuse a booking before its plan closes, with the reason.

    Raises not-found, tested-elsewhere, reason-needed, stale-version, step-not-possible.
    """
    await of_office(ctx, officer, number)
    given = {"reason": reason.strip()}
    await steps.take(ctx, number, "refuse", officer.actor, cause, given, seen=version)


async def of_office(ctx: Context, officer: Officer, number: str) -> StoredMatter:
    """A booking of the officer's own office. Raises not-found, tested-elsewhere."""
    officer.must(PERMISSION)
    stored = await steps.load(ctx, number)
    matter = stored.matter
    if matter.service != SERVICE:
        raise Refusal("not-found")
    if matter.office != officer.office.code:
        await record_look(ctx, officer, "turned-away", matter.subject, number, [])
        raise await tested_elsewhere(ctx, matter.office or "")
    return stored


async def _shown(ctx: Context, officer: Officer, stored: StoredMatter, screen: str) -> DeskBooking:
    matter = stored.matter
    await record_look(ctx, officer, "open-booking", matter.subject, matter.number, groups(screen))
    person = await applicant_view(ctx, matter)
    entered = matter.timeline[0].data["channel"]
    return DeskBooking(
        view=await booking_view(ctx, stored),
        person=PersonView(
            **{name: shown(screen, name, text) for name, text in vars(person).items()}
        ),
        entered=ctx.book.texts.say(f"exams.entered.{entered}"),
        log=await whole_log(ctx, matter),
        actions=desk_actions(ctx, matter),
        to_call=untold_place(matter, stored.notices) is not None,
    )
