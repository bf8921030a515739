"""Cancelling, leaving the line, taking an offer, answering a change: what a student does with a
booking he has."""

from casework import steps
from casework.context import Context
from casework.exam_effects import change_places
from casework.exams.facts import booking_facts, plan_of
from casework.exams.showing import booking_view
from casework.exams.views import BookingView
from rules.exams.booking import HELD
from rules.exams.plan import SERVICE
from rules.flow import decide
from rules.matter import Matter, State
from rules.people import Actor, Citizen
from rules.places import Places, accepted
from rules.refusals import Refusal


async def own(ctx: Context, citizen: Citizen, number: str) -> Matter:
    """A booking of the citizen's; anything else is ``not-found``."""
    matter = (await steps.load(ctx, number)).matter
    if matter.service != SERVICE or matter.subject != citizen.key:
        raise Refusal("not-found")
    return matter


async def cancel(ctx: Context, citizen: Citizen, number: str, cause: str) -> BookingView:
    """Give the seat back; online until the plan closes, after a change of the plan until the day
    before. Raises not-found, cancel-at-office, cancel-too-late, step-not-possible."""
    await own(ctx, citizen, number)
    matter = await steps.take(ctx, number, "cancel", citizen.actor, cause)
    return await booking_view(ctx, matter)


async def may_cancel(ctx: Context, citizen: Citizen, number: str) -> None:
    """Raise what ``cancel`` would, before he is asked whether he means it."""
    matter = await own(ctx, citizen, number)
    plan = await plan_of(ctx, matter.form["plan"])
    facts = await booking_facts(ctx, citizen.key, plan)
    service = ctx.book.catalogue[SERVICE]
    decided = decide(service, matter, "cancel", citizen.actor, {}, facts, ctx.now(), ctx.book)
    if isinstance(decided, Refusal):
        raise decided


async def leave(ctx: Context, citizen: Citizen, number: str, cause: str) -> BookingView:
    """Leave the line, or decline what was offered. Raises not-found, step-not-possible."""
    await own(ctx, citizen, number)
    return await booking_view(ctx, await steps.take(ctx, number, "leave", citizen.actor, cause))


async def accept_change(ctx: Context, citizen: Citizen, number: str, cause: str) -> BookingView:
    """Keep the seat as the office changed it. Raises not-found, step-not-possible."""
    await own(ctx, citizen, number)
    matter = await steps.take(ctx, number, "accept_change", citizen.actor, cause)
    return await booking_view(ctx, matter)


async def accept(ctx: Context, citizen: Citizen, number: str, cause: str) -> BookingView:
    """Take the place offered. The rules are asked again; then the plan's document decides, and the
    matter follows it.

    Raises not-found, offer-over, step-not-possible, the conditions of ``exam-booking``.
    """
    matter = await own(ctx, citizen, number)
    return await booking_view(ctx, await accept_as(ctx, citizen.actor, matter, cause))


async def accept_as(ctx: Context, actor: Actor, matter: Matter, cause: str) -> Matter:
    """Take the place offered, as the student or as the officer who acts for him. Raises as
    ``accept`` does, and wrong-office."""
    if matter.event_of(cause) is not None or _is_taken(matter):
        return matter
    if matter.state is State.WAITING:
        # Offered this moment, and the step is still owed.
        raise Refusal("offer-not-yet")
    service, now, number = ctx.book.catalogue[SERVICE], ctx.now(), matter.number
    plan = await plan_of(ctx, matter.form["plan"])
    facts = await booking_facts(ctx, matter.subject, plan)
    decided = decide(service, matter, "accept", actor, {}, facts, now, ctx.book)
    if isinstance(decided, Refusal):
        raise decided

    officer = actor.key if actor.kind == "officer" else ""

    def take(places: Places) -> Places | None:
        return accepted(places, number, now, officer)

    if await change_places(ctx, matter.form["plan"], take, now) is None:
        raise Refusal("offer-over")
    ctx.checkpoint("after-seat")
    try:
        return await steps.take(ctx, number, "accept", actor, cause)
    except Refusal:
        taken = (await steps.load(ctx, number)).matter
        if not _is_taken(taken):
            raise
        # The worker saw the place taken and was faster with the step.
        return taken


def _is_taken(matter: Matter) -> bool:
    """Whether the offer was accepted, by whichever request, and the place is still his."""
    return matter.state in HELD and matter.last("offer_accepted") is not None
