"""The worker's loops. They start only in ``bianmin worker``; any number of workers may run."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from casework import retention
from casework.code_sending import send_codes
from casework.context import Context
from casework.delivery import deliver_due
from casework.exam_effects import LANE as EXAM_LANE
from casework.exams.attending import attend_due
from casework.school_batch_worker import work_batches
from casework.school_batches import LANE as SCHOOL_LANE
from casework.steps import NOTICE_LANE
from casework.sweep import sweep
from casework.turns import Think

log = structlog.get_logger()

_IDLE = 1.0
_SWEEP = 5.0
_BACK_OFF = 3.0
_HOURLY = 3600.0


async def work(ctx: Context, think: Think, stop: asyncio.Event) -> None:
    """Send codes, deliver, sweep, take in schools' files, attend to exam plans,
    anchor the access log and delete what
    has been kept long enough, until ``stop`` is set."""

    async def rest_by_lane() -> None:
        await ctx.stores.memory.wait(NOTICE_LANE, _IDLE)

    async def rest_by_batches() -> None:
        await ctx.stores.memory.wait(SCHOOL_LANE, _IDLE)

    async def rest_by_plans() -> None:
        await ctx.stores.memory.wait(EXAM_LANE, _IDLE)

    async def anchor() -> int:
        await ctx.stores.access_log.anchor(ctx.now())
        return 0

    async def no_rest() -> None:
        """Looking for codes waits by itself."""

    await asyncio.gather(
        _loop("codes", lambda: send_codes(ctx), no_rest, stop),
        _loop("deliver", lambda: deliver_due(ctx), rest_by_lane, stop),
        _loop("sweep", lambda: sweep(ctx, think), lambda: _rest(stop, _SWEEP), stop),
        _loop("school-batches", lambda: work_batches(ctx), rest_by_batches, stop),
        _loop("exam-plans", lambda: attend_due(ctx), rest_by_plans, stop),
        _loop("anchor", anchor, lambda: _rest(stop, _HOURLY), stop),
        _loop("retention", lambda: retention.daily(ctx), lambda: _rest(stop, _HOURLY), stop),
    )


async def _loop(
    name: str,
    step: Callable[[], Awaitable[int]],
    rest: Callable[[], Awaitable[None]],
    stop: asyncio.Event,
) -> None:
    """One round after the other; an error is logged and the loop goes on after a pause, for what
    it was at is still recorded as owed."""
    while not stop.is_set():
        try:
            if not await step():
                await rest()
        except Exception:
            log.exception("worker-loop-failed", loop=name)
            await _rest(stop, _BACK_OFF)


async def _rest(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
