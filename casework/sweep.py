"""The worker's second loop: finish what a process that died left half done."""

from datetime import timedelta

import structlog

from casework import effects, steps
from casework.context import Context
from casework.conversations import Think, finish_late
from rules.people import Actor
from rules.refusals import Refusal

log = structlog.get_logger()

_BATCH = 100
_SYSTEM = Actor("system", "sweep")


async def sweep(ctx: Context, think: Think) -> int:
    """One round over everything owed; how many things were found."""
    found = await _effects(ctx)
    found += await _reminders(ctx)
    found += await finish_late(ctx, think)
    found += await _photos(ctx)
    return found


async def _effects(ctx: Context) -> int:
    """Effects a step recorded and did not live to apply."""
    before = ctx.now() - ctx.seconds("sweep.effect_grace_seconds")
    numbers = await ctx.stores.matters.with_effect_due(before, _BATCH)
    for number in numbers:
        applied = await effects.apply_owed(ctx, number)
        log.info("effects-swept", matter=number, count=applied)
    return len(numbers)


async def _reminders(ctx: Context) -> int:
    """Reminders whose day has come: an event of the matter, which then owes the notice."""
    numbers = await ctx.stores.matters.with_remind_due(ctx.now(), _BATCH)
    for number in numbers:
        try:
            await steps.take(ctx, number, "remind", _SYSTEM, f"remind:{number}")
        except Refusal as refusal:
            log.warning("reminder-refused", matter=number, code=refusal.code)
    return len(numbers)


async def _photos(ctx: Context) -> int:
    """Pictures that no matter names after a day: an upload that was cut off."""
    before = ctx.now() - timedelta(hours=float(ctx.figure("sweep.orphan_photo_hours")))
    orphans = await ctx.stores.photos.unconfirmed(before, _BATCH)
    for orphan in orphans:
        stored = await ctx.stores.matters.get(orphan.matter)
        named = stored is not None and any(
            orphan.id in (p.id, p.thumbnail) for p in stored.matter.photos
        )
        if named:
            await ctx.stores.photos.confirm(orphan.id)
        else:
            await ctx.stores.photos.delete(orphan.id)
    return len(orphans)
