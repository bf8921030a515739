"""A licence was issued: the registry holds it, and the student who learnt for it (REQ A6)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from casework import steps
from casework.context import Context
from casework.enrolments import schools
from rules.facts import Licence
from rules.matter import State
from rules.people import Actor
from rules.vehicle_classes import classes_of

_EXCHANGE = Actor("exchange", "file")
_ISSUED_AS = "正常"


async def licence_issued(ctx: Context, row: Mapping[str, Any]) -> None:
    """Take in one row of ``licence-issues``; a row read before changes nothing.

    Who is no student gets only the row in the registry. Raises licence-of-another-class when the
    student enrolled for a class that is not on the licence, licence-before-learning when it is a
    former first licence: the registry has it all the same.
    """
    key = ctx.stores.vault.id_key(row["id_number"])
    there = await ctx.stores.registry.licence(key)
    if there is None or not _covers(there, row["valid_from"], row["vehicle_class"]):
        await ctx.stores.registry.upsert_licences([await _whole(ctx, key, there, row)])
    matter = await schools.live(ctx, key)
    if matter is None or matter.state is not State.APPROVED:
        return
    given = {
        "vehicle_class": row["vehicle_class"],
        "licence": row["number"],
        "licence_office": row["issuing_office"],
        "issued_on": row["issued_on"].isoformat(),
    }
    cause = f"licence-issued:{matter.number}"
    await steps.take(ctx, matter.number, "licence_issued", _EXCHANGE, cause, given)


def _covers(there: Licence, valid_from: date, vehicle_class: str) -> bool:
    """Whether the registry knows this issue already, or a later one: an old file read again takes
    nothing back."""
    same_classes = classes_of(vehicle_class) <= classes_of(there.vehicle_class)
    return there.valid_from > valid_from or (there.valid_from == valid_from and same_classes)


async def _whole(
    ctx: Context, key: str, there: Licence | None, row: Mapping[str, Any]
) -> dict[str, Any]:
    """The registry's row: points and the phone on file stay where the issue does not name them."""
    on_file = await ctx.stores.registry.phone_on_file(key) if there else None
    return {
        **row,
        "phone": row["phone"] or (on_file.phone if on_file else None),
        "status": _ISSUED_AS,
        "points": there.points if there else 0,
    }
