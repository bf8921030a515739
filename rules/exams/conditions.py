"""Who may book a test: conditions of ``exam-booking`` on the student's record and the plan.

The form is the session booked (``Plan.sitting``), so that a booking is decided again at its closing
as it was at its beginning. Each says why it does not hold, with the first day it will where there
is one, or None.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from rules.deadlines import say_date
from rules.exams import standing
from rules.exams.counting import passes
from rules.exams.needed import subjects_of
from rules.exams.plan import Subject
from rules.exams.record import Record
from rules.exams.waiting import (
    Waits,
    first_after_failing,
    first_after_permit,
    last_failure,
    wait_of,
)
from rules.facts import Facts
from rules.refusals import Refusal

Form = Mapping[str, str]
Args = Mapping[str, Any]


def exam_class(facts: Facts, form: Form, args: Args) -> Refusal | None:
    """The session is of the class he enrolled for."""
    record = facts.record
    if record is None:
        return Refusal("not-a-student")
    if record.vehicle_class != form["vehicle_class"]:
        return Refusal(
            "exam-other-class", vehicle_class=form["vehicle_class"], own_class=record.vehicle_class
        )
    return None


def exam_office(facts: Facts, form: Form, args: Args) -> Refusal | None:
    """The session is in the plan of the office where he is tested (162令 第三十九条)."""
    record = facts.record
    if record is None:
        return Refusal("not-a-student")
    return Refusal("exam-other-office") if record.office != form["office"] else None


def exam_needed(facts: Facts, form: Form, args: Args) -> Refusal | None:
    """The subject is one he has to pass (162令 第三十条)."""
    record, subject = _asked(facts, form)
    if record is None or subject in subjects_of(record, facts.licence):
        return None
    return Refusal("exam-not-needed", vehicle_class=record.vehicle_class)


def exam_passed(facts: Facts, form: Form, args: Args) -> Refusal | None:
    """The subject is not passed yet, or its pass is void."""
    record, subject = _asked(facts, form)
    on = passes(record, args["most"]).get(subject) if record else None
    return Refusal("exam-passed", passed_on=say_date(on)) if on else None


def exam_order(facts: Facts, form: Form, args: Args) -> Refusal | None:
    """科目一 first; then 科目二 and 科目三 freely; safe driving after both (162令 第三十九条)."""
    record, subject = _asked(facts, form)
    if record is None:
        return None
    done = frozenset(passes(record, args["most"]))
    return standing.out_of_order(subject, subjects_of(record, facts.licence), done)


def exam_permit(facts: Facts, form: Form, args: Args) -> Refusal | None:
    """He has a learner permit, valid on the day of the test; 科目一 needs none (162令 第四十条、
    第四十一条)."""
    record, subject = _asked(facts, form)
    if record is None:
        return None
    day = date.fromisoformat(form["day"])
    return standing.without_permit(record, subject) or standing.permit_ends_before(
        record, subject, day
    )


def exam_wait(facts: Facts, form: Form, args: Args) -> Refusal | None:
    """So many days after the learner permit, by class (162令 第四十三条、第四十四条)."""
    record, subject = _asked(facts, form)
    if record is None:
        return None
    waits = Waits(**args)
    first = first_after_permit(record, facts.licence, subject, waits)
    if first is None or facts.today >= first:
        return None
    days = wait_of(record, facts.licence, subject, waits)
    return Refusal(
        "exam-wait", vehicle_class=record.vehicle_class, days=days, first_day=say_date(first)
    )


def exam_retry(facts: Facts, form: Form, args: Args) -> Refusal | None:
    """So many days after failing 科目二 or 科目三, or not coming (162令 第四十六条、第四十七条)."""
    record, subject = _asked(facts, form)
    if record is None:
        return None
    failed, first = (
        last_failure(record, subject),
        first_after_failing(record, subject, args["days"]),
    )
    if failed is None or first is None or facts.today >= first:
        return None
    return Refusal(
        "exam-retry", failed_on=say_date(failed), days=args["days"], first_day=say_date(first)
    )


def exam_left(facts: Facts, form: Form, args: Args) -> Refusal | None:
    """At most so many bookings each of 科目二 and 科目三 (road) within the permit (162令
    第四十七条)."""
    record, subject = _asked(facts, form)
    if record is None:
        return None
    return standing.none_left(record, subject, facts.today, args["most"](facts.today))


def _asked(facts: Facts, form: Form) -> tuple[Record | None, Subject]:
    """Who is no student was refused by the conditions before."""
    return facts.record, Subject(form["subject"])
