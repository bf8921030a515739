"""The fields of a matter's document: what is clear for indexes, what one write adds, a row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rules.effects import Effect
from rules.exams.plan import SERVICE as BOOKING
from rules.matter import Matter, State
from rules.notices import Notice
from storage.indexes import EPOCH


@dataclass(frozen=True)
class StoredMatter:
    """A matter with what is owed because of it. ``effects`` are those not yet applied."""

    matter: Matter
    notices: Mapping[str, Notice]
    notice_rev: int
    effects: tuple[Effect, ...]


@dataclass(frozen=True)
class MatterRow:
    """A line of a list: clear fields only, nothing opened. ``queue`` is its place among those that
    wait."""

    number: str
    service: str
    state: State
    applicant: str
    subject: str
    mandate: str | None
    created_at: datetime
    submitted_at: datetime | None
    due: datetime | None
    updated_at: datetime
    urged: bool
    queue: str
    version: int


@dataclass(frozen=True)
class Stamp:
    """Whose a matter is, and the counters that every change of it moves."""

    applicant: str
    subject: str
    mandate: str | None
    version: int
    notice_rev: int


@dataclass(frozen=True)
class Owed:
    """What one write adds beside its event."""

    notices: Sequence[Notice] = ()
    effects: Sequence[Effect] = ()
    export_due: bool = False
    remind_at: datetime | None = None


def place_of(number: str) -> str:
    """Where what a matter holds is sealed for."""
    return f"matters/{number}"


STAMP = {"applicant": 1, "subject": 1, "mandate": 1, "version": 1, "notice_rev": 1}

ROW = {
    "service": 1,
    "state": 1,
    "applicant": 1,
    "subject": 1,
    "mandate": 1,
    "created_at": 1,
    "submitted_at": 1,
    "due": 1,
    "updated_at": 1,
    "urged": 1,
    "queue": 1,
    "version": 1,
}


def row_of(document: Mapping[str, Any]) -> MatterRow:
    """A list's line, from the fields of ``ROW``."""
    return MatterRow(
        number=document["_id"],
        service=document["service"],
        state=State(document["state"]),
        applicant=document["applicant"],
        subject=document["subject"],
        mandate=document.get("mandate"),
        created_at=document["created_at"],
        submitted_at=document.get("submitted_at"),
        due=document.get("due"),
        updated_at=document["updated_at"],
        urged=document.get("urged", False),
        queue=document["queue"],
        version=document["version"],
    )


def clear_fields(matter: Matter) -> dict[str, Any]:
    """The fields kept in clear, for indexes."""
    return {
        "state": matter.state.value,
        # Bookings are worked on by their plan: no office lists them, by thousands, as its work.
        **({} if matter.service == BOOKING else {"office": matter.office}),
        **({"school": matter.school} if matter.school else {}),
        "version": matter.version,
        "submitted_at": matter.submitted_at,
        "due": matter.due,
        "updated_at": matter.timeline[-1].at,
        "urged": _urged(matter),
        # No two matters have one place, so that no page's edge falls between equals.
        "queue": f"{(matter.since - EPOCH) // timedelta(milliseconds=1):015d}-{matter.number}",
    }


def _urged(matter: Matter) -> bool:
    """Whether urging was the last that anybody did; that an agent parted answers no urging."""
    done = (e.type for e in reversed(matter.timeline) if e.type != "agent_parted")
    return next(done) == "urged"


def dues_of(owed: Owed, now: datetime) -> dict[str, Any]:
    """The indexed times by which what one write adds is looked for."""
    dues: dict[str, Any] = {}
    if owed.notices:
        dues["notice_due"] = min(n.due for n in owed.notices if n.due is not None)
    if owed.effects:
        dues["effect_due"] = now
    if owed.export_due:
        dues["export_due"] = now
    if owed.remind_at is not None:
        dues["remind_due"] = owed.remind_at
    return dues
