"""The results of tests in sums, for everybody: by site, month, subject, class (162令 第五十二条).

Summed from the plans' own documents, so that they cannot say anything else than the plans.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from datetime import date, timedelta
from typing import Any

from casework.context import Context
from casework.exams.listing import MOST_DAYS
from casework.exams.showing import subject_label
from casework.exams.views import SummaryRow, SummaryTotal, SummaryView
from rules.exams.plan import Plan
from rules.refusals import Refusal

_PAGE = 500
_OUTCOMES = ("passed", "failed", "missed")

Group = tuple[str, str, str, str]
"""Month, site, subject, class."""


async def summary(
    ctx: Context,
    *,
    office: str = "",
    site: str = "",
    since: date | None = None,
    until: date | None = None,
) -> SummaryView:
    """The sums of an office or a site from one day to another, the last year when none is given;
    newest month first. Sessions that were cancelled are not in them. A process says the same for
    a minute.

    Raises plans-of-where when neither office nor site is named, days-too-many.
    """
    last = until or max(ctx.today(), since or ctx.today())
    first = since or last - timedelta(days=MOST_DAYS - 1)
    if not (office or site):
        raise Refusal("plans-of-where")
    if not 0 <= (last - first).days <= MOST_DAYS:
        raise Refusal("days-too-many", days=MOST_DAYS)
    asked = (office, site, first, last)
    known = ctx.recent.summaries.get(asked)
    if known is None:
        known = ctx.recent.summaries[asked] = await _summed(ctx, office, site, first, last)
    return known


async def _summed(ctx: Context, office: str, site: str, first: date, last: date) -> SummaryView:
    groups: dict[Group, Counter[str]] = {}
    names: dict[str, str] = {}
    where = {"site": site} if site else {"office": office}
    async for plan in _plans(ctx, where, first, last):
        if plan.status == "cancelled" or (office and plan.office != office):
            continue
        # The name a site has today is that of its latest session.
        names[plan.site] = plan.site_name
        group = (plan.day.isoformat()[:7], plan.site, plan.subject.value, plan.vehicle_class)
        groups.setdefault(group, Counter()).update(_counts(plan))
    whole = sum(groups.values(), Counter[str]())
    return SummaryView(
        since=first,
        until=last,
        total=SummaryTotal(**_figures(whole)),
        rows=[
            SummaryRow(
                month=month,
                site=at,
                site_name=names[at],
                subject=subject,
                subject_label=subject_label(ctx, subject),
                vehicle_class=vehicle_class,
                **_figures(counts),
            )
            for (month, at, subject, vehicle_class), counts in _newest(groups)
        ],
    )


def _newest(groups: Mapping[Group, Counter[str]]) -> list[tuple[Group, Counter[str]]]:
    by_site = sorted(groups.items(), key=lambda row: row[0][1:])
    return sorted(by_site, key=lambda row: row[0][0], reverse=True)


def _counts(plan: Plan) -> dict[str, int]:
    return {
        **{"sessions": 1, "capacity": plan.capacity, "booked": plan.booked},
        **{outcome: plan.outcomes.get(outcome, 0) for outcome in _OUTCOMES},
    }


def _figures(counts: Counter[str]) -> dict[str, Any]:
    """The counts, and of those tested how many in a hundred passed."""
    tested = counts["passed"] + counts["failed"]
    names = ("sessions", "capacity", "booked", *_OUTCOMES)
    rate = round(100 * counts["passed"] / tested, 1) if tested else None
    return {**{name: counts[name] for name in names}, "pass_rate": rate}


async def _plans(
    ctx: Context, where: Mapping[str, str], first: date, last: date
) -> AsyncIterator[Plan]:
    cursor = ""
    while True:
        rows = await ctx.stores.exam_plans.between(where, first, last, after=cursor, limit=_PAGE)
        for _, plan in rows:
            yield plan
        if len(rows) < _PAGE:
            return
        cursor, _ = rows[-1]
