"""Where a student stands: subjects to pass, passed, bookings left, first day to book again."""

from dataclasses import dataclass
from datetime import date

from rules.deadlines import say_date
from rules.exams.counting import COUNTED, fifth_failure, most_on, passes, used
from rules.exams.needed import before, subjects_of
from rules.exams.plan import Subject
from rules.exams.record import Attempt, Record
from rules.exams.waiting import first_after_failing, first_after_permit, waits_on
from rules.facts import Licence
from rules.parameters import Parameters
from rules.refusals import Refusal


def voiding(record: Record, parameters: Parameters) -> Attempt | None:
    """The last sitting that was a fifth failure, if there is one; what was passed up to its day is
    void (162令 第四十七条)."""
    return fifth_failure(record, most_on(parameters))


def passed(record: Record, parameters: Parameters) -> frozenset[Subject]:
    """The subjects whose pass counts."""
    return frozenset(passes(record, most_on(parameters)))


def all_passed(record: Record, licence: Licence | None, parameters: Parameters) -> bool:
    """Whether nothing is left to be tested. ``licence``: the one a class is added to."""
    return passed(record, parameters).issuperset(subjects_of(record, licence))


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
    """Where the student stands in each subject he has to pass, in their order, by the figures of
    ``today``. Once his permit is over with something left to be passed, nothing is passed
    (162令 第四十一条)."""
    needed, most = subjects_of(record, licence), most_on(parameters)
    done = dict(passes(record, most))
    if permit_over(record, today) and not done.keys() >= set(needed):
        done.clear()
    found: list[Standing] = []
    for subject in needed:
        count = used(record, subject, today)
        left = max(most(today) - count, 0) if subject in COUNTED else None
        first, why = None, None
        if subject not in done:
            why = _missing(record, subject, needed, frozenset(done), today, most(today))
            if why is None:
                first = _first_day(record, licence, subject, parameters, today)
                why = permit_ends_before(record, subject, first)
        found.append(Standing(subject, done.get(subject), count, left, None if why else first, why))
    return tuple(found)


def _missing(
    record: Record,
    subject: Subject,
    needed: tuple[Subject, ...],
    done: frozenset[Subject],
    today: date,
    most: int,
) -> Refusal | None:
    return (
        permit_ends_before(record, subject, today)
        or none_left(record, subject, today, most)
        or out_of_order(subject, needed, done)
        or without_permit(record, subject)
    )


def _first_day(
    record: Record,
    licence: Licence | None,
    subject: Subject,
    parameters: Parameters,
    today: date,
) -> date:
    days = int(parameters.at("exam.retry_days", today).value)
    after_permit = first_after_permit(record, licence, subject, waits_on(parameters, today))
    after_failing = first_after_failing(record, subject, days)
    return max(today, after_permit or today, after_failing or today)


def permit_over(record: Record, day: date) -> bool:
    """Whether the permit has ended before a day."""
    return record.permit is not None and record.permit.until < day


def out_of_order(
    subject: Subject, needed: tuple[Subject, ...], done: frozenset[Subject]
) -> Refusal | None:
    """Something has to be passed before (第三十九条)."""
    missing = [s for s in before(subject, needed) if s not in done]
    if not missing:
        return None
    return Refusal("exam-theory-first" if Subject.THEORY in missing else "exam-skills-first")


def without_permit(record: Record, subject: Subject) -> Refusal | None:
    """All but 科目一 need the learner permit (第四十条、第四十一条)."""
    if subject is Subject.THEORY or record.permit is not None:
        return None
    return Refusal("exam-no-permit")


def permit_ends_before(record: Record, subject: Subject, day: date) -> Refusal | None:
    """The permit must be valid on the day of the test (第四十一条); its last day counts."""
    permit = record.permit
    if subject is Subject.THEORY or permit is None or day <= permit.until:
        return None
    return Refusal("exam-permit-ends", last_day=say_date(permit.until))


def none_left(record: Record, subject: Subject, today: date, most: int) -> Refusal | None:
    """Every booking there is of a subject within the permit is used up (第四十七条)."""
    if subject not in COUNTED or used(record, subject, today) < most:
        return None
    return Refusal("exam-none-left", most=most)
