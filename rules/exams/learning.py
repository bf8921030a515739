"""A student's record in his enrolment's timeline: permit, sittings, what follows of them."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from rules.exams.record import record_of
from rules.exams.standing import all_passed, voiding
from rules.refusals import Refusal
from rules.requests import Request


def permit(request: Request) -> Mapping[str, Any] | Refusal:
    """The learner permit was issued: his rights end with it (162令 第四十一条). ``given``: permit,
    vehicle_class, issued_on, until."""
    given, matter = request.given, request.present
    if given["vehicle_class"] != matter.form["vehicle_class"]:
        return Refusal("permit-of-another-class", vehicle_class=matter.form["vehicle_class"])
    data = {name: given[name] for name in ("permit", "issued_on", "until")}
    last = matter.last("permit_issued")
    if last is not None and date.fromisoformat(last.data["issued_on"]) >= date.fromisoformat(
        given["issued_on"]
    ):
        return Refusal("permit-known")
    return data


def attempt(request: Request) -> Mapping[str, Any] | Refusal:
    """A sitting is entered once. ``given``: attempt (its id), subject, day, outcome, retried."""
    return {n: request.given[n] for n in ("attempt", "subject", "day", "outcome", "retried")}


def correction(request: Request) -> Mapping[str, Any] | Refusal:
    """A sitting as it counts after its result was put right."""
    return attempt(request)


def voids(request: Request) -> Mapping[str, Any] | Refusal:
    """The fifth failure of a subject voids the others passed (162令 第四十七条): told once for each
    sitting that does. ``given``: attempt."""
    void = voiding(record_of(request.present), request.book.parameters)
    if void is None or void.id != request.given["attempt"]:
        return Refusal("step-not-possible", state="成绩有效", action="void")
    return {"attempt": void.id, "subject": void.subject.value}


def completes(request: Request) -> Mapping[str, Any] | Refusal:
    """Every subject is passed: the licence comes by ``licence-issues`` (REQ B6, A6)."""
    if request.present.last("exams_passed") is not None or not all_passed(
        record_of(request.present), request.facts.licence, request.book.parameters
    ):
        return Refusal("step-not-possible", state="尚未全部合格", action="complete")
    return {}
