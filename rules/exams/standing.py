"""Where a student stands: subjects to pass, passed, bookings left, first day to book again."""

from dataclasses import dataclass
from datetime import date

from rules.exams.plan import Subject
from rules.exams.record import Attempt, Record
from rules.facts import Licence
from rules.parameters import Parameters
from rules.refusals import Refusal

_COUNTED = (Subject.FIELD, Subject.ROAD)


def voiding(record: Record, parameters: Parameters) -> Attempt | None:
    """The last sitting that was a fifth failure, if there is one; what was passed up to its day is
    void (162令 第四十七条)."""
    found: Attempt | None = None
    for attempt in record.attempts:
        if attempt.subject in _COUNTED and attempt.outcome in ("failed", "missed"):
            most = int(parameters.at("exam.most_bookings", attempt.day).value)
            if used(record, attempt.subject, attempt.day) == most:
                found = attempt
    return found


def used(record: Record, subject: Subject, until: date) -> int:
    """Bookings of a subject used up within the permit, up to and with a day."""
    since = record.permit.issued_on if record.permit else date.min
    return sum(
        1
        for a in record.attempts
        if a.subject is subject and since <= a.day <= until and a.outcome != "excused"
    )


def passed(record: Record, parameters: Parameters) -> frozenset[Subject]:
    """The subjects whose pass counts today."""
    void = voiding(record, parameters)
    after = void.day if void else date.min
    return frozenset(
        a.subject for a in record.attempts if a.outcome == "passed" and (not void or a.day > after)
    )


def all_passed(record: Record, licence: Licence | None, parameters: Parameters) -> bool:
    """Whether nothing is left to be tested."""
    return frozenset(Subject) <= passed(record, parameters)


@dataclass(frozen=True)
class Standing:
    """One subject of a student's: passed on which day, bookings used and left (None where the law
    sets no limit), the first day he may book, and why not when it is not a matter of days."""

    subject: Subject
    passed_on: date | None
    used: int
    left: int | None
    bookable_from: date | None
    why: Refusal | None


def stand(
    record: Record, licence: Licence | None, parameters: Parameters, today: date
) -> tuple[Standing, ...]:
    """Where the student stands in each subject he has to pass, in their order."""
    counts = passed(record, parameters)
    return tuple(
        Standing(subject, None, used(record, subject, today), None, None, None)
        for subject in Subject
        if subject or counts
    )
