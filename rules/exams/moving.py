"""Being tested elsewhere (变更考试地): a student who passed something moves at most so often."""

from datetime import date

from rules.calendar import HOUSE_ZONE
from rules.exams.counting import most_on, passes
from rules.exams.record import record_of
from rules.matter import Matter
from rules.parameters import Parameters
from rules.refusals import Refusal

_MOVABLE = frozenset({"C1", "C2", "C3", "C4", "C5", "C6"})
"""The classes whose students may be tested elsewhere once something is passed (162令 第三十九条
第三款)."""


def moves(enrolment: Matter, since: date) -> int:
    """How often a student went over to another testing office, from a day on."""
    office, found = enrolment.timeline[0].data["office"], 0
    for event in enrolment.timeline:
        if event.type != "transferred" or event.data["office"] == office:
            continue
        office = event.data["office"]
        found += event.at.astimezone(HOUSE_ZONE).date() >= since
    return found


def move_refused(
    enrolment: Matter, office: str, parameters: Parameters, today: date
) -> Refusal | None:
    """Why a student may not go over to the school of another testing office; None when he may, or
    stays with his. Before anything is passed he is as free as when he enrolled."""
    done = passes(record_of(enrolment), most_on(parameters))
    if office == enrolment.office or not done:
        return None
    code = enrolment.form["vehicle_class"]
    if code not in _MOVABLE:
        return Refusal("move-not-this-class", vehicle_class=code)
    most = int(parameters.at("student.most_moves", today).value)
    if moves(enrolment, min(done.values())) >= most:
        return Refusal("moved-too-often", times=most)
    return None
