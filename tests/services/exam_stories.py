"""Driving students and sessions as the examples tell them: ``2026-10-08 科目一 合格``."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any

from rules.calendar import HOUSE_ZONE
from rules.deadlines import add_years
from rules.enrolments import SERVICE
from rules.exams.plan import Plan, Subject
from rules.exams.record import Record, record_of
from rules.flow import replay
from rules.matter import Event
from rules.people import Actor
from rules.texts import load_texts

_NUMBER = "000000000001"
_SYSTEM = Actor("system", "told")


@cache
def _subjects() -> Mapping[str, str]:
    """What an example calls a subject -> its number."""
    return {label: code for code, label in load_texts().under("exams.short").items()}


@cache
def _outcomes() -> Mapping[str, str]:
    labels = {label: code for code, label in load_texts().under("exams.outcomes").items()}
    return {**labels, "不计次": "excused"}


def subject_of(told: str) -> Subject:
    """The subject an example names."""
    return Subject(_subjects()[told])


def record_told(told: Mapping[str, Any]) -> Record:
    """The record of a student as an example tells it: ``class``, ``permit`` (the day it was
    issued), ``until``, ``adding``, ``office``, ``sittings``. What was put right later is told as
    ``2026-11-02 科目二 不合格 更正为 合格``."""
    form = {
        "vehicle_class": told["class"],
        "application": "added" if told.get("adding") else "first",
    }
    return record_of(replay(_NUMBER, SERVICE, tuple(_events(told, form))))


def _events(told: Mapping[str, Any], form: Mapping[str, str]) -> Iterator[Event]:
    start = datetime.combine(date(2015, 11, 1), time(), HOUSE_ZONE)
    office = told.get("office", "4101-VO")
    first = {**{"applicant": "key", "subject": "key", "office": office}, "form": form}
    yield Event("e0", "enrolled_in_person", start, _SYSTEM, "", first)
    days = told.get("permit", [])
    for index, issued in enumerate(days if isinstance(days, list) else [days]):
        until = told.get("until", add_years(issued, 3))
        data = {"permit": str(index), "issued_on": f"{issued}", "until": f"{until}"}
        yield Event(f"p{index}", "permit_issued", _at(issued), _SYSTEM, "", data)
    for index, line in enumerate(told.get("sittings", ())):
        day, subject, outcome, *corrected = line.split()
        data = {"attempt": f"a{index}", "subject": subject_of(subject).value, "day": day}
        data |= {"outcome": _outcomes()[outcome], "retried": False}
        at = _at(date.fromisoformat(day))
        yield Event(f"a{index}", "attempt_recorded", at, _SYSTEM, "", data)
        if corrected:
            assert corrected[0] == "更正为"
            data = {**data, "outcome": _outcomes()[corrected[1]]}
            yield Event(f"c{index}", "attempt_corrected", at, _SYSTEM, "", data)


def _at(day: date) -> datetime:
    return datetime.combine(day, time(18, 0), HOUSE_ZONE)


def plan_told(told: Mapping[str, Any], before: Plan | None = None) -> Plan:
    """The session an example tells of: ``subject``, ``day``, ``closes`` and, where they matter,
    ``class``, ``office``, ``site``, ``starts``, ``status``. ``before``: what it was before the
    office changed it."""
    day: date = told["day"] if before is None else told.get("day", before.day)
    closes = told["closes"] if before is None else told.get("closes", before.closes_at)
    return Plan(
        code="K",
        office=told.get("office", "4101-VO"),
        region="4101",
        site="4101-K1",
        site_name=told.get("site", before.site_name if before else "郑州第一考场"),
        subject=subject_of(told["subject"]) if before is None else before.subject,
        vehicle_class=told.get("class", before.vehicle_class if before else "C1"),
        day=day,
        starts=told.get("starts", before.starts if before else "08:30"),
        ends="11:30",
        capacity=told.get("capacity", 20),
        closes_at=moment(closes),
        published_at=datetime(2015, 12, 1, tzinfo=UTC),
        status=told.get("status", "open"),
        changes=before.changes + 1 if before else 0,
    )


def moment(told: datetime) -> datetime:
    """An hour as an example tells it is in the house's zone."""
    return told if told.tzinfo else told.replace(tzinfo=HOUSE_ZONE)
