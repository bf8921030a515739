"""A student's record of tests: his permit and every sitting, read from his enrolment's timeline.

Nothing else keeps it. A corrected result takes the place of the wrong one, whose event stays; so
what a fifth failure voids is void only as long as it is one.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from rules.exams.plan import Subject
from rules.matter import Matter

Outcome = Literal["passed", "failed", "missed", "excused"]
"""``missed``: 弃考, not there and not cancelled in time. ``excused``: not there after the office
changed the plan and he had not accepted the change; it counts as nothing."""

FAILURES: frozenset[Outcome] = frozenset({"failed", "missed"})
"""Who did not come has failed (162令 第四十六条)."""


@dataclass(frozen=True)
class Permit:
    """The learner permit (学习驾驶证明); ``until`` is its last day."""

    number: str
    issued_on: date
    until: date


@dataclass(frozen=True)
class Attempt:
    """One sitting: a test and, if the first try failed, one more at once. ``id`` is the booking's
    number, or made of subject and day where there was none here; ``retried`` when he took it."""

    id: str
    subject: Subject
    day: date
    outcome: Outcome
    retried: bool = False


@dataclass(frozen=True)
class Record:
    """What a student has behind him. ``attempts`` by day, each as it counts today; ``office`` is
    where he is tested; ``enrolment`` the number of the matter it was read from."""

    enrolment: str
    office: str
    vehicle_class: str
    adding: bool
    permit: Permit | None
    attempts: tuple[Attempt, ...]


def record_of(enrolment: Matter) -> Record:
    """The record in an enrolment's timeline."""
    permit: Permit | None = None
    attempts: dict[str, Attempt] = {}
    for event in enrolment.timeline:
        data = event.data
        if event.type == "permit_issued":
            permit = Permit(
                data["permit"],
                date.fromisoformat(data["issued_on"]),
                date.fromisoformat(data["until"]),
            )
        elif event.type in ("attempt_recorded", "attempt_corrected"):
            attempts[data["attempt"]] = Attempt(
                id=data["attempt"],
                subject=Subject(data["subject"]),
                day=date.fromisoformat(data["day"]),
                outcome=data["outcome"],
                retried=data["retried"],
            )
    return Record(
        enrolment=enrolment.number,
        office=enrolment.office or "",
        vehicle_class=enrolment.form["vehicle_class"],
        adding=enrolment.form["application"] == "added",
        permit=permit,
        attempts=tuple(sorted(attempts.values(), key=lambda a: (a.day, a.id))),
    )
