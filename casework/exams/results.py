"""What came of a test: by file, or at the desk. The booking is told, the student's record follows
by its effects; a sitting booked elsewhere, before this platform, goes into the record at once."""

import hashlib
from dataclasses import dataclass
from datetime import date

from casework import steps
from casework.context import Context
from casework.enrolments.permits import enrolment_for
from casework.exam_effects import claimed_booking
from casework.exams.attending import attend
from rules.calendar import HOUSE_ZONE
from rules.deadlines import say_date
from rules.exams.plan import SERVICE, Subject
from rules.exams.record import Outcome, record_of
from rules.exams.results import ACTIONS, counted, result_of
from rules.matter import Matter, State
from rules.people import Actor
from rules.refusals import Refusal

_FILE, _SYSTEM = Actor("exchange", "file"), Actor("system", "results")
_ROWS = 200
_OVER = frozenset({State.WITHDRAWN, State.REFUSED})


Came = tuple[Outcome, bool]
"""What a sitting came to, as ``rules.exams.results.sitting_of`` reads it: its outcome, and whether
the second try was taken."""


@dataclass(frozen=True)
class Sitting:
    """One row of ``exam-results``. ``key`` is the student's ID-number key; ``plan`` is empty where
    the test was not booked here; ``reason`` says why an earlier result was wrong."""

    key: str
    subject: Subject
    day: date
    plan: str
    came: Came
    reason: str = ""

    @property
    def cause(self) -> str:
        """The same row gives the same cause: read again, it changes nothing, even after a later
        row has put it right. The reason is not repeated in it."""
        reason = hashlib.sha256(self.reason.encode()).hexdigest()[:16] if self.reason else ""
        told = (self.subject.value, self.day.isoformat(), *self.came, reason)
        return "result:" + ":".join(str(part) for part in told)


async def sitting_known(ctx: Context, sitting: Sitting) -> None:
    """Take in the result of one sitting; a row read before changes nothing.

    Raises result-without-booking, result-other-plan, result-too-early, result-not-confirmed,
    result-already, student-unknown, step-not-possible.
    """
    if sitting.day > ctx.today():
        raise Refusal("result-too-early")
    booking = await _booking_of(ctx, sitting)
    if booking is None:
        await _straight(ctx, sitting)
        return
    # What was put right stays, unless a row says why not: a file sent again knows nothing of it.
    stays = not sitting.reason and booking.last("result_corrected") is not None
    reason = "" if stays else sitting.reason or _default(ctx)
    await note(ctx, booking, _FILE, sitting.cause, sitting.came, reason)


def _default(ctx: Context) -> str:
    return ctx.book.texts.say("exams.results.corrected_by_file")


async def note(
    ctx: Context, booking: Matter, actor: Actor, cause: str, came: Came, reason: str = ""
) -> None:
    """Enter the result of a booking. With a ``reason``, one that was entered otherwise is put
    right; without, that raises result-already. The same one again changes nothing."""
    matter, (outcome, retried) = await _attended(ctx, booking), came
    if matter.state is not State.FINISHED:
        given = {"outcome": outcome, "retried": retried}
        try:
            await steps.take(ctx, matter.number, ACTIONS[outcome], actor, cause, given)
        except Refusal as refusal:
            matter = (await steps.load(ctx, matter.number)).matter
            if refusal.code != "step-not-possible" or matter.state is not State.FINISHED:
                raise
            # Somebody entered one this very moment.
        else:
            return
    there = result_of(matter)
    if matter.event_of(cause) is not None or there is None:
        return
    if there == (counted(matter, outcome), retried):
        return
    if not reason:
        label = ctx.book.texts.say(f"exams.outcomes.{there[0]}")
        raise Refusal("result-already", outcome=label)
    corrected = {"outcome": outcome, "retried": retried, "reason": reason}
    await steps.take(ctx, matter.number, "correct", actor, cause, corrected)


async def _attended(ctx: Context, booking: Matter) -> Matter:
    """The booking after what its plan owes it, where no worker came by yet: confirmed or refused,
    changed or released."""
    if booking.state is State.FINISHED:
        return booking
    code = booking.form["plan"]
    places = await ctx.stores.exam_places.get(code)
    owed = places is not None and booking.number in places.owed
    if not owed and booking.state is State.CONFIRMED:
        return booking
    await attend(ctx, code)
    return (await steps.load(ctx, booking.number)).matter


async def _booking_of(ctx: Context, sitting: Sitting) -> Matter | None:
    """The booking a sitting was of: the live one of the subject, or one that has its result. None
    for a test that was not booked here. Raises result-other-plan, result-without-booking."""
    live = await _live(ctx, sitting)
    if live is not None and _fits(live, sitting):
        return live
    for row in await ctx.stores.matters.of_applicant(sitting.key, _ROWS):
        if row.service == SERVICE and row.state is State.FINISHED:
            booking = (await steps.load(ctx, row.number)).matter
            if _fits(booking, sitting):
                return booking
    booked = live.created_at.astimezone(HOUSE_ZONE).date() if live else None
    if live is not None and booked is not None and (sitting.plan or sitting.day >= booked):
        # Before he booked it was another test, of which nobody knew here.
        day = say_date(date.fromisoformat(live.form["day"]))
        raise Refusal("result-other-plan", plan=live.form["plan"], day=day)
    if sitting.plan:
        raise Refusal("result-without-booking")
    return None


async def _live(ctx: Context, sitting: Sitting) -> Matter | None:
    claimed = await claimed_booking(ctx, sitting.key, sitting.subject)
    if claimed is None:
        return None
    await steps.apply_owed(ctx, claimed.number)
    booking = (await steps.load(ctx, claimed.number)).matter
    return None if booking.state in _OVER else booking


def _fits(booking: Matter, sitting: Sitting) -> bool:
    form = booking.form
    return (
        form["subject"] == sitting.subject.value
        and form["day"] == sitting.day.isoformat()
        and sitting.plan in ("", form["plan"])
    )


async def _straight(ctx: Context, sitting: Sitting) -> None:
    """Into the student's record: there is no booking that would bring it there."""
    cause, day = sitting.cause, sitting.day.isoformat()
    enrolment = await enrolment_for(ctx, sitting.key, cause)
    if enrolment.event_of(cause) is not None:
        return
    attempt = f"{sitting.subject.value}-{day}"
    known = next((a for a in record_of(enrolment).attempts if a.id == attempt), None)
    if known is not None and (known.outcome, known.retried) == sitting.came:
        return
    given: dict[str, object] = {
        "attempt": attempt,
        "subject": sitting.subject.value,
        "day": day,
        "outcome": sitting.came[0],
        "retried": sitting.came[1],
        "reason": sitting.reason or _default(ctx),
    }
    action = "correct_attempt" if known else "record_attempt"
    await steps.take(ctx, enrolment.number, action, _SYSTEM, cause, given)
