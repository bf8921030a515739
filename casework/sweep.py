"""The worker's second loop: finish what a process that died left half done."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import TypeVar

import structlog

from casework import closing, registry_portraits, steps
from casework.context import Context
from casework.conversations import finish_late
from casework.turns import Think
from casework.wechat_binding_sweep import settle_due
from rules.flow import ENDED
from rules.people import Actor
from rules.refusals import Refusal
from storage.claims import Claim, Claims, person_of
from storage.photos import Unconfirmed

log = structlog.get_logger()

_BATCH = 100
_SYSTEM = Actor("system", "sweep")

Item = TypeVar("Item")


async def sweep(ctx: Context, think: Think) -> int:
    """One round over everything owed; how many things were done. One that fails is logged, stays
    owed and holds up no other."""
    grace = ctx.now() - ctx.seconds("sweep.effect_grace_seconds")
    day = ctx.now() - timedelta(hours=float(ctx.figure("sweep.orphan_photo_hours")))
    matters, photos = ctx.stores.matters, ctx.stores.photos
    return (
        await _each(ctx, await matters.with_effect_due(grace, _BATCH), _effects)
        + await _each(ctx, await matters.with_remind_due(ctx.now(), _BATCH), _reminder)
        + await _each(ctx, await photos.unconfirmed(day, _BATCH), _photo)
        + await _each(ctx, await ctx.stores.closings.telling(ctx.now(), _BATCH), _farewell)
        + await _each(ctx, await ctx.stores.enrolments.unconfirmed(day, _BATCH), _enrolment)
        + await _each(ctx, await ctx.stores.live_bookings.unconfirmed(day, _BATCH), _booking)
        + await settle_due(ctx)
        + await finish_late(ctx, think)
    )


async def _each(
    ctx: Context, found: Iterable[Item], settle: Callable[[Context, Item], Awaitable[None]]
) -> int:
    done = 0
    for item in found:
        try:
            await settle(ctx, item)
        except Exception:
            log.exception("sweep-failed", step=settle.__name__)
        else:
            done += 1
    return done


async def _effects(ctx: Context, number: str) -> None:
    """Effects a step recorded and did not live to apply."""
    applied = await steps.apply_owed(ctx, number)
    log.info("effects-swept", matter=number, count=applied)


async def _reminder(ctx: Context, number: str) -> None:
    """A day that has come: an event of the matter, which then owes the notice. What is not to be
    said any more is waited for no longer."""
    matter = (await steps.load(ctx, number)).matter
    action = "lapse" if ctx.book.catalogue[matter.service].kind == "enrolment" else "remind"
    try:
        await steps.take(ctx, number, action, _SYSTEM, f"{action}:{number}")
    except Refusal as refusal:
        if refusal.code != "step-not-possible":
            raise
        log.info("nothing-to-remind", matter=number, why=refusal.params.get("state"))
        await ctx.stores.matters.nothing_to_remind(number, matter.version)


async def _farewell(ctx: Context, key: str) -> None:
    """An account whose closing was not told yet."""
    await closing.say_farewell(ctx, key)


async def _photo(ctx: Context, orphan: Unconfirmed) -> None:
    """A picture that nobody names after a day: an upload that was cut off."""
    named = await registry_portraits.names(ctx, orphan.matter, orphan.id)
    if named is None:
        stored = await ctx.stores.matters.get(orphan.matter)
        named = stored is not None and any(
            orphan.id in (p.id, p.thumbnail) for p in stored.matter.photos
        )
    if named:
        await ctx.stores.photos.confirm(orphan.id)
    else:
        await ctx.stores.photos.delete(orphan.id)


async def _enrolment(ctx: Context, claim: Claim) -> None:
    """A student's place claimed a day ago."""
    await _claim(ctx, ctx.stores.enrolments, claim)


async def _booking(ctx: Context, claim: Claim) -> None:
    """A booking of a subject claimed a day ago: the student himself never waits for this, his next
    request takes the claim up."""
    await _claim(ctx, ctx.stores.live_bookings, claim)


async def _claim(ctx: Context, claims: Claims, claim: Claim) -> None:
    """By a matter that was begun, or by nobody any more."""
    stored = await ctx.stores.matters.get(claim.matter)
    if stored is None:
        await claims.give_up(claim)
    elif stored.matter.applicant == person_of(claim) and stored.matter.state not in ENDED:
        await claims.confirm(claim.key, claim.matter)
    else:
        await claims.release(claim.key, claim.matter)
