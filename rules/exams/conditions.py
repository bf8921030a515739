"""Who may book a test: conditions of ``exam-booking`` on the student's record and the plan.

The form is the session booked (``Plan.sitting``), so that a booking is decided again at its closing
as it was at its beginning.
"""

from collections.abc import Mapping
from typing import Any

from rules.facts import Facts
from rules.refusals import Refusal


def exam_class(facts: Facts, form: Mapping[str, str], args: Mapping[str, Any]) -> Refusal | None:
    """The session is of the class he enrolled for."""
    record = facts.record
    if record is None:
        return Refusal("not-a-student")
    if record.vehicle_class != form["vehicle_class"]:
        return Refusal(
            "exam-other-class", vehicle_class=form["vehicle_class"], own_class=record.vehicle_class
        )
    return None


def exam_office(facts: Facts, form: Mapping[str, str], args: Mapping[str, Any]) -> Refusal | None:
    """The session is in the plan of the office where he is tested (162令 第三十九条)."""
    record = facts.record
    if record is None:
        return Refusal("not-a-student")
    return Refusal("exam-other-office") if record.office != form["office"] else None
