"""The worker's part of SMS codes: what requests left in the outbox is sent, at once."""

import asyncio
from collections import Counter

import structlog

from casework.context import Context
from notify.outcome import InDoubt, Outcome, Rejected
from storage.outbox import CodeJob

log = structlog.get_logger()

_TOGETHER = 20
_WAIT = 1.0
_AGAIN = (2.0, 4.0)
_PAUSE = 0.05
"""Lets the request that left a job be answered first: on a machine they share, work that is done
only where there is somebody to send to would show in the time of the answer."""


async def send_codes(ctx: Context) -> int:
    """Send what is waiting, or wait a moment for it; how many jobs there were.

    Nobody is told of a refusal: an answer to the request would say whose phone was full. It is
    logged by the gateway's code, with how many of them came in this round.
    """
    jobs = await ctx.stores.memory.outbox.take(_TOGETHER, _WAIT)
    if jobs:
        await asyncio.sleep(_PAUSE)
    now = ctx.now().timestamp()
    live = [job for job in jobs if job.phone and job.until > now]
    refused = Counter(await asyncio.gather(*(_send(ctx, job) for job in live)))
    refused.pop("", None)
    for code, count in refused.items():
        log.warning("codes-not-sent", code=code, count=count)
    return len(jobs)


async def _send(ctx: Context, job: CodeJob) -> str:
    """Send one, and again a moment later where the gateway was busy: its minute begins when it got
    the last code, a little later than ours. Its last refusal, empty when it took the code."""
    outcome = await _sent(ctx, job)
    for pause in _AGAIN:
        if not isinstance(outcome, Rejected) or outcome.action != "retry":
            break
        await asyncio.sleep(pause)
        outcome = await _sent(ctx, job)
    if isinstance(outcome, Rejected):
        return outcome.code
    # In doubt it is not repeated: who got nothing asks again.
    return "in-doubt" if isinstance(outcome, InDoubt) else ""


async def _sent(ctx: Context, job: CodeJob) -> Outcome:
    return await ctx.gateways.sms.send(
        job.phone,
        "SMS_LOGIN_CODE",
        {
            "code": job.code,
            "minutes": str(job.minutes),
            "purpose": ctx.book.texts.say(f"accounts.purpose_{job.purpose}"),
        },
        out_id=ctx.ids.token()[:20],
    )
