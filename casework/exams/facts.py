"""What a rule of the tests needs to know: the student's record and the plan, as they are now."""

from casework.context import Context
from casework.exam_effects import claimed_booking
from rules.exams.plan import Plan, Subject
from rules.exams.record import Record, record_of
from rules.facts import Facts
from rules.flow import ENDED
from rules.people import Tier
from rules.refusals import Refusal


async def plan_of(ctx: Context, code: str) -> Plan:
    """A plan by its code. Raises plan-unknown."""
    plan = await ctx.stores.exam_plans.get(code)
    if plan is None:
        raise Refusal("plan-unknown")
    return plan


async def record_for(ctx: Context, key: str) -> Record | None:
    """The record of somebody who is a driving student; None for who is none."""
    claim = await ctx.stores.enrolments.get(key)
    stored = await ctx.stores.matters.get(claim.matter) if claim else None
    if stored is None or stored.matter.subject != key:
        return None
    return record_of(stored.matter)


async def live_bookings(ctx: Context, key: str) -> list[str]:
    """The numbers of a student's bookings and places in line that are not over, found by his claims
    and so however many he had since."""
    found = [await claimed_booking(ctx, key, subject) for subject in Subject]
    return [booking.number for booking in found if booking and booking.state not in ENDED]


async def booking_facts(
    ctx: Context, key: str, plan: Plan, tiers: frozenset[Tier] | None = None
) -> Facts:
    """The facts about a student and a plan. ``tiers``: where they were just read."""
    if tiers is None:
        session = await ctx.stores.sessions.get(key)
        tiers = session.tiers_on(ctx.today()) if session else frozenset()
    record = await record_for(ctx, key)
    adding = record is not None and record.adding
    return Facts(
        today=ctx.today(),
        tiers=tiers,
        licence=await ctx.stores.registry.licence(key) if adding else None,
        region=plan.region,
        record=record,
        plan=plan,
    )
