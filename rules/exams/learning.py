"""A student's record in his enrolment's timeline: permit, sittings, what follows of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from rules.deadlines import say_date
from rules.enrolments import permit_end, waits_for_licence
from rules.exams.days import FIRST_DAY
from rules.exams.record import record_of
from rules.exams.standing import all_passed, voiding
from rules.facts import Licence
from rules.matter import Matter
from rules.parameters import Parameters
from rules.refusals import Refusal
from rules.requests import Request


def permit(request: Request) -> Mapping[str, Any] | Refusal:
    """The learner permit was issued: his rights end with it, three years later and not beyond the
    age for the class (162令 第四十一条). The same permit with another last day puts that right.

    ``given``: permit, vehicle_class, issued_on, until. ``results_until``: how long results of its
    last days are waited for before the enrolment lapses.
    """
    given, matter = request.given, request.present
    if given["vehicle_class"] != matter.form["vehicle_class"]:
        return Refusal("permit-of-another-class", vehicle_class=matter.form["vehicle_class"])
    issued, until = date.fromisoformat(given["issued_on"]), date.fromisoformat(given["until"])
    if issued > request.facts.today:
        return Refusal("permit-not-yet")
    last_day = permit_end(request, matter.form, issued)
    if not issued <= until <= last_day:
        return Refusal("permit-too-long", last_day=say_date(last_day))
    if until < FIRST_DAY:
        return Refusal("day-too-early")
    data = {name: given[name] for name in ("permit", "issued_on", "until")}
    known = matter.last("permit_issued")
    if known is not None and not _newer(known.data, data):
        return Refusal("permit-known")
    days = int(request.book.parameters.at("exam.result_days", until).value)
    return {**data, "results_until": (until + timedelta(days=days)).isoformat()}


def _newer(known: Mapping[str, Any], data: Mapping[str, Any]) -> bool:
    if known["permit"] == data["permit"]:
        return bool(known["issued_on"] == data["issued_on"] and known["until"] != data["until"])
    return date.fromisoformat(known["issued_on"]) < date.fromisoformat(data["issued_on"])


def attempt(request: Request) -> Mapping[str, Any] | Refusal:
    """A sitting is entered once. ``given``: attempt (its id), subject, day, outcome, retried."""
    return {n: request.given[n] for n in ("attempt", "subject", "day", "outcome", "retried")}


def correction(request: Request) -> Mapping[str, Any] | Refusal:
    """A sitting as it counts after its result was put right; ``given`` holds the reason too."""
    data = attempt(request)
    return data if isinstance(data, Refusal) else {**data, "reason": request.given["reason"]}


@dataclass(frozen=True)
class Untold:
    """What a record says and its enrolment's timeline does not say yet: the step that says it."""

    action: str
    given: Mapping[str, Any] = field(default_factory=dict)


def untold(enrolment: Matter, licence: Licence | None, parameters: Parameters) -> Untold | None:
    """The next step that follows from the record as it counts today; None when all is said.

    A fifth failure voids (162令 第四十七条). A correction may take that back, or an "all passed".
    ``licence``: the one there is, of who adds a class.
    """
    record = record_of(enrolment)
    void, known = voiding(record, parameters), _void_said(enrolment)
    if void is not None and void.id != known:
        return Untold("void", {"attempt": void.id, "subject": void.subject.value})
    if void is None and known is not None:
        return Untold("restore", {"attempt": known})
    done = all_passed(record, licence if record.adding else None, parameters)
    if done == waits_for_licence(enrolment):
        return None
    return Untold("complete" if done else "reopen")


def _void_said(enrolment: Matter) -> str | None:
    """The sitting he was told to have voided what he had passed; None where that was taken back,
    or he has begun anew with another permit."""
    permit, said = None, None
    for event in enrolment.timeline:
        if event.type == "permit_issued":
            said = said if permit in (None, event.data["permit"]) else None
            permit = event.data["permit"]
        elif event.type == "exams_voided":
            said = event.data["attempt"]
        elif event.type == "exams_restored":
            said = None
    return said


def voids(request: Request) -> Mapping[str, Any] | Refusal:
    """The fifth failure of a subject voids the others passed (162令 第四十七条): told once for each
    sitting that does."""
    return _saying(request, "void")


def restores(request: Request) -> Mapping[str, Any] | Refusal:
    """The fifth failure was none: what it had voided counts again."""
    return _saying(request, "restore")


def completes(request: Request) -> Mapping[str, Any] | Refusal:
    """Every subject is passed: the licence comes by ``licence-issues`` (REQ B6, A6)."""
    return _saying(request, "complete")


def reopens(request: Request) -> Mapping[str, Any] | Refusal:
    """By a correction something is left to be passed after all."""
    return _saying(request, "reopen")


def _saying(request: Request, action: str) -> Mapping[str, Any] | Refusal:
    found = untold(request.present, request.facts.licence, request.book.parameters)
    if found is None or found.action != action:
        return Refusal("step-not-possible", state="考试记录未变", action=action)
    return found.given
