"""What a student's sittings come to: bookings used up, subjects passed, the fifth failure.

Everything is derived from the record, so that a result put right changes all of it alike. Only what
lies within the present learner permit counts, but for 科目一, which comes before it (162令
第四十一条、第四十七条).
"""

from collections.abc import Callable, Mapping
from datetime import date

from rules.exams.plan import Subject
from rules.exams.record import FAILURES, Attempt, Record
from rules.parameters import Parameters

COUNTED = (Subject.FIELD, Subject.ROAD)
"""The subjects of which the bookings are numbered (第四十七条)."""

MostOn = Callable[[date], int]
"""How many bookings of a subject there are, by the figure that held on the day of a sitting."""


def most_on(parameters: Parameters) -> MostOn:
    """The bookings there are of each of the two subjects, by day."""
    return lambda day: int(parameters.at("exam.most_bookings", day).value)


def _within_permit(record: Record, attempt: Attempt) -> bool:
    """Whether a sitting counts for the present permit; before its day is known all do."""
    permit = record.permit
    if permit is None or attempt.subject is Subject.THEORY:
        return True
    return permit.issued_on <= attempt.day <= permit.until


def used(record: Record, subject: Subject, until: date) -> int:
    """Bookings of a subject used up within the permit, up to and with a day. One excused counts as
    nothing, one missed as any other."""
    return sum(1 for a in _counting(record, subject) if a.day <= until)


def _counting(record: Record, subject: Subject) -> list[Attempt]:
    return [
        a
        for a in record.attempts
        if a.subject is subject and a.outcome != "excused" and _within_permit(record, a)
    ]


def fifth_failure(record: Record, most: MostOn) -> Attempt | None:
    """The sitting by which the last booking there was of a subject was lost; of two, the later."""
    found: list[Attempt] = []
    for subject in COUNTED:
        for number, attempt in enumerate(_counting(record, subject), 1):
            if attempt.outcome in FAILURES and number == most(attempt.day):
                found.append(attempt)
    return max(found, key=lambda a: (a.day, a.id), default=None)


def passes(record: Record, most: MostOn) -> Mapping[Subject, date]:
    """The subjects passed, each with the first day that counts. What was passed up to the day of a
    fifth failure is void (第四十七条)."""
    void = fifth_failure(record, most)
    found: dict[Subject, date] = {}
    for attempt in record.attempts:
        if attempt.outcome != "passed" or (void is not None and attempt.day <= void.day):
            continue
        if _within_permit(record, attempt):
            found.setdefault(attempt.subject, attempt.day)
    return found
