"""The worker's first loop: hand due notices to a gateway, settle doubts, take in receipts.

``sending`` is written before the call and the call's time-out is shorter than the lease, so that
whoever finds an expired lease knows that its holder is gone and the outcome is in doubt. Nothing
here bumps the matter's version: an officer and a worker never refuse each other.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

import structlog
from prometheus_client import Counter

from casework.carriers import Carrier, Reader, carrier, carrier_of, due
from casework.context import Context
from casework.wechat_bindings import openid_of
from notify.order import Reach, channels
from notify.outcome import InDoubt, Outcome, Rejected, Taken
from notify.sms import Fate
from rules import notices
from rules.calendar import HOUSE_ZONE
from rules.notices import Notice, NoticeState, Pace
from storage.session_documents import Session

log = structlog.get_logger()

_AT_ONCE = 16
_TRIES = 20
# Of two answers about one message, the one that says more; that it never came is said by all.
_WEIGHT: tuple[Fate, ...] = ("delivered", "sent", "failed", "unknown", "absent")

_TOO_LATE = Rejected("lease-half-over", "retry")

HANDED = Counter("bianmin_notices_total", "Notices by channel and outcome", ["channel", "outcome"])
REPEATS = Counter("bianmin_notice_repeats_total", "Flagged second sendings after a doubt")


@dataclass(frozen=True)
class Receipt:
    """What the SMS gateway reports of one message."""

    out_id: str
    biz_id: str
    delivered: bool
    code: str


async def deliver_due(ctx: Context, limit: int = 200) -> int:
    """Attend to everything with a notice due; how many were. One that cannot be attended to holds
    up no other."""
    numbers = await due(ctx, limit)
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(number: str) -> bool:
        async with room:
            try:
                await attend(ctx, number)
            except Exception:
                log.exception("delivery-failed", matter=number)
                return False
            return True

    return sum(await asyncio.gather(*(one(n) for n in numbers)))


async def attend(ctx: Context, number: str) -> None:
    """Do the next thing for each due notice of one matter or mandate."""
    stored = await carrier(ctx, number)
    if stored is None:
        return
    waiting = [n for n in stored.notices.values() if n.due is not None and n.due <= ctx.now()]
    if not waiting:
        # The clear field is behind: an append kept an earlier time. Write any notice to mend it.
        for notice in list(stored.notices.values())[:1]:
            await stored.save(ctx, notice)
    for notice in waiting:
        match notice.state:
            case NoticeState.DUE:
                await _send(ctx, number, notice.id)
            case NoticeState.SENDING:
                await _change(ctx, number, notice.id, _expired(ctx))
            case NoticeState.IN_DOUBT:
                await _settle(ctx, number, stored, notice)


def _expired(ctx: Context) -> Callable[[Notice], Notice | None]:
    def change(notice: Notice) -> Notice | None:
        if notice.state is not NoticeState.SENDING or (notice.due or ctx.now()) > ctx.now():
            return None
        return notices.doubted(notice, ctx.now(), _pace(ctx))

    return change


async def _send(ctx: Context, number: str, notice_id: str) -> None:
    stored = await carrier(ctx, number)
    if stored is None:
        return
    notice = stored.notices[notice_id]
    if notice.state is not NoticeState.DUE:
        return
    reader = await stored.reader(ctx, notice)
    channel = await _channel(ctx, reader, notice)
    if channel is None:
        await _change(ctx, number, notice_id, lambda n: notices.dead(n, ctx.now()))
        HANDED.labels(notice.channel or "none", "dead").inc()
        log.warning("notice-dead", matter=number, notice=notice_id)
        return
    lease = ctx.ids.token()[:16]
    claimed = notices.claimed(notice, channel, lease, ctx.now(), _pace(ctx))
    if not await stored.save(ctx, claimed):
        return  # another worker was first
    ctx.checkpoint("before-gateway")
    outcome = await _hand_over(ctx, reader, stored, claimed)
    ctx.checkpoint("after-gateway")
    await _record(ctx, number, claimed, outcome)


async def _channel(ctx: Context, reader: Reader, notice: Notice) -> str | None:
    session, template = reader.session, ctx.book.texts.consent_template(notice.template)
    mini = await openid_of(ctx, session, "mini") if session else None
    reach = Reach(
        mini_openid=mini is not None,
        consents=session.consents.get(template, 0) if session else 0,
        phone=bool(reader.phone),
    )
    return next((c.value for c in channels(reach, notice.closed)), None)


async def _hand_over(ctx: Context, reader: Reader, stored: Carrier, notice: Notice) -> Outcome:
    session = reader.session
    if notice.channel == "subscribe" and session is not None:
        template = ctx.book.texts.consent_template(notice.template)
        if not await ctx.stores.consents.use_consent(session.key, template):
            return Rejected("consent-used-up", "other_channel", "")
        outcome = await _by_subscribe(ctx, session, stored, notice, template)
        if isinstance(outcome, Rejected) and outcome.action != "other_channel":
            # WeChat took none of it, so the consent is good for another try.
            await ctx.stores.consents.return_consent(session.key, template)
        return outcome
    sms = await stored.sms(ctx, notice)
    if _too_late(ctx, notice):
        return _TOO_LATE
    return await ctx.gateways.sms.send(reader.phone, sms.template, sms.params, out_id=notice.id)


async def _by_subscribe(
    ctx: Context, session: Session, stored: Carrier, notice: Notice, template: str
) -> Outcome:
    openid = await openid_of(ctx, session, "mini")
    if openid is None:
        # His WeChat went over to another member of the family meanwhile.
        return Rejected("not-bound", "other_channel", "")
    if _too_late(ctx, notice):
        return _TOO_LATE
    push = stored.push(ctx, notice)
    return await ctx.gateways.mini.send_subscribe(openid, template, push.data, push.page)


def _too_late(ctx: Context, notice: Notice) -> bool:
    """Whether a database that stalled left too little of the lease for the call: its end would
    find another worker at it."""
    began = notice.began or ctx.now()
    return ctx.now() - began > timedelta(seconds=_pace(ctx).lease) / 2


async def _record(ctx: Context, number: str, claimed: Notice, outcome: Outcome) -> None:
    def change(notice: Notice) -> Notice | None:
        if notice.lease != claimed.lease:
            return None  # a receipt came first, or the lease ended and another took over
        match outcome:
            case Taken(reference):
                return notices.taken(notice, reference, ctx.now())
            case Rejected(code, action, _):
                return notices.refused(notice, code, action, ctx.now(), _pace(ctx))
            case InDoubt():
                return notices.doubted(notice, ctx.now(), _pace(ctx))

    HANDED.labels(claimed.channel, type(outcome).__name__.lower()).inc()
    if isinstance(outcome, Rejected):
        log.warning("notice-refused", matter=number, channel=claimed.channel, code=outcome.code)
    await _change(ctx, number, claimed.id, change)


async def _settle(ctx: Context, number: str, stored: Carrier, notice: Notice) -> None:
    """Find out what became of a doubtful message: by looking it up, else by one flagged repeat."""
    found: Fate = "unknown"
    if notice.channel == "sms":
        reader = await stored.reader(ctx, notice)
        if reader.phone:
            found = await _looked_up(ctx, reader.phone, notice)

    def change(now: Notice) -> Notice | None:
        if now.state is not NoticeState.IN_DOUBT or now.began != notice.began:
            return None  # what was looked up is another hand-over's fate
        match found:
            case "sent" | "delivered":
                return notices.taken(now, "looked-up", ctx.now())
            case "failed":
                return notices.refused(now, "failed", "retry", ctx.now(), _pace(ctx))
            case "absent":
                return notices.absent(now, ctx.now())
            case _:
                return notices.unresolved(now, ctx.now(), _pace(ctx))

    after = await _change(ctx, number, notice.id, change)
    if after is not None and after.flagged and not notice.flagged:
        REPEATS.inc()
        log.warning("notice-repeated", matter=number, notice=notice.id)


async def _looked_up(ctx: Context, phone: str, notice: Notice) -> Fate:
    """What became of a doubtful SMS. The gateway lists by the day it took the message, which is
    that of the hand-over's beginning or, around midnight, of its end."""
    began = notice.began or ctx.now()
    ended = began + timedelta(seconds=_pace(ctx).lease)
    fates: list[Fate] = [
        await ctx.gateways.sms.lookup(phone, day, notice.id)
        for day in sorted({at.astimezone(HOUSE_ZONE).date() for at in (began, ended)})
    ]
    return min(fates, key=_WEIGHT.index)


async def receipts(ctx: Context, found: Iterable[Receipt]) -> int:
    """Take in receipts; how many belonged to a notice. Login codes have none to keep."""
    known = 0
    for receipt in found:
        number = carrier_of(receipt.out_id)
        stored = await carrier(ctx, number)
        if stored is None or receipt.out_id not in stored.notices:
            continue
        known += 1

        def change(notice: Notice, receipt: Receipt = receipt) -> Notice | None:
            after = notices.receipt(
                notice, receipt.biz_id, receipt.delivered, receipt.code, ctx.now()
            )
            return after if after != notice else None

        await _change(ctx, number, receipt.out_id, change)
    return known


async def _change(
    ctx: Context, number: str, notice_id: str, change: Callable[[Notice], Notice | None]
) -> Notice | None:
    """Write a notice's next state, reading again as often as another delivery was faster; gives
    what was written."""
    for _ in range(_TRIES):
        stored = await carrier(ctx, number)
        if stored is None:
            return None
        after = change(stored.notices[notice_id])
        if after is None or await stored.save(ctx, after):
            return after
    raise RuntimeError(f"notice {notice_id} could not be written")


def _pace(ctx: Context) -> Pace:
    return Pace(
        retries=tuple(int(s) for s in ctx.figure("notices.retry_seconds")),
        lease=int(ctx.figure("notices.lease_seconds")),
        doubt=int(ctx.figure("notices.doubt_seconds")),
    )
