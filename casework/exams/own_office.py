"""An officer works on his own office's sessions and students; what he is told of others."""

from casework.context import Context
from casework.exams.facts import plan_of
from casework.officers import Officer
from casework.offices import office_name
from rules.exams.plan import Plan
from rules.refusals import Refusal


async def own_plan(ctx: Context, officer: Officer, code: str, permission: str) -> Plan:
    """A session of the officer's own office. Raises role-not-allowed, plan-unknown,
    plan-of-other-office."""
    officer.must(permission)
    plan = await plan_of(ctx, code)
    if plan.office != officer.office.code:
        raise await of_other_office(ctx, plan.office)
    return plan


async def of_other_office(ctx: Context, office: str) -> Refusal:
    """What an officer is told of another office's session."""
    return Refusal("plan-of-other-office", office=await office_name(ctx, office))


async def tested_elsewhere(ctx: Context, office: str) -> Refusal:
    """What an officer is told of another office's student."""
    return Refusal("tested-elsewhere", office=await office_name(ctx, office))
