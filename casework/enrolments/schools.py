"""Whose student a matter is, and who may act for a driving school."""

from casework import steps
from casework.access_log import record_look
from casework.context import Context
from casework.officers import Officer
from rules.enrolments import SERVICE
from rules.facts import Office
from rules.matter import Matter
from rules.refusals import Refusal
from storage.matter_documents import StoredMatter

SCHOOL = "driving_school"
VEHICLE_OFFICE = "vehicle_office"


async def supervisor_of(ctx: Context, clerk: Officer) -> Office:
    """The vehicle office that reviews the students of a clerk's school. Raises role-not-allowed
    for anybody but a clerk of a school that has one."""
    clerk.must("enrol")
    office = await ctx.office(clerk.office.supervisor)
    if clerk.office.kind != SCHOOL or office is None:
        raise Refusal("role-not-allowed")
    return office


async def own(ctx: Context, clerk: Officer, number: str) -> StoredMatter:
    """A student of the clerk's school; another school's is ``not-found``, and the look that was
    turned away is recorded."""
    clerk.must("enrol")
    stored = await steps.load(ctx, number)
    if stored.matter.service != SERVICE or stored.matter.school != clerk.office.code:
        await record_look(ctx, clerk, "turned-away", stored.matter.subject, number, [])
        raise Refusal("not-found")
    return stored


async def live(ctx: Context, key: str) -> Matter | None:
    """The enrolment a person has now, whoever entered it."""
    claim = await ctx.stores.enrolments.get(key)
    stored = await ctx.stores.matters.get(claim.matter) if claim else None
    return stored.matter if stored and stored.matter.applicant == key else None
