"""Which citizen a WeChat account speaks for, and by which account a citizen is reached.

Two documents say it: the account's (whom it speaks for) and the person's session (one account for
each app). An account is a person's only while both agree, so whatever processes do at once and
wherever one dies, an account never speaks for two and two never speak for one. What one of them
says alone is put in order by whoever made it, on use, or by the sweep.
"""

from dataclasses import dataclass
from datetime import datetime

from casework.context import Context
from casework.wechat_identity import APPS, WechatIdentity, account_of, with_unionid
from rules.people import Citizen
from rules.refusals import Refusal
from storage.session_documents import Session
from storage.wechat_accounts import WechatAccount
from storage.wechat_bindings import UNION, Binding

_CLAIM_LENGTH = 16


@dataclass(frozen=True)
class BindingView:
    """A WeChat account bound to the citizen, and since when."""

    app: str
    app_label: str
    bound_at: datetime


def _union_of(ctx: Context, unionid: str) -> str:
    return ctx.stores.vault.openid_key(UNION, unionid)


# -- who speaks ----------------------------------------------------------------------------------


async def person_of(ctx: Context, identity: WechatIdentity) -> Session | None:
    """The account of the citizen a WeChat account speaks for; None when it is nobody's."""
    held = await ctx.stores.wechat_bindings.get(account_of(ctx, identity))
    if held is None or held.session is None:
        return None
    session = await ctx.stores.sessions.get(held.session)
    if session is None or not await agrees(ctx, identity, held, session):
        return None
    return session


async def whoami(ctx: Context, identity: WechatIdentity) -> Citizen | None:
    """The citizen a WeChat account speaks for, if any: bound, or known by its unionid in the other
    app."""
    session = await person_of(ctx, identity)
    if session is None:
        session = await by_union(ctx, identity)
    return session.citizen(ctx.today()) if session else None


async def agrees(ctx: Context, identity: WechatIdentity, held: Binding, session: Session) -> bool:
    """Whether the person named by the account's document names the account too.

    Where a process died in the middle, the first message of the account finishes its work.
    """
    if held.session != session.key:
        return False
    named = session.wechat.get(held.app)
    if named is not None and named.key == held.account:
        return True
    if held.due is None:
        return False
    if named is not None:
        other = await ctx.stores.wechat_bindings.get(named.key)
        if other is not None and other.session == session.key:
            return False  # another account was bound since, or faster
        await ctx.stores.wechat_accounts.remove(session.key, held.app, named.claim)
    entry = _named(ctx, identity, held.claim, held.bound_at)
    return await ctx.stores.wechat_accounts.put_if_none(session.key, held.app, entry)


async def openid_of(ctx: Context, session: Session, app: str) -> str | None:
    """By which account a citizen is reached in an app; None when there is none.

    A session may still name an account that speaks for somebody else by now: that one would read
    what is not for him.
    """
    named = session.wechat.get(app)
    if named is None:
        return None
    held = await ctx.stores.wechat_bindings.get(named.key)
    if held is not None and held.session == session.key:
        return named.openid
    await ctx.stores.wechat_accounts.remove(session.key, app, named.claim)
    return None


async def bound(ctx: Context, session: Session) -> list[BindingView]:
    """The accounts a citizen is reached by."""
    return [
        BindingView(app, ctx.book.texts.say(f"accounts.app_{app}"), session.wechat[app].bound_at)
        for app in APPS
        if await openid_of(ctx, session, app) is not None
    ]


async def by_union(ctx: Context, identity: WechatIdentity) -> Session | None:
    """The citizen who is known in the other app by the same unionid: this account is bound to him
    too. None when there is none, or when he has another account in this app."""
    if identity.unionid is None:
        return None
    union = _union_of(ctx, identity.unionid)
    held = await ctx.stores.wechat_bindings.get(union)
    session = await ctx.stores.sessions.get(held.session) if held and held.session else None
    if session is None:
        return None
    reached = {app for app in APPS if await openid_of(ctx, session, app) is not None}
    sisters = {app for app in reached if session.wechat[app].union == union}
    if identity.app in reached or not sisters:
        return None
    await bind(ctx, session.key, identity)
    return await ctx.stores.sessions.get(session.key)


async def in_other_app(ctx: Context, identity: WechatIdentity) -> bool:
    """Whether somebody who writes for the first time is known in the other app, by his unionid:
    from here on he is known in this one too."""
    return await by_union(ctx, await with_unionid(ctx, identity)) is not None


# -- binding -------------------------------------------------------------------------------------


async def bind(ctx: Context, key: str, identity: WechatIdentity, *, tell: bool = False) -> None:
    """Make a WeChat account speak for a person, in place of whom it spoke for and of the account
    the person had in this app. ``tell``: he is told by SMS, by the worker."""
    account = account_of(ctx, identity)
    claim, now = ctx.ids.token()[:_CLAIM_LENGTH], ctx.now()
    due = now + ctx.seconds("login.binding_seconds")
    await ctx.stores.wechat_bindings.bind(
        Binding(account, identity.app, key, claim, now, due, tell=tell)
    )
    ctx.checkpoint("after-binding")
    await ctx.stores.wechat_accounts.put(key, identity.app, _named(ctx, identity, claim, now))
    ctx.checkpoint("after-naming")
    held = await ctx.stores.wechat_bindings.get(account)
    if held is None or held.claim != claim:
        # Bound to somebody else meanwhile, who finishes it: it was ours for a moment.
        await _release(ctx, key, identity.app, account)
        return
    if identity.unionid is not None:
        union = _union_of(ctx, identity.unionid)
        await ctx.stores.wechat_bindings.bind(Binding(union, UNION, key, claim, now))
    await finish(ctx, held)


def _named(ctx: Context, identity: WechatIdentity, claim: str, at: datetime) -> WechatAccount:
    return WechatAccount(
        key=account_of(ctx, identity),
        claim=claim,
        openid=identity.openid,
        bound_at=at,
        unionid=identity.unionid,
        union=_union_of(ctx, identity.unionid) if identity.unionid else None,
    )


async def finish(ctx: Context, held: Binding) -> None:
    """Settle with those a binding took the place of."""
    for former in held.former:
        await _leave(ctx, former, held)
    if held.session is None:
        await ctx.stores.wechat_bindings.drop(held.account, held.claim)
        return
    session = await ctx.stores.sessions.get(held.session)
    named = session.wechat.get(held.app) if session is not None else None
    if named is None or named.key != held.account:
        # Another account was bound since, or the binding was begun and never made.
        await ctx.stores.wechat_bindings.drop(held.account, held.claim)
        return
    for account in named.before:
        await _replaced(ctx, held.session, held.app, account)
    await ctx.stores.wechat_accounts.settled(held.session, held.app, named.claim)
    if held.tell:
        # The worker tells: from now on, and again should it die.
        await ctx.stores.wechat_bindings.later(
            held.account, held.claim, held.due or ctx.now(), ctx.now()
        )
        return
    await ctx.stores.wechat_bindings.settled(held.account, held.claim)


async def _leave(ctx: Context, former: str, held: Binding) -> None:
    """Whom the account spoke for before names it no more, nor its sister in the other app: one
    WeChat serves one person at a time."""
    session = await ctx.stores.sessions.get(former)
    if session is None:
        return
    named = session.wechat.get(held.app)
    await _release(ctx, former, held.app, held.account)
    if named is None or named.key != held.account or named.union is None:
        return
    for app, sister in session.wechat.items():
        if app != held.app and sister.union == named.union:
            await _part(ctx, former, app, sister)


async def _release(ctx: Context, key: str, app: str, account: str) -> None:
    """A person's session names an account no more, unless the account speaks for him again."""
    session = await ctx.stores.sessions.get(key)
    named = session.wechat.get(app) if session is not None else None
    if named is None or named.key != account:
        return
    held = await ctx.stores.wechat_bindings.get(account)
    if held is None or held.session != key:
        await ctx.stores.wechat_accounts.remove(key, app, named.claim)


async def _replaced(ctx: Context, key: str, app: str, account: str) -> None:
    """An account that the person replaced speaks for nobody any more, unless he took it again."""
    held = await ctx.stores.wechat_bindings.get(account)
    if held is None or held.session != key:
        return
    session = await ctx.stores.sessions.get(key)
    named = session.wechat.get(app) if session is not None else None
    if named is None or named.key != account:
        await ctx.stores.wechat_bindings.drop(account, held.claim)


# -- unbinding -----------------------------------------------------------------------------------


async def unbind(ctx: Context, key: str, app: str) -> None:
    """Take a person's WeChat account of one app from him. His sister account in the other app
    stays, but no longer makes this one known. Raises not-found for an app that is none."""
    if app not in APPS:
        raise Refusal("not-found")
    session = await ctx.stores.sessions.get(key)
    named = session.wechat.get(app) if session is not None else None
    if named is not None:
        # Whoever gets at the account by its phone alone is not to unbind and bind his own.
        await ctx.stores.wechat_accounts.remember_last(key, app, named.key)
        await _part(ctx, key, app, named)


async def drop_named(ctx: Context, before: Session) -> None:
    """Delete the documents of the accounts a session named before it was made to name none."""
    for named in before.wechat.values():
        await ctx.stores.wechat_bindings.drop(named.key, named.claim)
        if named.union is not None:
            await ctx.stores.wechat_bindings.drop(named.union, named.claim)


async def _part(ctx: Context, key: str, app: str, named: WechatAccount) -> None:
    # The accounts' documents first: what is left in a session alone is nobody's.
    for account in (*named.before, named.key):
        await ctx.stores.wechat_bindings.unbind(account, key, ctx.now())
    if named.union is not None:
        await ctx.stores.wechat_bindings.unbind(named.union, key, ctx.now())
    ctx.checkpoint("after-unbinding")
    await ctx.stores.wechat_accounts.remove(key, app, named.claim)


async def forget_wechat(ctx: Context, identity: WechatIdentity) -> None:
    """``unsubscribe``: the WeChat profile and what was said before registering are deleted,
    whoever the account speaks for."""
    account = account_of(ctx, identity)
    await _forget(ctx, identity, account)
    await ctx.stores.conversations.drop(account)


async def _forget(ctx: Context, identity: WechatIdentity, account: str) -> None:
    held = await ctx.stores.wechat_bindings.get(account)
    if held is None:
        return
    session = await ctx.stores.sessions.get(held.session) if held.session else None
    named = session.wechat.get(identity.app) if session is not None else None
    if session is not None and named is not None and named.key == account:
        await _part(ctx, session.key, identity.app, named)
        await ctx.stores.wechat_accounts.remember_last(session.key, identity.app, None)
    await ctx.stores.wechat_bindings.drop(account, held.claim)
