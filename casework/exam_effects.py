"""What a booking does to its plan's places and to the student's claim on the subject."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from casework.answers import Answer, Onward
from casework.context import Context
from rules.effects import Effect
from rules.exams.booking import day_of
from rules.exams.learning import untold
from rules.exams.plan import Subject
from rules.matter import Event, Matter
from rules.places import Joined, Places, joined, released, taking
from rules.refusals import Refusal
from storage.places import PlacesContended

LANE = "exam-places"
"""What the worker is woken by when places owe steps to matters."""

_TRIES = 8


async def take_seat(ctx: Context, matter: Matter, effect: Effect) -> Answer:
    """Take a place in the plan, or one in its line. Whatever the plan's document says is the truth,
    and saying it again changes nothing."""
    if matter.timeline[0].data["wants"] == "line":
        return await _queue(ctx, matter)
    return await _seat(ctx, matter)


async def _seat(ctx: Context, matter: Matter) -> Answer:
    code, now = matter.form["plan"], ctx.now()
    if not await ctx.stores.exam_places.take(code, matter.number, now):
        places = await ctx.stores.exam_places.get(code)
        why = taking(places, matter.number, now) if places else "gone"
        if why != "taken":
            return Answer("turn_away", {"why": why})
    ctx.checkpoint("after-seat")
    return Answer("seat", undo="free_seat")


async def _queue(ctx: Context, matter: Matter) -> Answer:
    code, now, most = matter.form["plan"], ctx.now(), int(ctx.figure("exam.line_most"))
    said: Joined = "closed"

    def join(places: Places) -> Places:
        nonlocal said
        after, said = joined(places, matter.number, now, most)
        return after

    for _ in range(_TRIES):
        await change_places(ctx, code, join, now)
        ctx.checkpoint("after-seat")
        if said == "queued":
            return Answer("queue", undo="free_seat")
        if said != "free":
            return Answer("turn_away", {"why": said})
        seat = await _seat(ctx, matter)
        if seat.given.get("why") != "full":
            return seat
        # Somebody was faster with the place that was free: to the line after all.
    raise Refusal("busy-try-again")


async def change_places(
    ctx: Context,
    code: str,
    decide: Callable[[Places], Places | None],
    now: datetime,
    extra: Mapping[str, Any] | None = None,
    history: Mapping[str, Any] | None = None,
) -> Places | None:
    """What a request makes of a plan's places, as the store does; None when it makes nothing of
    them. Raises busy-try-again when others were faster every time: what is owed stays owed."""
    try:
        places = await ctx.stores.exam_places.change(code, decide, now, extra, history)
    except PlacesContended as error:
        raise Refusal("busy-try-again") from error
    ctx.recent.full.pop(code, None)
    return places


def offer_hold(ctx: Context) -> timedelta:
    """How long a place is kept for the next in line."""
    return timedelta(hours=int(ctx.figure("exam.offer_hours")))


async def free_seat(ctx: Context, matter: Matter, effect: Effect) -> None:
    """Give the place back, or leave the line; what becomes free is offered by the same write."""
    hold, now = offer_hold(ctx), ctx.now()
    places = await change_places(
        ctx, matter.form["plan"], lambda p: released(p, matter.number, now, hold), now
    )
    if places is not None and places.owed:
        await ctx.stores.memory.wake(LANE)


async def free_booking(ctx: Context, matter: Matter, effect: Effect) -> None:
    """The student may book the subject anew."""
    key = booking_key(matter.subject, matter.form["subject"])
    await ctx.stores.live_bookings.release(key, matter.number)


async def note_result(ctx: Context, matter: Matter, effect: Effect) -> None:
    """Count the result with its session, for everybody to see (162令 第五十二条)."""
    event, version = event_of(matter, effect)
    outcome = str(event.data["outcome"])
    await ctx.stores.exam_plans.note_result(matter.form["plan"], matter.number, outcome, version)


async def enter_attempt(ctx: Context, matter: Matter, effect: Effect) -> list[Onward]:
    """The sitting into the record of the enrolment he booked by, as its event says it."""
    event, _ = event_of(matter, effect)
    given = {
        "attempt": matter.number,
        "subject": matter.form["subject"],
        "day": matter.form["day"],
        "outcome": event.data["outcome"],
        "retried": event.data["retried"],
        "reason": event.data.get("reason", ""),
    }
    corrected = event.type == "result_corrected"
    enrolment = str(matter.timeline[0].data["enrolment"])
    return [Onward(enrolment, "correct_attempt" if corrected else "record_attempt", given)]


async def follow_record(ctx: Context, matter: Matter, effect: Effect) -> list[Onward]:
    """What the student's record says now and was not told: voided, restored, complete, not complete
    after all. Each is an event that owes this again, until nothing is left to tell."""
    licence = await ctx.stores.registry.licence(matter.subject)
    found = untold(matter, licence, ctx.book.parameters)
    return [Onward(matter.number, found.action, found.given)] if found else []


async def release_bookings(ctx: Context, matter: Matter, effect: Effect) -> list[Onward]:
    """The places and places in line of somebody who is no student any more, or whose passed
    subjects are void: given to who waits, at no cost to him. Of who goes over to another vehicle
    office, those of the former one. A test whose day has come keeps its place: its result counts.

    A booking that begins this very moment is caught at its plan's closing, when all is decided
    again.
    """
    event, _ = event_of(matter, effect)
    reason = ctx.book.texts.say(f"exams.let_go.{event.type}")
    found: list[Onward] = []
    for subject in Subject:
        booked = await claimed_booking(ctx, matter.subject, subject)
        if booked is None or day_of(booked) <= ctx.today():
            continue
        if booked.created_at > event.at:
            # Booked since, as the student he is now.
            continue
        if event.type == "transferred" and booked.form["office"] == event.data["office"]:
            continue
        found.append(Onward(booked.number, "let_go", {"reason": reason}))
    return found


def event_of(matter: Matter, effect: Effect) -> tuple[Event, int]:
    """The event that owes an effect, and the matter's version it made."""
    return next(
        (event, version)
        for version, event in enumerate(matter.timeline, 1)
        if effect.id == f"{event.id}-{effect.kind}"
    )


async def claimed_booking(ctx: Context, person: str, subject: Subject) -> Matter | None:
    """The matter a person's claim on a subject names, be it over or not."""
    claim = await ctx.stores.live_bookings.get(booking_key(person, subject.value))
    stored = await ctx.stores.matters.get(claim.matter) if claim else None
    return stored.matter if stored and stored.matter.subject == person else None


def booking_key(person: str, subject: str) -> str:
    """The key of a person's one live booking of a subject."""
    return f"{person}:{subject}"
