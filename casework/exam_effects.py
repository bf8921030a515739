"""What a booking does to its plan's places and to the student's claim on the subject."""

from datetime import timedelta

from casework.answers import Answer
from casework.context import Context
from rules.effects import Effect
from rules.exams.results import result_of
from rules.matter import Matter
from rules.places import Joined, Places, joined, released, taking

LANE = "exam-places"
"""What the worker is woken by when places owe steps to matters."""


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

    await ctx.stores.exam_places.change(code, join, now)
    ctx.checkpoint("after-seat")
    if said == "free":
        return await _seat(ctx, matter)
    return (
        Answer("queue", undo="free_seat")
        if said == "queued"
        else Answer("turn_away", {"why": said})
    )


async def free_seat(ctx: Context, matter: Matter, effect: Effect) -> None:
    """Give the place back, or leave the line; what becomes free is offered by the same write."""
    hold, now = timedelta(hours=int(ctx.figure("exam.offer_hours"))), ctx.now()
    places = await ctx.stores.exam_places.change(
        matter.form["plan"], lambda p: released(p, matter.number, now, hold), now
    )
    if places is not None and places.owed:
        await ctx.stores.memory.wake(LANE)


async def free_booking(ctx: Context, matter: Matter, effect: Effect) -> None:
    """The student may book the subject anew."""
    key = booking_key(matter.subject, matter.form["subject"])
    await ctx.stores.live_bookings.release(key, matter.number)


async def note_result(ctx: Context, matter: Matter, effect: Effect) -> None:
    """Count the result with its session, for everybody to see (162令 第五十二条)."""
    result = result_of(matter)
    if result is not None:
        outcome, _ = result
        await ctx.stores.exam_plans.note_result(matter.form["plan"], matter.number, outcome)


def booking_key(person: str, subject: str) -> str:
    """The key of a person's one live booking of a subject."""
    return f"{person}:{subject}"
