"""The work list of an office: its matters by state, the longest waiting first."""

import re
from dataclasses import dataclass
from datetime import datetime

from casework import steps
from casework.access_log import record_look
from casework.context import Context
from casework.officers import Officer
from rules.masking import groups, shown
from rules.matter import State
from rules.refusals import Refusal
from storage.matter_documents import MatterRow

_PAGE = 30


_COUNT_TO = 999


_CURSOR = re.compile(r"[0-9-]{0,40}", re.ASCII)


LISTED = (State.SUBMITTED, State.CORRECTION, State.APPROVED, State.FINISHED, State.REFUSED)
"""The states a work list shows, in the order of its tabs; drafts are the citizen's own."""


@dataclass(frozen=True)
class WorkRow:
    """One line of a work list; the name of whom it is about is masked. ``detail``: a student's
    class and school; ``many`` when it may be approved together with others; ``by_agent`` when an
    agent applied."""

    number: str
    title: str
    state: str
    state_label: str
    submitted_at: datetime | None
    due: datetime | None
    overdue: bool
    urged: bool
    applicant: str
    detail: str
    version: int
    many: bool
    by_agent: bool


@dataclass(frozen=True)
class WorkList:
    """A page of an office's work list. ``next`` is the cursor of the following page."""

    state: str
    rows: list[WorkRow]
    counts: dict[str, int]
    next: str | None


async def page(
    ctx: Context, officer: Officer, *, state: str | None = None, after: str | None = None
) -> WorkList:
    """The matters of the officer's own office in one state, the longest waiting first.

    ``after`` is the cursor a previous page gave. Raises bad-request for a state not listed.
    """
    officer.must("review")
    wanted = next((s for s in LISTED if s == (state or State.SUBMITTED)), None)
    if wanted is None or not _CURSOR.fullmatch(after or ""):
        raise Refusal("bad-request")
    office = officer.office.code
    found = await ctx.stores.matters.worklist(office, wanted, _PAGE + 1, after or "")
    rows = [await _row(ctx, r) for r in found[:_PAGE]]
    await record_look(ctx, officer, "worklist", None, None, groups("desk.worklist"))
    more = len(found) > _PAGE
    return WorkList(
        state=wanted.value,
        rows=rows,
        counts={s.value: await ctx.stores.matters.count(office, s, _COUNT_TO) for s in LISTED},
        next=found[_PAGE - 1].queue if more else None,
    )


async def _row(ctx: Context, row: MatterRow) -> WorkRow:
    person = await ctx.stores.sessions.person(row.subject)
    service, name, detail = ctx.book.catalogue[row.service], person.name if person else "", ""
    enrolment = service.kind == "enrolment"
    if enrolment:
        matter = (await steps.load(ctx, row.number)).matter
        name = matter.form["name"]
        school = await ctx.office(matter.school)
        detail = f"{matter.form['vehicle_class']} {school.name if school else ''}".strip()
    return WorkRow(
        number=row.number,
        title=service.title,
        state=row.state.value,
        state_label=ctx.book.texts.say(f"states.{row.state.value}"),
        submitted_at=row.submitted_at,
        due=row.due,
        overdue=row.due is not None and row.due < ctx.now(),
        urged=row.urged,
        applicant=shown("desk.worklist", "name", name),
        detail=detail,
        version=row.version,
        many=enrolment and row.state is State.SUBMITTED,
        by_agent=row.mandate is not None,
    )


async def next_matter(ctx: Context, officer: Officer, done: str) -> str | None:
    """The number of the longest waiting matter of the office beside the one just done."""
    officer.must("review")
    rows = await ctx.stores.matters.worklist(officer.office.code, State.SUBMITTED, 2)
    return next((r.number for r in rows if r.number != done), None)
