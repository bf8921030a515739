"""The notice of what is held and why: shown to everyone, agreed to by version."""

from dataclasses import dataclass
from datetime import date

from casework.context import Context
from rules.people import Citizen
from rules.privacy import Field, kept


@dataclass(frozen=True)
class PrivacyRow:
    """One field of personal data, worded. ``closing``: what happens to it when the account is
    closed."""

    name: str
    label: str
    purpose: str
    basis: list[str]
    basis_short: list[str]
    recipients: str
    kept: str
    sensitive: bool
    form: str
    masking: str
    closing: str


@dataclass(frozen=True)
class PrivacyNotice:
    """The notice that holds today, with the whole table."""

    version: str
    since: date
    controller: str
    contact: str
    short: str
    text: str
    rows: list[PrivacyRow]


@dataclass(frozen=True)
class Agreed:
    """Which notice the citizen agreed to, and whether a newer one waits for him."""

    version: str | None
    current: str
    newer_waits: bool


def notice(ctx: Context) -> PrivacyNotice:
    """Today's notice, for everyone."""
    privacy = ctx.book.privacy
    current = privacy.notice(ctx.today())
    return PrivacyNotice(
        version=current.version,
        since=current.start,
        controller=privacy.controller,
        contact=privacy.contact,
        short=current.short,
        text=current.text,
        rows=[row(ctx, field) for field in privacy.fields],
    )


def row(ctx: Context, field: Field) -> PrivacyRow:
    """One row of the table, in words, by today's figures."""
    bases = ctx.book.privacy.bases
    return PrivacyRow(
        name=field.name,
        label=field.label,
        purpose=field.purpose,
        basis=[bases[code].text for code in field.basis],
        basis_short=[bases[code].short for code in field.basis],
        recipients=field.recipients,
        kept=kept(field, ctx.book.parameters, ctx.today()),
        sensitive=field.sensitive,
        form=field.form,
        masking=field.masking,
        closing=ctx.book.texts.say(f"privacy.closing.{field.closing}"),
    )


async def agree(ctx: Context, key: str, version: str, channel: str) -> None:
    """Record that the person agreed to the notice in this version, with time and channel; the same
    version again changes nothing. Raises privacy-version-outdated."""
    ctx.book.privacy.must_be_current(version, ctx.today())
    await ctx.stores.consents.agree(key, version, ctx.now(), channel)


async def agreed(ctx: Context, citizen: Citizen) -> Agreed:
    """What the citizen agreed to last."""
    session = await ctx.stores.sessions.get(citizen.key)
    current = ctx.book.privacy.notice(ctx.today()).version
    version = session.privacy[-1].version if session and session.privacy else None
    return Agreed(version, current, version != current)
