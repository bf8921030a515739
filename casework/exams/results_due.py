"""The office's sessions whose results are not all entered yet."""

from dataclasses import dataclass
from datetime import timedelta

from casework.context import Context
from casework.exams.result_sheet import PERMISSION
from casework.exams.showing import plan_view
from casework.exams.views import PlanView
from casework.officers import Officer
from rules.exams.plan import Plan

_DAYS = 60
"""How long after a test its results are still looked for."""
_PAGE, _PAGES, _SHOWN = 100, 20, 50
"""How much of the plans is looked at in one go, and how many are shown."""


@dataclass(frozen=True)
class ResultsDue:
    """Sessions that lack results, the oldest first and no more than a page; ``count`` of them all,
    or at least so many when not the ``whole`` time could be looked at."""

    plans: list[PlanView]
    count: int
    whole: bool


async def results_due(ctx: Context, officer: Officer) -> ResultsDue:
    """The sessions of the officer's office up to today in which more people hold a place than have
    a result; of a session called off there is none to enter. Raises role-not-allowed."""
    officer.must(PERMISSION)
    today, where = ctx.today(), {"office": officer.office.code}
    since, cursor, whole = today - timedelta(days=_DAYS), "", False
    found: list[Plan] = []
    for _ in range(_PAGES):
        rows = await ctx.stores.exam_plans.between(where, since, today, after=cursor, limit=_PAGE)
        found += [plan for _, plan in rows if lacking(plan)]
        if len(rows) < _PAGE:
            whole = True
            break
        cursor = rows[-1][0]
    shown = [await plan_view(ctx, plan) for plan in found[:_SHOWN]]
    return ResultsDue(shown, len(found), whole)


def lacking(plan: Plan | PlanView) -> int:
    """How many results of a session are still to be entered."""
    if plan.status == "cancelled":
        return 0
    return max(plan.booked - sum(plan.outcomes.values()), 0)
