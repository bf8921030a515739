"""The worker's part in binding WeChat accounts: finish what was left, tell what is to be told."""

from datetime import datetime, timedelta

import structlog

from casework.context import Context
from casework.wechat_bindings import finish
from notify.outcome import Rejected
from storage.session_documents import Session
from storage.wechat_bindings import Binding

log = structlog.get_logger()

_BATCH = 100
_TELL_FOR = timedelta(days=1)


async def settle_due(ctx: Context) -> int:
    """Finish what was left of bindings, and tell what is to be told; how many there were."""
    found = await ctx.stores.wechat_bindings.due(ctx.now(), _BATCH)
    for held in found:
        try:
            await _settle(ctx, held)
        except Exception:
            log.exception("binding-not-settled")
    return len(found)


async def _settle(ctx: Context, held: Binding) -> None:
    lease = ctx.now() + ctx.seconds("login.binding_seconds")
    if held.due is None:
        return
    if not await ctx.stores.wechat_bindings.later(held.account, held.claim, held.due, lease):
        return  # another worker has it
    told = not held.tell
    if held.tell and held.session is not None:
        session = await ctx.stores.sessions.get(held.session)
        named = session.wechat.get(held.app) if session is not None else None
        wanted = session is not None and named is not None and named.key == held.account
        too_late = ctx.now() - held.bound_at > _TELL_FOR
        told = too_late or not wanted or session is None or await _told(ctx, session)
    if told:
        await finish(ctx, _without_telling(held, lease))


def _without_telling(held: Binding, due: datetime) -> Binding:
    return Binding(
        held.account, held.app, held.session, held.claim, held.bound_at, due, held.former
    )


async def _told(ctx: Context, session: Session) -> bool:
    """Tell a citizen that another WeChat is his account's now; False when it is to be tried
    again."""
    outcome = await ctx.gateways.sms.send(
        session.phone,
        "SMS_WECHAT_BOUND",
        {"hotline": ctx.book.texts.say("offices.hotline")},
        out_id=ctx.ids.token()[:20],
    )
    if isinstance(outcome, Rejected):
        log.warning("binding-not-told", code=outcome.code)
        return outcome.action != "retry"
    return True
