"""Devices a citizen is logged in on: token given, known again, renewed, signed out."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime

import structlog

from casework.context import Context
from rules.logins import Device, Token, expiry, standing
from rules.people import Citizen
from rules.refusals import Refusal
from storage.session_documents import Session

log = structlog.get_logger()

_ID_LENGTH = 16


@dataclass(frozen=True)
class LoggedIn:
    """A login: the bearer token is shown once and kept hashed."""

    token: str
    expires_at: datetime
    citizen: Citizen


@dataclass(frozen=True)
class DeviceView:
    """A device as its owner sees it. ``state``: ``signed_in``, or ``reused`` when it was signed
    out because a token was used that it had given up before. ``current``: the one that asks."""

    id: str
    app: str
    app_label: str
    name: str
    since: date
    seen: date
    state: str
    current: bool


async def issue(ctx: Context, key: str, app: str, device: str) -> LoggedIn:
    """Log a device in: for somebody who has just proved who he is."""
    secret, family = ctx.ids.token(), ctx.ids.token()
    token = Token(key, ctx.ids.token()[:_ID_LENGTH], family, secret)
    ends = ctx.now() + ctx.seconds("login.device_seconds")
    login = Device(
        id=token.device,
        app=app,
        label=ctx.stores.logins.sealed_name(key, device),
        since=ctx.today(),
        seen=ctx.today(),
        expires_at=expiry(ctx.now(), ctx.seconds("login.token_seconds"), ends),
        ends_at=ends,
        family=_hashed(family),
        secret=_hashed(secret),
    )
    await ctx.stores.logins.add(key, login)
    return LoggedIn(
        str(token), login.expires_at, (await account_of_login(ctx, key)).citizen(ctx.today())
    )


async def authenticate(ctx: Context, written: str | None) -> Citizen:
    """The citizen a bearer token stands for. Raises not-logged-in.

    A verified token is believed for a few seconds by the process that verified it, unless somebody
    is signed out meanwhile in that process. The day it is used is noted, once a day.
    """
    token = Token.read(written)
    if token is None:
        raise Refusal("not-logged-in")
    known = ctx.recent.login(str(token))
    if known is not None:
        return known
    mark = ctx.recent.mark()
    session, device = await _find(ctx, token)
    citizen = session.citizen(ctx.today())
    ctx.recent.remember_login(str(token), citizen, mark)
    if device.seen < ctx.today():
        await ctx.stores.logins.seen(token.key, token.device, ctx.today())
    return citizen


async def renew(ctx: Context, written: str | None) -> LoggedIn:
    """A new token in place of the device's own, which goes on working for a short grace.

    The new one follows from the old one, so that a repetition, or a second request at the same
    moment, hears the very same; nothing but its hash is kept. Within the grace a new token is not
    renewed again. Raises not-logged-in.
    """
    token = Token.read(written)
    if token is None:
        raise Refusal("not-logged-in")
    session, device = await _find(ctx, token)
    secret = ctx.stores.vault.index("login-renewal", f"{token.family}.{token.secret}")
    after = Token(token.key, token.device, token.family, secret)
    if _is_current(device, token, ctx.now()):
        if device.before_until is not None and device.before_until > ctx.now():
            return LoggedIn(str(token), device.expires_at, session.citizen(ctx.today()))
        expires = expiry(ctx.now(), ctx.seconds("login.token_seconds"), device.ends_at)
        grace = ctx.now() + ctx.seconds("login.grace_seconds")
        if await ctx.stores.logins.renew(
            token.key, device, _hashed(secret), before_until=grace, expires_at=expires
        ):
            return LoggedIn(str(after), expires, session.citizen(ctx.today()))
        # Another request was faster: from here on this one is its repetition.
        session, device = await _find(ctx, token)
    if not _is_current(device, after, ctx.now()):
        raise Refusal("not-logged-in")
    return LoggedIn(str(after), device.expires_at, session.citizen(ctx.today()))


def _is_current(device: Device, token: Token, now: datetime) -> bool:
    worth = standing(device, _hashed(token.family), _hashed(token.secret), now)
    return worth == "valid"


async def _find(ctx: Context, token: Token) -> tuple[Session, Device]:
    """Account and device of a token that is worth something. Raises not-logged-in; a token that
    was given up long before signs the whole device out."""
    session = await ctx.stores.sessions.get(token.key)
    device = session.device(token.device) if session is not None else None
    if session is None or device is None:
        raise Refusal("not-logged-in")
    match standing(device, _hashed(token.family), _hashed(token.secret), ctx.now()):
        case "valid" | "graced":
            return session, device
        case "reused":
            if await ctx.stores.logins.reused(token.key, device, ctx.today()):
                log.warning("login-token-reused", device=token.device)
            ctx.recent.forget_logins(token.key)
    raise Refusal("not-logged-in")


# -- signing out ---------------------------------------------------------------------------------


async def sign_out(ctx: Context, written: str) -> None:
    """The token's device is signed out. What is no token of a device signs nobody out."""
    token = Token.read(written)
    if token is None:
        return
    try:
        await _find(ctx, token)
    except Refusal:
        return
    await sign_out_device(ctx, token.key, token.device)


async def sign_out_device(ctx: Context, key: str, device: str) -> None:
    """Sign one device out, or take the note of one that was signed out for safety from the list.
    One that is not there is signed out already."""
    await ctx.stores.logins.drop(key, device)
    ctx.recent.forget_logins(key)


async def sign_out_others(ctx: Context, key: str, written: str | None) -> None:
    """Sign out every device but that of the token; all of them when there is none."""
    token = Token.read(written)
    await ctx.stores.logins.drop_others(key, token.device if token is not None else None)
    ctx.recent.forget_logins(key)


# -- what the citizen sees -----------------------------------------------------------------------


async def listed(ctx: Context, citizen: Citizen, written: str | None = None) -> list[DeviceView]:
    """The devices that are logged in, newest first; the one of the token is ``current``."""
    token = Token.read(written)
    session = await account_of_login(ctx, citizen.key)
    return [
        DeviceView(
            id=device.id,
            app=device.app,
            app_label=ctx.book.texts.say(f"accounts.app_{device.app}"),
            name=ctx.stores.logins.name(citizen.key, device),
            since=device.since,
            seen=device.seen,
            state="signed_in" if device.signed_in else "reused",
            current=token is not None and token.device == device.id,
        )
        for device in reversed(session.devices)
        if device.expires_at > ctx.now()
    ]


def alerts(ctx: Context, session: Session) -> list[str]:
    """What the citizen has to be told about his logins, in sentences."""
    return [
        ctx.book.texts.say("accounts.login_reused", day=f"{d.reused_on.month}月{d.reused_on.day}日")
        for d in session.devices
        if d.reused_on is not None and d.expires_at > ctx.now()
    ]


async def account_of_login(ctx: Context, key: str) -> Session:
    """The account of who is logged in. Raises not-logged-in where it was closed meanwhile."""
    session = await ctx.stores.sessions.get(key)
    if session is None:
        raise Refusal("not-logged-in")
    return session


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
