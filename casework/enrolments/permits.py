"""A learner permit was issued: the student's time for learning is known (162令 第四十一条)."""

from collections.abc import Mapping
from typing import Any

from casework import steps
from casework.context import Context
from casework.enrolments import schools
from rules.enrolments import SERVICE, mismatched
from rules.matter import Matter
from rules.people import Actor
from rules.refusals import Refusal

_EXCHANGE = Actor("exchange", "file")
_ROWS = 200

COLUMNS = {
    "student-mismatch": "name",
    "permit-of-another-class": "vehicle_class",
    "permit-not-yet": "issued_on",
    "permit-known": "issued_on",
    "permit-too-long": "valid_until",
    "day-too-early": "valid_until",
}
"""The column a refusal of a row is about, where it is not the person."""


async def permit_issued(ctx: Context, row: Mapping[str, Any]) -> None:
    """Take in one row of ``learner-permits``; a row read before changes nothing, however its
    student has fared since.

    Raises student-unknown, student-mismatch, permit-of-another-class, permit-not-yet,
    permit-too-long, day-too-early, permit-known, step-not-possible.
    """
    issued_on, until = row["issued_on"].isoformat(), row["valid_until"].isoformat()
    cause = f"permit:{row['number']}:{issued_on}:{until}"
    matter = await enrolment_for(ctx, ctx.stores.vault.id_key(row["id_number"]), cause)
    if matter.event_of(cause) is not None:
        return
    if row.get("name") and mismatched((matter.form["name"],), row["name"]):
        raise Refusal("student-mismatch")
    given = {
        "permit": row["number"],
        "vehicle_class": row["vehicle_class"],
        "issued_on": issued_on,
        "until": until,
    }
    await steps.take(ctx, matter.number, "issue_permit", _EXCHANGE, cause, given)


async def enrolment_for(ctx: Context, key: str, cause: str) -> Matter:
    """The enrolment a person has now; without one, the ended one that knows this cause already.

    Raises student-unknown.
    """
    live = await schools.live(ctx, key)
    if live is not None and live.event_of(cause) is not None:
        return live
    for row in await ctx.stores.matters.of_applicant(key, _ROWS):
        if row.service == SERVICE and (live is None or row.number != live.number):
            ended = (await steps.load(ctx, row.number)).matter
            if ended.event_of(cause) is not None:
                return ended
    if live is None:
        raise Refusal("student-unknown")
    return live
