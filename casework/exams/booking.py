"""Booking a test: the claim on the subject, the matter, a place in the plan, in this order.

Whoever dies in between leaves what the next request of the same student, or the sweep, goes on
with: a claim without a matter is taken up, a matter that is ``taking`` asks its plan again.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from casework import steps
from casework.context import Context
from casework.exam_effects import booking_key
from casework.exams.facts import booking_facts, plan_of
from casework.exams.showing import booking_view
from casework.exams.views import BookingView
from casework.numbers import number_for
from casework.offices import with_offices
from rules.exams.plan import SERVICE, Plan
from rules.facts import Facts
from rules.flow import ENDED, decide
from rules.matter import Matter, State
from rules.people import Actor, Citizen, Tier
from rules.refusals import Refusal
from storage.claims import Claim

_TRIES, _DAY = 8, 86400
_PAUSE = 0.25
_ON_ITS_WAY = timedelta(seconds=10)

Wants = Literal["seat", "line"]


@dataclass(frozen=True)
class Wish:
    """Who is to have a place of which plan, asked for by whom. ``key`` is the student's ID-number
    key; ``channel``: chat, mini, window, phone."""

    key: str
    plan: str
    wants: Wants
    actor: Actor
    channel: str
    cause: str


async def book(ctx: Context, citizen: Citizen, plan: str, cause: str, channel: str) -> BookingView:
    """Take a seat in a plan. The same cause always gives the same booking.

    Raises plan-unknown, not-allowed-tier, service-not-open, the conditions of ``exam-booking``,
    plan-closed, plan-full, already-booked, too-many-tries, booked-too-often.
    """
    await _within_limit(ctx, citizen.key)
    wish = Wish(citizen.key, plan, "seat", citizen.actor, channel, cause)
    return await booking_view(ctx, await begin(ctx, wish, citizen.tiers))


async def wait(ctx: Context, citizen: Citizen, plan: str, cause: str, channel: str) -> BookingView:
    """Stand in line for a plan that is full; who finds a place free has it.

    Raises as ``book`` does, and line-full in place of plan-full.
    """
    await _within_limit(ctx, citizen.key)
    wish = Wish(citizen.key, plan, "line", citizen.actor, channel, cause)
    return await booking_view(ctx, await begin(ctx, wish, citizen.tiers))


async def _within_limit(ctx: Context, key: str) -> None:
    most = int(ctx.figure("exam.tries_per_minute"))
    if not await ctx.stores.memory.hit(f"exam:{key}", most, 60):
        raise Refusal("too-many-tries")


async def _within_day(ctx: Context, wish: Wish) -> bool:
    """Count one more booking begun by the student himself; False when he has begun too many.
    Booking and cancelling over and over costs messages, and buries what he has."""
    most = int(ctx.figure("exam.begun_per_day"))
    return wish.actor.kind != "citizen" or await ctx.stores.memory.hit(
        f"exam-day:{wish.key}", most, _DAY
    )


async def begin(ctx: Context, wish: Wish, tiers: frozenset[Tier] | None = None) -> Matter:
    """The booking a wish leads to. Raises as ``book`` does."""
    try:
        # First, for in a rush nearly everybody ends here: his record need not be read for it.
        if wish.wants == "seat" and wish.plan in ctx.recent.full:
            raise Refusal("plan-full", waiting=ctx.recent.full.get(wish.plan, 0))
        plan = await plan_of(ctx, wish.plan)
        _must_have_room(ctx, wish, plan)
        facts = await booking_facts(ctx, wish.key, plan, tiers)
        await _must_fit(ctx, wish, facts)
    except Refusal:
        number, begun = await _number(ctx, wish)
        if begun is not None:
            # The same request again, however what it began has fared since. Where it died on its
            # way, the plan is asked again first: nobody is told of a seat that he may not get.
            return _answered(await _settled(ctx, number) if begun.state is State.TAKING else begun)
        raise
    return await _claimed(ctx, wish, facts)


def _must_have_room(ctx: Context, wish: Wish, plan: Plan) -> None:
    """Raises plan-full for a plan that is open and has no seat to take. Room seen here is no
    promise: the plan's document decides when the seat is taken."""
    gives = plan.status == "open" and ctx.now() < plan.closes_at
    if wish.wants == "seat" and gives and (plan.left < 1 or plan.waiting):
        ctx.recent.full[plan.code] = plan.waiting
        raise Refusal("plan-full", waiting=plan.waiting)


async def _must_fit(ctx: Context, wish: Wish, facts: Facts) -> None:
    """Refuse before anything is written."""
    service = ctx.book.catalogue[SERVICE]
    given = _given(wish)
    decided = decide(service, None, "apply", wish.actor, given, facts, ctx.now(), ctx.book)
    if isinstance(decided, Refusal):
        raise await with_offices(ctx, decided, facts)


def _given(wish: Wish) -> Mapping[str, Any]:
    return {
        "applicant": wish.key,
        "subject": wish.key,
        "channel": wish.channel,
        "wants": wish.wants,
    }


async def _number(ctx: Context, wish: Wish) -> tuple[str, Matter | None]:
    """The number this wish's matter gets, and the matter when the wish began it before. One that
    another matter has by chance is passed over."""
    for attempt in range(_TRIES):
        made_from = f"{wish.key}:{SERVICE}:{wish.cause}"
        wanted = number_for(ctx.stores.vault, made_from, attempt)
        stored = await ctx.stores.matters.get(wanted)
        if stored is None:
            return wanted, None
        if steps.begun_by(stored.matter, wish.key, wish.cause):
            return wanted, stored.matter
    raise Refusal("busy-try-again")


async def _claimed(ctx: Context, wish: Wish, facts: Facts) -> Matter:
    """Claim the subject, then begin the matter, which takes the place; or come to terms with the
    booking there is."""
    number, begun = await _number(ctx, wish)
    if begun is not None:
        return _answered(await _settled(ctx, number))
    service = ctx.book.catalogue[SERVICE]
    assert facts.plan is not None  # booking_facts read it
    key, claims = booking_key(wish.key, facts.plan.subject.value), ctx.stores.live_bookings
    for _ in range(_TRIES):
        now = ctx.now()
        claim = await claims.claim(key, number, now)
        ctx.checkpoint("after-claim")
        ours = claim.unconfirmed == now and claim.matter == number
        if ours and not await _within_day(ctx, wish):
            # Counted only where one more begins: who has one and asks again uses up nothing.
            await claims.give_up(claim)
            raise Refusal("booked-too-often", most=int(ctx.figure("exam.begun_per_day")))
        stored = None if ours else await ctx.stores.matters.get(claim.matter)
        if stored is None:
            if _under_way(claim, number, now):
                # Another request of his is at it this moment: its answer is his.
                await asyncio.sleep(_PAUSE)
                continue
            # One of before, be it his own: the sweep may be about to give it up.
            if not ours and not await claims.take_up(claim, ctx.now()):
                continue
            given = _given(wish)
            matter = await steps.start(
                ctx, service, "apply", wish.actor, wish.cause, given, facts, claim.matter
            )
            if matter.state is State.TAKING:
                # The same request beside this one began it, and has no answer of the plan yet.
                matter = await _settled(ctx, matter.number)
            if steps.begun_by(matter, wish.key, wish.cause):
                return _answered(matter)
            # Another wish of his was faster under this number: the next round comes to terms.
            continue
        if stored.matter.applicant == wish.key:
            # Whoever left it half done: it is asked for again.
            there = await _settled(ctx, claim.matter)
            if steps.begun_by(there, wish.key, wish.cause):
                return _answered(there)
            if there.state not in ENDED:
                raise Refusal("already-booked", number=claim.matter)
        # It has ended, or is somebody else's by chance: the claim goes.
        await claims.release(key, claim.matter)
    raise Refusal("busy-try-again")


def _under_way(claim: Claim, number: str, now: datetime) -> bool:
    """Whether a claim without a matter is another request's that is only on its way. Beginning that
    matter for it would give this request's answer under a number its key does not lead to."""
    since = claim.unconfirmed
    return claim.matter != number and since is not None and now - since < _ON_ITS_WAY


async def _settled(ctx: Context, number: str) -> Matter:
    """A matter with nothing left to do."""
    await steps.apply_owed(ctx, number)
    return (await steps.load(ctx, number)).matter


def _answered(matter: Matter) -> Matter:
    """The matter, unless its plan turned it away."""
    away = matter.last("turned_away")
    if away is None:
        return matter
    codes = {"full": "plan-full", "line_full": "line-full"}
    raise Refusal(codes.get(str(away.data.get("why")), "plan-closed"))
