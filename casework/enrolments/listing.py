"""A school's students by state, each masked, with the reasons of what came back."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from casework import steps
from casework.access_log import record_look
from casework.context import Context
from casework.desk import marked_photo
from casework.enrolments import schools
from casework.officers import Officer
from casework.presenting import event_note, matter_view
from casework.views import DefectView, MatterView, PhotoFile
from rules.enrolments import SERVICE
from rules.flow import allowed
from rules.masking import groups, shown
from rules.matter import Matter, State
from rules.refusals import Refusal

_PAGE = 30
_COUNT_TO = 9999
_CURSOR = re.compile(r"[0-9-]{0,40}", re.ASCII)
STUDENT_STATES = (
    State.CORRECTION,
    State.SUBMITTED,
    State.APPROVED,
    State.REFUSED,
    State.FINISHED,
    State.WITHDRAWN,
)
"""The states a school's list shows, in the order of its tabs: what it must do comes first."""


@dataclass(frozen=True)
class StudentRow:
    """One student in a school's list; ``reason`` is what the officer found wrong, or why it was
    refused; ``active`` once he has logged in."""

    number: str
    name: str
    id_number: str
    vehicle_class: str
    state: State
    state_label: str
    reason: str
    active: bool
    version: int
    updated_at: datetime


@dataclass(frozen=True)
class StudentList:
    """A page of a school's students. ``next`` is the cursor of the following page."""

    state: State
    rows: list[StudentRow]
    counts: dict[str, int]
    next: str | None


@dataclass(frozen=True)
class StudentView:
    """One student for his school: everything it entered, what is to be put right and what it may
    do now. ``actions`` are those of ``rules.flow``: amend, leave."""

    view: MatterView
    values: dict[str, str]
    defects: list[DefectView]
    reason: str
    actions: list[str]
    version: int


async def students(
    ctx: Context, clerk: Officer, state: str | None, after: str | None
) -> StudentList:
    """The students of the clerk's own school in one state, the longest waiting first.

    What came back from review is shown when no state is named. Raises bad-request for a state not
    listed, role-not-allowed.
    """
    await schools.supervisor_of(ctx, clerk)
    wanted = next((s for s in STUDENT_STATES if s == (state or State.CORRECTION)), None)
    if wanted is None or not _CURSOR.fullmatch(after or ""):
        raise Refusal("bad-request")
    school, matters = clerk.office.code, ctx.stores.matters
    await record_look(ctx, clerk, "students", None, None, groups("school.students"))
    found = await matters.of_school(school, wanted, _PAGE + 1, after or "")
    more = len(found) > _PAGE
    return StudentList(
        state=wanted,
        rows=[await _row(ctx, row.number) for row in found[:_PAGE]],
        counts={
            s.value: await matters.count_of_school(school, s, _COUNT_TO) for s in STUDENT_STATES
        },
        next=found[_PAGE - 1].queue if more else None,
    )


async def _row(ctx: Context, number: str) -> StudentRow:
    matter = (await steps.load(ctx, number)).matter
    return StudentRow(
        number=number,
        name=shown("school.students", "name", matter.form["name"]),
        id_number=shown("school.students", "id_number", matter.form["id_number"]),
        vehicle_class=matter.form["vehicle_class"],
        state=matter.state,
        state_label=ctx.book.texts.say(f"states.{matter.state.value}"),
        reason=_reason(ctx, matter),
        active=matter.last("activated") is not None,
        version=matter.version,
        updated_at=matter.timeline[-1].at.astimezone(UTC),
    )


def _reason(ctx: Context, matter: Matter) -> str:
    service = ctx.book.catalogue[SERVICE]
    told = {State.CORRECTION: "sent_back", State.REFUSED: "refused"}.get(matter.state)
    event = matter.last(told) if told else None
    return event_note(service, event) if event else ""


async def student(ctx: Context, clerk: Officer, number: str) -> StudentView:
    """One student of the clerk's own school, in clear: it entered him. Raises not-found."""
    stored = await schools.own(ctx, clerk, number)
    matter = stored.matter
    seen = groups("school.student")
    await record_look(ctx, clerk, "open-student", matter.subject, number, seen)
    view, service = await matter_view(ctx, matter), ctx.book.catalogue[SERVICE]
    return StudentView(
        view=view,
        values=dict(matter.form),
        defects=view.defects,
        reason=_reason(ctx, matter),
        # Going over is asked for by the other school.
        actions=[a for a in allowed(service, matter, "school") if a != "transfer"],
        version=matter.version,
    )


async def student_photo(ctx: Context, clerk: Officer, number: str, photo_id: str) -> PhotoFile:
    """A picture the school gave, marked with who looked and when. Raises not-found."""
    stored = await schools.own(ctx, clerk, number)
    if all(p.id != photo_id for p in stored.matter.photos):
        raise Refusal("not-found")
    fields = [f"photo:{photo_id}"]
    await record_look(ctx, clerk, "open-photo", stored.matter.subject, number, fields)
    return await marked_photo(ctx, clerk, photo_id)
