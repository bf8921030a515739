"""Students: what their tier opens, ages and dates at their edges, the table walked at random."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.book import load_rulebook
from rules.deadlines import add_months
from rules.enrolments import SERVICE, until_of
from rules.facts import Facts
from rules.flow import TABLE, begin, decide, evolve, replay
from rules.matter import Event, Matter, NewEvent, State
from rules.people import Actor, Tier
from rules.permissions import PERMISSIONS, may
from rules.student_conditions import age_on
from rules.vehicle_classes import CLASSES, classes_of

BOOK = load_rulebook()
STUDENTS = BOOK.catalogue[SERVICE]
START = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
FORM = {
    "id_number": "41010519900101002X",
    "name": "陈学员",
    "phone": "13700000001",
    "vehicle_class": "C1",
    "application": "first",
    "medical_on": "2026-11-01",
    "medical_hospital": "市第一人民医院",
}
ACTORS = {
    "clerk": Actor("school", "liu", "S1"),
    "other clerk": Actor("school", "he", "S2"),
    "officer": Actor("officer", "wang", "V1"),
    "other officer": Actor("officer", "li", "V2"),
    "student": Actor("citizen", "key"),
    "stranger": Actor("citizen", "other"),
    "exchange": Actor("exchange", "file"),
    "system": Actor("system", "sweep"),
}
ACTIONS = sorted({step.action for step in TABLE["enrolment"]})


def test_a_students_tier_opens_tests_and_nothing_else() -> None:
    opened = {business for business in PERMISSIONS if may({Tier.STUDENT}, business)}
    assert opened == {"driving_test", "registration"}


def test_a_licence_names_its_classes_together() -> None:
    assert classes_of("A2D") == {"A2", "D"} and classes_of("c1") == {"C1"}
    assert set(CLASSES) == {o.value for f in STUDENTS.fields for o in f.options} - {
        "first",
        "added",
    }


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (date(2008, 11, 24), date(2026, 11, 23), 17),
        (date(2008, 11, 24), date(2026, 11, 24), 18),
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
    ],
)
def test_age_is_counted_in_full_years(born: date, day: date, age: int) -> None:
    assert age_on(born, day) == age


def test_months_end_where_the_month_does() -> None:
    assert add_months(date(2026, 8, 31), 6) == date(2027, 2, 28)
    assert add_months(date(2026, 12, 1), 6) == date(2027, 6, 1)


def _given(action: str, turn: int) -> Mapping[str, Any]:
    photo = {
        "id": f"p{turn}",
        "material": "portrait",
        "media_type": "image/jpeg",
        "width": 1,
        "height": 1,
        "bytes": 1,
        "thumbnail": "t",
        "checks": [],
        "source": f"s{turn}",
    }
    values = FORM if action.startswith("enrol") else {"medical_on": "2026-11-02"}
    return {
        "applicant": "key",
        "subject": "key",
        "office": "V1",
        "region": "4101",
        "school": "S1" if turn % 2 else "S2",
        "values": values,
        "photos": {"portrait": photo} if action.startswith("enrol") else {},
        "names": [],
        "defects": [{"part": "field:medical_on", "reason": "不一致"}],
        "reason": "不一致",
        "vehicle_class": "C1",
        "licence": "L",
        "licence_office": "V1",
        "issued_on": "2027-01-01",
        **{"permit": "P", "until": "2030-01-01"},
        **{"attempt": f"a{turn}", "subject": "1", "day": "2027-01-01"},
        **{"outcome": "passed", "retried": False},
    }


@given(st.lists(st.tuples(st.sampled_from(sorted(ACTORS)), st.sampled_from(ACTIONS)), max_size=25))
def test_whatever_is_tried_only_an_office_makes_a_student(steps: list[tuple[str, str]]) -> None:
    matter: Matter | None = None
    for turn, (who, action) in enumerate(steps):
        now, actor = START + timedelta(minutes=turn), ACTORS[who]
        facts = Facts(today=date(2026, 11, 24), region="4101")
        decided = decide(STUDENTS, matter, action, actor, _given(action, turn), facts, now, BOOK)
        if not isinstance(decided, NewEvent):
            continue
        event = Event(f"1-{turn}", decided.type, now, actor, f"c{turn}", decided.data)
        matter = begin("1", SERVICE, event) if matter is None else evolve(matter, event)
    if matter is None:
        return
    assert matter.timeline[0].actor.kind in ("school", "officer")
    made = [e for e in matter.timeline if e.type in ("approved", "enrolled_in_person")]
    assert all(e.actor.kind == "officer" for e in made) and len(made) <= 1
    if matter.state in (State.APPROVED, State.FINISHED):
        assert made and until_of(matter) == date(2029, 11, 24)
    for event in matter.timeline:
        if event.type == "licence_issued":
            assert event.actor.kind == "exchange"
        if event.type == "activated":
            assert event.actor.key == matter.applicant
    assert replay("1", SERVICE, matter.timeline) == matter
