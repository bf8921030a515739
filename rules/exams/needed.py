"""Which subjects a student has to pass, and in which order (162令 第三十条、第三十九条)."""

from rules.exams.plan import Subject
from rules.exams.record import Record
from rules.facts import Licence
from rules.student_conditions import ENDED_LICENCES
from rules.vehicle_classes import classes_of

_WITHOUT_THEORY = (Subject.FIELD, Subject.ROAD, Subject.SAFETY)

_FEWER: tuple[tuple[str, frozenset[str], tuple[Subject, ...]], ...] = (
    ("C1", frozenset({"C2"}), _WITHOUT_THEORY),
    (
        "C6",
        frozenset({"A1", "A3", "B1", "B2", "C1", "C2"}),
        (Subject.FIELD, Subject.SAFETY),
    ),
    ("D", frozenset({"E", "F"}), _WITHOUT_THEORY),
    ("E", frozenset({"F"}), _WITHOUT_THEORY),
)
"""Class added, classes of which one is held, what is left to be tested (第三十条第二至四款). 科目三
are both its parts, but for C6."""

CAR_CLASSES = frozenset(
    {"A1", "A2", "A3", "B1", "B2", "C1", "C2", "C3", "C4", "C5", "C6", "M", "N", "P"}
)
"""汽车类驾驶证 (162令 第一百零九条第四项)."""


def held_classes(licence: Licence | None) -> frozenset[str]:
    """The classes on a licence that has not ended."""
    if licence is None or licence.status in ENDED_LICENCES:
        return frozenset()
    return classes_of(licence.vehicle_class)


def subjects_of(record: Record, licence: Licence | None) -> tuple[Subject, ...]:
    """The subjects a student has to pass, in their order: all four, or fewer where a class is added
    to one that comes near it. Changing to C5 (第五款) is no enrolment of this platform."""
    held = held_classes(licence) if record.adding else frozenset()
    for added, near, subjects in _FEWER:
        if record.vehicle_class == added and held & near:
            return subjects
    return tuple(Subject)


def before(subject: Subject, needed: tuple[Subject, ...]) -> tuple[Subject, ...]:
    """What must be passed before a subject may be booked: 科目一 before all others, 科目二 and
    科目三 in any order, both before the questions on safe driving (第三十九条)."""
    if subject is Subject.THEORY:
        return ()
    if subject is Subject.SAFETY:
        return tuple(s for s in needed if s is not Subject.SAFETY)
    return tuple(s for s in needed if s is Subject.THEORY)
