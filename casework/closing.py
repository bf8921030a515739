"""Closing an account (REQ A9): refused while matters are under way, then all of it goes that no law
keeps. The document stays as the claim on the ID number: one account per ID number, ever.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from casework import mandates, matters
from casework.acting import rows_about
from casework.askers import Asker
from casework.codes import prove, slot
from casework.context import Context
from casework.exams.facts import live_bookings
from notify.outcome import InDoubt, Outcome, Rejected
from rules.calendar import HOUSE_ZONE
from rules.flow import ENDED
from rules.matter import State
from rules.people import Citizen
from rules.privacy import kept
from rules.refusals import Refusal
from storage.closing import Farewell

log = structlog.get_logger()

_LISTED = 200
_TRIES = 8
_TEMPLATE = "SMS_ACCOUNT_CLOSED"
_SOON = timedelta(minutes=1)
_GIVEN_UP = timedelta(days=3)


@dataclass(frozen=True)
class Stays:
    """Something the account's closing does not delete, and until when it is kept."""

    label: str
    kept: str


@dataclass(frozen=True)
class Closed:
    """The account is closed; ``stays`` is what is kept, and for how long."""

    closed_at: datetime
    stays: list[Stays]


def what_stays(ctx: Context) -> list[Stays]:
    """What is kept of a closed account, by the privacy table."""
    return [
        Stays(f.label, kept(f, ctx.book.parameters, ctx.today()))
        for f in ctx.book.privacy.fields
        if f.closing == "kept"
    ]


async def may_close(ctx: Context, citizen: Citizen) -> None:
    """Raises closing-matters-under-way, naming each; drafts are no hindrance, nor is what he does
    for somebody else: that is his principal's."""
    rows = await rows_about(ctx, citizen, _LISTED)
    numbers = {r.number for r in rows if r.state not in ENDED and r.state is not State.DRAFT}
    # These may be older than all that is listed.
    numbers |= {*await live_bookings(ctx, citizen.key)}
    enrolment = await ctx.stores.enrolments.get(citizen.key)
    stored = await ctx.stores.matters.get(enrolment.matter) if enrolment else None
    if stored and stored.matter.subject == citizen.key and stored.matter.state not in ENDED:
        numbers.add(stored.matter.number)
    if numbers:
        raise Refusal("closing-matters-under-way", numbers=sorted(numbers))


async def close(
    ctx: Context, citizen: Citizen, *, sms_code: str, asker: Asker, cause: str
) -> Closed:
    """Close the account: logins end, WeChat is unbound, drafts are thrown away, tiers end, and all
    of the account goes but what the table keeps.

    The code is one of purpose ``close``, sent to the account's phone. Raises the code refusals and
    closing-matters-under-way; not-logged-in when it is closed already.
    """
    await may_close(ctx, citizen)
    await prove(ctx, slot(ctx, "close", citizen.key, citizen.phone, asker), sms_code)
    for _ in range(_TRIES):
        seen = await ctx.stores.closings.look(citizen.key)
        if seen is None:
            raise Refusal("not-logged-in")
        await may_close(ctx, citizen)
        await _throw_drafts_away(ctx, citizen, cause)
        await mandates.end_all(ctx, citizen, cause)
        now = ctx.now()
        # Thrown away, a draft gives its place back: look again before closing on what was seen.
        seen = await ctx.stores.closings.look(citizen.key) or seen
        ctx.checkpoint("before-closing")
        again = now + timedelta(days=int(ctx.figure("retention.closed")))
        if await ctx.stores.closings.close(citizen.key, seen, now, again):
            ctx.checkpoint("after-closing")
            ctx.recent.forget_logins(citizen.key)
            await say_farewell(ctx, citizen.key)
            log.info("account-closed")
            return Closed(now, what_stays(ctx))
    raise Refusal("busy-try-again")


async def _throw_drafts_away(ctx: Context, citizen: Citizen, cause: str) -> None:
    for row in await rows_about(ctx, citizen, _LISTED):
        if row.state is State.DRAFT:
            await matters.withdraw(ctx, citizen, row.number, f"{cause}:{row.number}")


async def say_farewell(ctx: Context, key: str) -> None:
    """Do what closing left to do: tell it by SMS, then forget the phone; unbind WeChat. Called at
    once and by the sweep, as often as needed."""
    farewell = await ctx.stores.closings.farewell(key)
    if farewell is None:
        return
    for bound in farewell.bindings:
        await ctx.stores.wechat_bindings.drop(bound.key, bound.claim)
    if await _told(ctx, key, farewell):
        await ctx.stores.closings.done(key)


async def _told(ctx: Context, key: str, farewell: Farewell) -> bool:
    """Whether the SMS was sent, or never will be. One in doubt is looked up before it is sent
    again, a minute later."""
    if not farewell.phone or ctx.now() - farewell.closed_at > _GIVEN_UP:
        return True
    out_id = ctx.stores.vault.index("farewell", f"{key}/{farewell.closed_at.isoformat()}")[:20]
    if farewell.tried is not None:
        day = farewell.tried.astimezone(HOUSE_ZONE).date()
        fate = await ctx.gateways.sms.lookup(farewell.phone, day, out_id)
        if fate == "unknown":
            await ctx.stores.closings.tell_later(key, ctx.now() + _SOON)
            return False
        if fate != "absent":
            return True
    if not await ctx.stores.closings.begin_telling(key, farewell, ctx.now()):
        return False
    outcome = await _send(ctx, farewell, out_id)
    if isinstance(outcome, InDoubt):
        return False
    return not (isinstance(outcome, Rejected) and outcome.action == "retry")


async def _send(ctx: Context, farewell: Farewell, out_id: str) -> Outcome:
    day = farewell.closed_at.astimezone(HOUSE_ZONE).date().isoformat()
    hotline = ctx.book.texts.say("offices.hotline")
    params = {"day": day, "hotline": hotline}
    return await ctx.gateways.sms.send(farewell.phone, _TEMPLATE, params, out_id)
