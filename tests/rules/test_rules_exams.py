"""Driving tests: what a record comes to, the days around a test, what one sitting was."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.book import load_rulebook
from rules.calendar import HOUSE_ZONE
from rules.conditions import unmet
from rules.exams.counting import used
from rules.exams.days import last_closing, last_office_day, told_by
from rules.exams.needed import subjects_of
from rules.exams.plan import SERVICE, Subject
from rules.exams.record import Attempt, Outcome, Permit, Record
from rules.exams.results import sitting_of
from rules.exams.standing import Standing, all_passed, passed, stand, voiding
from rules.facts import Facts, Licence
from rules.refusals import Refusal

BOOK = load_rulebook()
FIGURES = BOOK.parameters
ISSUED = date(2026, 3, 2)
PERMIT = Permit("P", ISSUED, date(2029, 3, 2))
TODAY = date(2026, 11, 24)
OUTCOMES: tuple[Outcome, ...] = ("passed", "failed", "missed", "excused")

ATTEMPTS = st.builds(
    Attempt,
    id=st.uuids().map(str),
    subject=st.sampled_from(Subject),
    day=st.integers(-40, 260).map(lambda n: ISSUED + timedelta(days=n)),
    outcome=st.sampled_from(OUTCOMES),
    retried=st.booleans(),
)
LISTS = st.lists(ATTEMPTS, max_size=14, unique_by=lambda a: a.id)


def of(attempts: list[Attempt], permit: Permit | None = PERMIT) -> Record:
    """A record as its timeline gives it."""
    in_order = tuple(sorted(attempts, key=lambda a: (a.day, a.id)))
    return Record("1", "4101-VO", "C1", False, permit, in_order)


def licence(vehicle_class: str, status: str = "正常") -> Licence:
    day = date(2021, 1, 15)
    return Licence("L", "", vehicle_class, status, day, day, date(2027, 1, 15), "4101-VO")


def everything(record: Record) -> tuple[object, ...]:
    return (
        stand(record, None, FIGURES, TODAY),
        voiding(record, FIGURES),
        passed(record, FIGURES),
        all_passed(record, None, FIGURES),
    )


@given(LISTS, st.data())
def test_a_correction_there_and_back_changes_nothing(
    attempts: list[Attempt], data: st.DataObject
) -> None:
    if not attempts:
        return
    index = data.draw(st.integers(0, len(attempts) - 1))
    wrong = replace(attempts[index], outcome=data.draw(st.sampled_from(OUTCOMES)))
    before = everything(of(attempts))
    put_wrong = [*attempts[:index], wrong, *attempts[index + 1 :]]
    put_right = [
        replace(a, outcome=attempts[index].outcome) if a is wrong else a for a in put_wrong
    ]
    assert everything(of(put_right)) == before
    assert everything(of(list(reversed(attempts)))) == before


@given(LISTS, ATTEMPTS)
def test_another_sitting_never_lowers_what_is_used(attempts: list[Attempt], more: Attempt) -> None:
    for subject in Subject:
        before = used(of(attempts), subject, TODAY)
        after = used(of([*attempts, more]), subject, TODAY)
        assert before <= after <= before + 1
        assert after == before or more.subject is subject


@given(LISTS)
def test_standing_hangs_together(attempts: list[Attempt]) -> None:
    record = of(attempts)
    standing = stand(record, None, FIGURES, TODAY)
    assert [one.subject for one in standing] == list(Subject)
    assert {one.subject for one in standing if one.passed_on} == passed(record, FIGURES)
    for one in standing:
        # Passed, or bookable from a day, or the reason why not: one of the three.
        assert [bool(one.passed_on), bool(one.bookable_from), bool(one.why)].count(True) == 1
        assert (one.left is None) == (one.subject not in (Subject.FIELD, Subject.ROAD))
        if one.left is not None:
            assert one.left == max(5 - one.used, 0)


@given(LISTS, st.sampled_from(Subject))
def test_what_is_shown_is_what_is_decided(attempts: list[Attempt], subject: Subject) -> None:
    """The first bookable day shown beforehand is the first on which nothing is refused."""
    one = standing_of(of(attempts), subject, TODAY)
    if one.bookable_from is None:
        assert refused(of(attempts), subject, TODAY)
        return
    assert not refused(of(attempts), subject, one.bookable_from)
    if one.bookable_from > TODAY:
        codes = refused(of(attempts), subject, one.bookable_from - timedelta(days=1))
        assert codes and codes <= {"exam-wait", "exam-retry"}


def standing_of(record: Record, subject: Subject, day: date) -> Standing:
    return next(s for s in stand(record, None, FIGURES, day) if s.subject is subject)


def refused(record: Record, subject: Subject, today: date) -> set[str]:
    form = {
        **{"office": "4101-VO", "vehicle_class": "C1", "subject": subject.value},
        "day": (today + timedelta(days=20)).isoformat(),
    }
    found = unmet(BOOK.catalogue[SERVICE], Facts(today=today, record=record), form, FIGURES)
    return {refusal.code for refusal in found}


@pytest.mark.parametrize(
    ("wanted", "held", "needed"),
    [
        ("C1", "C2", "234"),
        ("C1", "C2E", "234"),
        ("C1", "C3", "1234"),
        ("C1", "D", "1234"),
        ("C6", "C1", "24"),
        ("C6", "C2", "24"),
        ("C6", "A1", "24"),
        ("C6", "A3", "24"),
        ("C6", "B1", "24"),
        ("C6", "B2", "24"),
        ("C6", "C3", "1234"),
        ("C6", "E", "1234"),
        ("D", "E", "234"),
        ("D", "F", "234"),
        ("D", "C1", "1234"),
        ("E", "F", "234"),
        ("E", "D", "1234"),
        ("A1", "B2", "1234"),
        ("C2", "C1", "1234"),
    ],
)
def test_what_has_to_be_tested_when_a_class_is_added(wanted: str, held: str, needed: str) -> None:
    adding = replace(of([]), vehicle_class=wanted, adding=True)
    assert "".join(subjects_of(adding, licence(held))) == needed
    assert len(subjects_of(adding, licence(held, "注销"))) == 4
    assert len(subjects_of(replace(adding, adding=False), licence(held))) == 4
    assert len(subjects_of(adding, None)) == 4


@pytest.mark.parametrize(
    ("classes", "field", "road"),
    [
        ("C2 C3 C4 C5", 10, 20),
        ("C1 M N P", 10, 30),
        ("A1 A2 A3 B1 B2", 20, 40),
        ("C6", 20, 0),
        ("D E F", 0, 0),
    ],
)
@pytest.mark.parametrize("era", [2016, 2026])
def test_the_days_after_the_permit_by_class(classes: str, field: int, road: int, era: int) -> None:
    issued = date(era, 3, 1)
    permit = Permit("P", issued, date(era + 3, 3, 1))
    theory = Attempt("1", Subject.THEORY, issued, "passed")
    for code in classes.split():
        record = replace(of([theory], permit), vehicle_class=code)
        for subject, days in ((Subject.FIELD, field), (Subject.ROAD, road)):
            one = standing_of(record, subject, issued)
            assert one.bookable_from == issued + timedelta(days=days)
        adding = replace(record, adding=True)
        large = 30 if road == 40 else road
        for held, wait in (("C1", large), ("C3", large), ("D", road), ("F", road)):
            found = stand(adding, licence(held), FIGURES, issued)
            said = [one.bookable_from for one in found if one.subject is Subject.ROAD]
            assert said in ([], [issued + timedelta(days=wait)])


def test_nothing_is_left_when_what_is_needed_is_passed() -> None:
    adding = replace(of([]), vehicle_class="C6", adding=True)
    sittings = [
        Attempt(str(n), subject, ISSUED + timedelta(days=30 + n), "passed")
        for n, subject in enumerate((Subject.FIELD, Subject.SAFETY))
    ]
    assert all_passed(replace(adding, attempts=tuple(sittings)), licence("C1"), FIGURES)
    assert not all_passed(replace(adding, attempts=tuple(sittings)), licence("E"), FIGURES)
    assert not all_passed(replace(adding, attempts=tuple(sittings[:1])), licence("C1"), FIGURES)


def test_of_two_fifth_failures_the_later_voids() -> None:
    failures = [
        Attempt(f"{subject}{n}", subject, ISSUED + timedelta(days=20 * n + shift), "failed")
        for subject, shift in ((Subject.FIELD, 0), (Subject.ROAD, 3))
        for n in range(1, 6)
    ]
    void = voiding(of(failures), FIGURES)
    assert void is not None and void.id == "35"
    # Passed on the very day of the fifth failure is passed before it.
    same_day = Attempt("1", Subject.THEORY, void.day, "passed")
    after = replace(same_day, day=void.day + timedelta(days=1))
    assert passed(of([*failures, same_day]), FIGURES) == frozenset()
    assert passed(of([*failures, after]), FIGURES) == {Subject.THEORY}


@pytest.mark.parametrize(
    ("first", "second", "came_to"),
    [
        ("passed", None, ("passed", False)),
        ("failed", None, ("failed", False)),
        ("failed", "missed", ("failed", False)),
        ("failed", "passed", ("passed", True)),
        ("failed", "failed", ("failed", True)),
        ("missed", None, ("missed", False)),
        ("passed", "failed", Refusal("result-tries-unfit")),
        ("missed", "passed", Refusal("result-tries-unfit")),
        ("", None, Refusal("result-tries-unfit")),
    ],
)
def test_one_booking_is_a_test_and_one_more_try(
    first: str, second: str | None, came_to: object
) -> None:
    assert sitting_of(first, second) == came_to


def test_everybody_is_told_after_the_closing_and_two_days_before_the_test() -> None:
    day = date(2026, 12, 14)
    closing, told = last_closing(day, FIGURES), told_by(day, FIGURES)
    assert closing == datetime(2026, 12, 11, 15, 59, 59, tzinfo=UTC)
    assert told.astimezone(HOUSE_ZONE).date() == date(2026, 12, 12)
    assert told - closing == timedelta(days=1)


@given(st.dates(date(2015, 11, 10), date(2027, 12, 31)))
def test_the_office_cancels_until_a_day_before_whatever_the_day(day: date) -> None:
    last = last_office_day(day, FIGURES)
    assert last < day
    if day < date(2022, 4, 1):
        assert last == day - timedelta(days=1)
    # The longest the offices have been shut; nobody has to come earlier than that.
    assert day - last <= timedelta(days=11)
