"""Logins of driving schools' clerks, opened at the window of the vehicle office over the school.

Organisations get accounts only at a window. A head of office gives each clerk a login of his own;
password and second factor are made here and shown once. Every change is in the access log.
"""

import re
from dataclasses import dataclass

import pyotp

from casework.access_log import record_look
from casework.context import Context
from casework.officers import Officer
from casework.presenting import office_view
from casework.views import OfficeView
from rules.facts import Office
from rules.refusals import Refusal
from storage.officers import OfficerRecord

_KIND = "driving_school"
_ROLE = "clerk"
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{2,31}")
_LONGEST_NAME = 40


@dataclass(frozen=True)
class ClerkView:
    """One login of a school."""

    username: str
    name: str
    disabled: bool


@dataclass(frozen=True)
class SchoolView:
    """A school the office supervises, with its clerks."""

    office: OfficeView
    clerks: list[ClerkView]


@dataclass(frozen=True)
class NewLogin:
    """What the clerk needs to log in, shown once. ``secret`` is the second factor's."""

    username: str
    name: str
    school: str
    password: str
    secret: str


async def schools(ctx: Context, officer: Officer) -> list[SchoolView]:
    """The schools of the officer's own office, by code. Raises role-not-allowed."""
    officer.must("manage_schools")
    found = await ctx.stores.registry.offices(kind=_KIND)
    return [
        SchoolView(office_view(school), await _clerks(ctx, school))
        for school in found
        if school.supervisor == officer.office.code
    ]


async def _clerks(ctx: Context, school: Office) -> list[ClerkView]:
    found = await ctx.stores.officers.of_office(school.code)
    return [ClerkView(o.username, o.name, o.disabled) for o in found if o.role == _ROLE]


async def add_clerk(
    ctx: Context, officer: Officer, *, school: str, username: str, name: str
) -> NewLogin:
    """A login for one more clerk of a school.

    Raises not-found for a school of another office, username-invalid, clerk-name-missing,
    username-taken.
    """
    office = await _own_school(ctx, officer, school)
    wanted, called = username.strip().lower(), "".join(name.split())
    if not _USERNAME.fullmatch(wanted):
        raise Refusal("username-invalid")
    if not called or len(called) > _LONGEST_NAME:
        raise Refusal("clerk-name-missing")
    login, record = await _made(ctx, office, wanted, called)
    await _log(ctx, officer, "clerk-added", wanted)
    # Whose name it is, is decided by the collection: nobody is given another's login.
    if not await ctx.stores.officers.add(record):
        raise Refusal("username-taken")
    return login


async def reset_clerk(ctx: Context, officer: Officer, username: str) -> NewLogin:
    """A new password and second factor; a disabled login opens again. Raises not-found."""
    record, office = await _own_clerk(ctx, officer, username)
    login, fresh = await _made(ctx, office, record.username, record.name)
    await _log(ctx, officer, "clerk-reset", username)
    await ctx.stores.officers.put(fresh)
    return login


async def disable_clerk(ctx: Context, officer: Officer, username: str) -> None:
    """Shut a clerk out; who is at work is out at the next click. Raises not-found."""
    await _own_clerk(ctx, officer, username)
    await _log(ctx, officer, "clerk-disabled", username)
    await ctx.stores.officers.disable(username)


async def _made(
    ctx: Context, office: Office, username: str, name: str
) -> tuple[NewLogin, OfficerRecord]:
    password, secret = ctx.ids.token()[:16], pyotp.random_base32()
    record = OfficerRecord(
        username, await ctx.passwords.hashed(password), secret, office.code, _ROLE, name, seen=True
    )
    return NewLogin(username, name, office.name, password, secret), record


async def _own_school(ctx: Context, officer: Officer, code: str) -> Office:
    officer.must("manage_schools")
    office = await ctx.office(code)
    if office is None or office.kind != _KIND or office.supervisor != officer.office.code:
        raise Refusal("not-found")
    return office


async def _own_clerk(ctx: Context, officer: Officer, username: str) -> tuple[OfficerRecord, Office]:
    officer.must("manage_schools")
    record = await ctx.stores.officers.get(username)
    if record is None or record.role != _ROLE:
        raise Refusal("not-found")
    return record, await _own_school(ctx, officer, record.office)


async def _log(ctx: Context, officer: Officer, action: str, username: str) -> None:
    await record_look(ctx, officer, action, None, None, [f"clerk:{username}"])
