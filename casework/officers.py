"""Officers: logging in at the desk and who they are afterwards."""

import asyncio
from dataclasses import dataclass
from typing import Literal

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from casework.context import Context
from rules.facts import Office
from rules.people import Actor
from rules.refusals import Refusal
from rules.roles import ROLES, role_may
from storage.officers import OfficerRecord

_HASHER = PasswordHasher()
# Verified when there is no such officer, so that both take the same time.
_NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$JvNTPwrVxSEG05hWebl"
    "XcQ$H56R8e8T76CLny7cW6sBHA/3/dA7wrtSwnTfDuulBYs"
)


@dataclass(frozen=True)
class Officer:
    """An officer at work: his office and his role decide what he sees."""

    username: str
    name: str
    role: str
    office: Office

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
    """A desk login: the id goes into the cookie."""

    id: str
    officer: Officer


async def officer_login(
    ctx: Context, *, username: str, password: str, code: str, address: str
) -> DeskSession:
    """Log an officer in. A wrong name, a wrong password and a disabled officer are answered alike.

    Raises officer-login-failed, officer-code-needed (second factor), too-many-tries.
    """
    most = int(ctx.figure("desk.login_tries_per_quarter"))
    # Counted per address and name together: nobody can lock an officer out from elsewhere.
    if not await ctx.stores.memory.hit(f"desk:{address}:{username}", most, 900):
        raise Refusal("too-many-tries")
    record = await ctx.stores.officers.get(username)
    good = await asyncio.to_thread(_matches, record, password)
    if record is None or record.disabled or not good:
        raise Refusal("officer-login-failed")
    if record.totp_secret:
        if not code:
            raise Refusal("officer-code-needed")
        used = f"totp:{username}:{code}"
        fits = pyotp.TOTP(record.totp_secret).verify(code, for_time=ctx.now(), valid_window=1)
        if not fits or not await ctx.stores.memory.hit(used, 1, 120):
            raise Refusal("officer-login-failed")
    elif ctx.settings.environment == "production":
        raise Refusal("officer-code-needed")
    session = ctx.ids.token()
    await ctx.stores.memory.put_desk_session(session, username, _idle(ctx))
    return DeskSession(session, await _officer(ctx, record))


def _matches(record: OfficerRecord | None, password: str) -> bool:
    try:
        return _HASHER.verify(record.password_hash if record else _NOBODY, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def hash_password(password: str) -> str:
    """An argon2id hash; takes tens of milliseconds, so never on the event loop."""
    return _HASHER.hash(password)


async def hashed(password: str) -> str:
    """The same off the loop."""
    return await asyncio.to_thread(hash_password, password)


async def officer_session(ctx: Context, session: str) -> Officer:
    """The officer of a desk login; each look keeps it alive. Raises not-logged-in when idle."""
    username = await ctx.stores.memory.get_desk_session(session, _idle(ctx)) if session else None
    record = await ctx.stores.officers.get(username) if username else None
    if record is None or record.disabled:
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
    return Officer(record.username, record.name, record.role, office)


async def add_officer(
    ctx: Context, *, username: str, name: str, role: str, office: str, password: str, totp: bool
) -> str | None:
    """Add an officer, or give one a new password; the second factor's secret if there is one.

    Raises not-found when the registry has no such office, bad-request for an unknown role.
    """
    if role not in ROLES:
        raise Refusal("bad-request")
    if await ctx.office(office) is None:
        raise Refusal("not-found")
    secret = pyotp.random_base32() if totp else None
    hash_ = await hashed(password)
    await ctx.stores.officers.put(OfficerRecord(username, hash_, secret, office, role, name))
    return secret
