"""Officers: logging in at the desk and who they are afterwards."""

import base64
import binascii
from dataclasses import dataclass, replace
from typing import Literal

import pyotp

from casework.context import Context
from rules.facts import Office
from rules.people import Actor
from rules.refusals import Refusal
from rules.roles import ROLES, role_may
from storage.officers import OfficerRecord
from storage.vault import VaultError

_QUARTER, _HOUR = 900, 3600
_DEVICE = "desk-device"


@dataclass(frozen=True)
class Officer:
    """An officer at work: his office and his role decide what he sees. ``must_change`` when
    somebody else has seen his password: he does nothing before he has one of his own."""

    username: str
    name: str
    role: str
    office: Office
    must_change: bool = False

    @property
    def actor(self) -> Actor:
        """The officer as the actor of an event; a clerk acts for his driving school."""
        kind: Literal["officer", "school"] = "school" if self.may("enrol") else "officer"
        return Actor(kind, self.username, self.office.code)

    def may(self, permission: str) -> bool:
        """Whether his role has a permission of ``rules.roles``."""
        return role_may(self.role, permission)

    def must(self, permission: str) -> None:
        """Raise ``role-not-allowed`` unless his role has the permission."""
        if not self.may(permission):
            raise Refusal("role-not-allowed")


@dataclass(frozen=True)
class DeskSession:
    """A desk login: the id goes into the cookie, and so does ``device``, by which this browser is
    known at the next login."""

    id: str
    officer: Officer
    device: str


async def officer_login(
    ctx: Context, *, username: str, password: str, code: str, address: str, device: str = ""
) -> DeskSession:
    """Log an officer in. A wrong name, a wrong password and a disabled officer are answered alike.

    ``device``: what an earlier login of this browser gave. Raises officer-login-failed,
    officer-code-needed (second factor), too-many-tries, busy-try-again.
    """
    known = _device_of(ctx, device, username)
    await _within_tries(ctx, username, address, known)
    record = await ctx.stores.officers.get(username)
    good = await ctx.passwords.matches(record.password_hash if record else None, password)
    if record is None or record.disabled or not good:
        raise Refusal("officer-login-failed")
    await _second_factor(ctx, record, code)
    officer = await _officer(ctx, record)
    session = ctx.ids.token()
    held = f"{ctx.now().timestamp():.0f} {_stamp(ctx, record)} {username}"
    await ctx.stores.memory.put_desk_session(session, held, _idle(ctx))
    ticket = {"username": username, "ticket": known or ctx.ids.token()[:22]}
    sealed = ctx.stores.vault.seal(ticket, _DEVICE)
    return DeskSession(session, officer, base64.urlsafe_b64encode(sealed).decode())


async def _within_tries(ctx: Context, username: str, address: str, known: str) -> None:
    """Count a try: a browser the officer logged in with before by itself, so that no colleague
    behind the same address can lock him out; any other by address and name together, so that
    nobody elsewhere can; and all of an address, so that nobody goes through the names."""
    hit = ctx.stores.memory.hit
    most = int(ctx.figure("desk.login_tries_per_quarter"))
    if known:
        allowed = await hit(f"desk:device:{known}", most, _QUARTER)
    else:
        all_names = int(ctx.figure("desk.login_tries_per_address_quarter"))
        allowed = await hit(f"desk:{address}", all_names, _QUARTER) and await hit(
            f"desk:{address}:{username}", most, _QUARTER
        )
    if not allowed:
        raise Refusal("too-many-tries")


async def _second_factor(ctx: Context, record: OfficerRecord, code: str) -> None:
    """Raises officer-code-needed, officer-login-failed, too-many-tries. Counted by officer: only
    who has his password comes this far."""
    if not record.totp_secret:
        if ctx.settings.environment == "production":
            raise Refusal("officer-code-needed")
        return
    if not code:
        raise Refusal("officer-code-needed")
    username, hit = record.username, ctx.stores.memory.hit
    most = int(ctx.figure("desk.second_factor_tries_per_hour"))
    if not await hit(f"totp-tries:{username}", most, _HOUR):
        raise Refusal("too-many-tries")
    fits = pyotp.TOTP(record.totp_secret).verify(code, for_time=ctx.now(), valid_window=1)
    if not fits or not await hit(f"totp:{username}:{code}", 1, 120):
        raise Refusal("officer-login-failed")


def _device_of(ctx: Context, device: str, username: str) -> str:
    """The ticket of a browser this officer logged in with before, empty for any other."""
    try:
        held = ctx.stores.vault.open_json(base64.urlsafe_b64decode(device.encode()), _DEVICE)
    except (VaultError, binascii.Error, UnicodeEncodeError):
        return ""
    return str(held["ticket"]) if held["username"] == username else ""


def _stamp(ctx: Context, record: OfficerRecord) -> str:
    """Changes with the password: logins made with a former one have ended."""
    return ctx.stores.vault.index("desk-login", record.password_hash)


async def officer_session(ctx: Context, session: str) -> Officer:
    """The officer of a desk login; each look keeps it alive, but no longer than a working day.

    Raises not-logged-in when it was idle or is too old, when the officer was disabled and when his
    password was changed since.
    """
    held = await ctx.stores.memory.get_desk_session(session, _idle(ctx)) if session else None
    begun, _, rest = (held or "").partition(" ")
    stamp, _, username = rest.partition(" ")
    record = await ctx.stores.officers.get(username) if username else None
    if record is None or record.disabled or stamp != _stamp(ctx, record):
        raise Refusal("not-logged-in")
    if ctx.now().timestamp() >= float(begun) + float(ctx.figure("desk.session_seconds")):
        raise Refusal("not-logged-in")
    return await _officer(ctx, record)


async def officer_logout(ctx: Context, session: str) -> None:
    """End a desk login."""
    await ctx.stores.memory.drop_desk_session(session)


def _idle(ctx: Context) -> int:
    return int(ctx.figure("desk.idle_seconds"))


async def _officer(ctx: Context, record: OfficerRecord) -> Officer:
    office = await ctx.office(record.office)
    if office is None:
        raise Refusal("officer-login-failed")
    return Officer(record.username, record.name, record.role, office, record.seen)


async def change_password(
    ctx: Context, officer: Officer, session: str, *, old: str, new: str, again: str
) -> None:
    """Put a password of the officer's own in place of the one he has; his other logins end, this
    one stays. A second click finds it changed.

    Raises not-logged-in, passwords-differ, password-too-short, password-unchanged,
    password-wrong, too-many-tries, busy-try-again.
    """
    least = int(ctx.figure("desk.password_least"))
    if new != again:
        raise Refusal("passwords-differ")
    if len(new) < least:
        raise Refusal("password-too-short", least=least)
    most = int(ctx.figure("desk.login_tries_per_quarter"))
    if not await ctx.stores.memory.hit(f"desk:password:{officer.username}", most, _QUARTER):
        raise Refusal("too-many-tries")
    record = await ctx.stores.officers.get(officer.username)
    held = await ctx.stores.memory.get_desk_session(session, _idle(ctx))
    if record is None or held is None:
        raise Refusal("not-logged-in")
    if old == new:
        raise Refusal("password-unchanged")
    if not await ctx.passwords.matches(record.password_hash, old):
        if not record.seen and await ctx.passwords.matches(record.password_hash, new):
            return
        raise Refusal("password-wrong")
    hashed = await ctx.passwords.hashed(new)
    if not await ctx.stores.officers.change_password(
        officer.username, record.password_hash, hashed
    ):
        raise Refusal("busy-try-again")
    begun = held.partition(" ")[0]
    fresh = f"{begun} {_stamp(ctx, replace(record, password_hash=hashed))} {officer.username}"
    await ctx.stores.memory.put_desk_session(session, fresh, _idle(ctx))


async def add_officer(
    ctx: Context,
    *,
    username: str,
    name: str,
    role: str,
    office: str,
    password: str,
    totp: bool,
    seen: bool = False,
) -> str | None:
    """Add an officer, or give one a new password; the second factor's secret if there is one.
    ``seen`` when the password was made for him and shown to somebody.

    Raises not-found when the registry has no such office, bad-request for an unknown role.
    """
    if role not in ROLES:
        raise Refusal("bad-request")
    if await ctx.office(office) is None:
        raise Refusal("not-found")
    secret = pyotp.random_base32() if totp else None
    hashed = await ctx.passwords.hashed(password)
    record = OfficerRecord(username, hashed, secret, office, role, name, seen=seen)
    await ctx.stores.officers.put(record)
    return secret
