"""Reviewing many students at once: each is decided by itself, on the version the officer saw."""

from collections.abc import Sequence
from dataclasses import replace

from casework import desk, steps
from casework.access_log import record_look
from casework.context import Context
from casework.facts import facts_about
from casework.officers import Officer
from rules.calendar import HOUSE_ZONE
from rules.conditions import unmet
from rules.enrolments import SERVICE
from rules.matter import Matter
from rules.refusals import Refusal

MOST = 100


async def approve_many(
    ctx: Context, officer: Officer, chosen: Sequence[tuple[str, int]], cause: str
) -> list[tuple[str, Refusal | None]]:
    """Approve students by (number, version); what became of each, in the order given.

    One that fails keeps no other from being approved. A student whose conditions do not hold any
    more is not approved this way: the officer opens him and decides. Raises role-not-allowed,
    bad-request for more than a hundred.
    """
    officer.must("review")
    if len(chosen) > MOST:
        raise Refusal("bad-request")
    return [(number, await _one(ctx, officer, number, seen, cause)) for number, seen in chosen]


async def _one(
    ctx: Context, officer: Officer, number: str, seen: int, cause: str
) -> Refusal | None:
    try:
        matter = (await steps.load(ctx, number)).matter
        if matter.service != SERVICE:
            raise Refusal("not-found")
        # Another office's is turned away below, without a word about him.
        if matter.office == officer.office.code:
            await _must_hold(ctx, officer, matter)
        await desk.decide(ctx, officer, number, seen, "approve", (), "", f"{cause}:{number}")
    except Refusal as refusal:
        return refusal
    return None


async def _must_hold(ctx: Context, officer: Officer, matter: Matter) -> None:
    """Raise the first condition that does not hold as of the day of submission."""
    fields = ["conditions"]
    await record_look(ctx, officer, "approve-many", matter.subject, matter.number, fields)
    facts = await facts_about(ctx, matter.subject, matter.form["id_number"])
    day = (matter.submitted_at or ctx.now()).astimezone(HOUSE_ZONE).date()
    service = ctx.book.catalogue[SERVICE]
    found = unmet(service, replace(facts, today=day), matter.form, ctx.book.parameters)
    if found:
        raise found[0]
