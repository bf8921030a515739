"""The days a student waits: after the learner permit, and after failing.

Days are calendar days: 第一百一十条 makes working days of one, three and five only. "满十日后" and
"十日后" are read alike: ten days after the 1st is the 11th, and who books on the 11th books in time
(docs/decisions/0017). The figures of the day he books on hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from rules.exams.needed import CAR_CLASSES, held_classes
from rules.exams.plan import Subject
from rules.exams.record import FAILURES, Record
from rules.facts import Licence
from rules.parameters import Parameters

_FIELD: Mapping[str, str] = {
    **dict.fromkeys(("C1", "C2", "C3", "C4", "C5", "M", "N", "P"), "field_short"),
    **dict.fromkeys(("A1", "A2", "A3", "B1", "B2", "C6"), "field_long"),
}
"""Class -> how long before 科目二 (第四十三条); none for motorcycles, which it does not name."""

_ROAD: Mapping[str, str] = {
    **dict.fromkeys(("C2", "C3", "C4", "C5"), "road_light"),
    **dict.fromkeys(("C1", "M", "N", "P"), "road_car"),
    **dict.fromkeys(("A1", "A2", "A3", "B1", "B2"), "road_large"),
}
"""Class -> how long before 科目三 (第四十四条); none for motorcycles and C6."""

RESTING = frozenset({Subject.FIELD, Subject.ROAD, Subject.SAFETY})
"""科目二 and 科目三, whose second part the safe-driving questions are (第三十条)."""


@dataclass(frozen=True)
class Waits:
    """Days after the permit, by group of classes. ``road_added`` is for who adds one of the large
    classes to a licence for cars (第四十四条第三项)."""

    field_short: int
    field_long: int
    road_light: int
    road_car: int
    road_large: int
    road_added: int


def waits_on(parameters: Parameters, day: date) -> Waits:
    """The waiting days by the figures of a day."""
    return Waits(
        field_short=parameters.at("exam.field_days.short", day).value,
        field_long=parameters.at("exam.field_days.long", day).value,
        road_light=parameters.at("exam.road_days.light", day).value,
        road_car=parameters.at("exam.road_days.car", day).value,
        road_large=parameters.at("exam.road_days.large", day).value,
        road_added=parameters.at("exam.road_days.added", day).value,
    )


def wait_of(record: Record, licence: Licence | None, subject: Subject, waits: Waits) -> int:
    """The days between the learner permit and the first day a subject may be booked."""
    if subject is Subject.THEORY:
        return 0
    code = record.vehicle_class
    group = (_FIELD if subject is Subject.FIELD else _ROAD).get(code)
    if group == "road_large" and record.adding and held_classes(licence) & CAR_CLASSES:
        group = "road_added"
    return int(getattr(waits, group)) if group else 0


def first_after_permit(
    record: Record, licence: Licence | None, subject: Subject, waits: Waits
) -> date | None:
    """The first day a subject may be booked after the learner permit; None without a permit."""
    if record.permit is None:
        return None
    return record.permit.issued_on + timedelta(days=wait_of(record, licence, subject, waits))


def last_failure(record: Record, subject: Subject) -> date | None:
    """The day he last failed a subject for which one waits, or did not come to it (第四十六条)."""
    if subject not in RESTING:
        return None
    days = [a.day for a in record.attempts if a.subject is subject and a.outcome in FAILURES]
    return max(days, default=None)


def first_after_failing(record: Record, subject: Subject, days: int) -> date | None:
    """The first day a subject failed may be booked again (第四十七条); None where none was."""
    failed = last_failure(record, subject)
    return None if failed is None else failed + timedelta(days=days)
