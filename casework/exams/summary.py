"""The results of tests in sums, for everybody: by site, month, subject, class (162令 第五十二条).

Summed from the plans' own documents, so that they cannot say anything else than the plans.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from casework.context import Context
from casework.exams.listing import MOST_DAYS
from casework.exams.showing import subject_label
from casework.exams.views import SummaryRow, SummaryTotal, SummaryView
from rules.refusals import Refusal
from storage.exams import Sums

_COUNTED = ("sessions", "capacity", "booked", "passed", "failed", "missed")


async def summary(
    ctx: Context,
    *,
    office: str = "",
    site: str = "",
    since: date | None = None,
    until: date | None = None,
) -> SummaryView:
    """The sums of an office, or of the site where one is named, from one day to another, the last
    year when none is given; newest month first. Sessions that were cancelled are not in them. A
    process says the same for a minute.

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
        # Whoever asks for a year in ever other days holds up his like, not those who book.
        async with ctx.recent.summing:
            known = ctx.recent.summaries.get(asked)
            if known is None:
                known = ctx.recent.summaries[asked] = await _summed(ctx, office, site, first, last)
    return known


async def _summed(ctx: Context, office: str, site: str, first: date, last: date) -> SummaryView:
    where = {"site": site} if site else {"office": office}
    found = await ctx.stores.exam_plans.sums(where, first, last)
    by_site = sorted(found, key=lambda row: (row.site, row.subject, row.vehicle_class))
    return SummaryView(
        since=first,
        until=last,
        total=SummaryTotal(**_figures(found)),
        rows=[
            SummaryRow(
                month=row.month,
                site=row.site,
                site_name=row.site_name,
                subject=row.subject,
                subject_label=subject_label(ctx, row.subject),
                vehicle_class=row.vehicle_class,
                **_figures([row]),
            )
            for row in sorted(by_site, key=lambda row: row.month, reverse=True)
        ],
    )


def _figures(rows: Sequence[Sums]) -> dict[str, Any]:
    """The counts, and of those tested how many in a hundred passed."""
    counts = {name: sum(getattr(row, name) for row in rows) for name in _COUNTED}
    tested = counts["passed"] + counts["failed"]
    return {**counts, "pass_rate": round(100 * counts["passed"] / tested, 1) if tested else None}
