"""The result of a booking: passed, failed, not there. By file, or by an officer of the office."""

from collections.abc import Mapping
from datetime import date
from typing import Any, get_args

from rules.exams.booking import change_unanswered, day_of
from rules.exams.plan import Subject
from rules.exams.record import Outcome
from rules.guards import other_office
from rules.matter import Matter, State
from rules.parameters import Parameters
from rules.refusals import Refusal
from rules.requests import Request

EVENTS: Mapping[str, str] = {"pass": "passed", "fail": "failed", "miss": "missed"}
"""The action that enters a result -> its event, which is called as the outcome is."""

ACTIONS: Mapping[str, str] = {event: action for action, event in EVENTS.items()}
"""Outcome -> the action that enters it."""

_WHOLE = 100
_HARDER = frozenset({"A1", "A2", "A3", "B1", "B2", "C6"})
"""The classes of 第三十八条第二项 whose subject two takes as many points as the other subjects."""


def score_fits(
    subject: Subject,
    vehicle_class: str,
    passed: bool,
    score: int,
    parameters: Parameters,
    day: date,
) -> bool:
    """Whether points out of a hundred and what is said of them agree (162令 第三十八条)."""
    easier = subject is Subject.FIELD and vehicle_class not in _HARDER
    usual = parameters.at("exam.pass_points", day)
    points = int((parameters.at("exam.pass_points_field", day) if easier else usual).value)
    return score <= _WHOLE and (score >= points) == passed


def entered(request: Request) -> Mapping[str, Any] | Refusal:
    """Once, on the day of the test or later. ``given``: outcome, retried. Who did not come after
    the office had changed the plan, and had not accepted that, loses nothing (REQ B5)."""
    refusal = _not_yet(request)
    if refusal is not None:
        return refusal
    if request.present.state is not State.CONFIRMED:
        return Refusal("result-not-confirmed")
    outcome = counted(request.present, request.given["outcome"])
    return {"outcome": outcome, "retried": bool(request.given.get("retried"))}


def counted(matter: Matter, outcome: Outcome) -> Outcome:
    """What an outcome counts as for this booking: who did not come after the office had changed
    the plan, and had not accepted that, is excused."""
    return "excused" if outcome == "missed" and change_unanswered(matter) else outcome


def corrected(request: Request) -> Mapping[str, Any] | Refusal:
    """A wrong result put right, with the reason; the wrong one stays in the timeline."""
    refusal = _not_yet(request)
    if refusal is not None:
        return refusal
    outcome, reason = request.given["outcome"], str(request.given.get("reason", "")).strip()
    if outcome not in get_args(Outcome):
        return Refusal("bad-request")
    outcome = counted(request.present, outcome)
    if not reason:
        return Refusal("reason-needed")
    retried = bool(request.given.get("retried"))
    if (outcome, retried) == result_of(request.present):
        return Refusal("result-the-same")
    return {"outcome": outcome, "retried": retried, "reason": reason}


def sitting_of(first: str, second: str | None) -> tuple[Outcome, bool] | Refusal:
    """What one booking came to: (outcome, whether he took the second try) from the results of the
    first try and of the one more he may take at once after failing (162令 第四十七条).

    ``first`` is passed, failed or missed (he did not come: 第四十六条); ``second`` passed, failed,
    missed (he did not take it) or None. A second try after a pass, or of somebody who was not
    there, is none.
    """
    tries: dict[tuple[str, str | None], tuple[Outcome, bool]] = {
        ("passed", None): ("passed", False),
        ("failed", None): ("failed", False),
        ("failed", "missed"): ("failed", False),
        ("failed", "passed"): ("passed", True),
        ("failed", "failed"): ("failed", True),
        ("missed", None): ("missed", False),
    }
    return tries.get((first, second)) or Refusal("result-tries-unfit")


def _not_yet(request: Request) -> Refusal | None:
    if request.actor.kind == "officer":
        refusal = other_office(request)
        if refusal is not None:
            return refusal
    return Refusal("result-too-early") if request.facts.today < day_of(request.present) else None


def result_of(matter: Matter) -> tuple[str, bool] | None:
    """The result as it stands: outcome, and whether he took the second try; None without one."""
    for event in reversed(matter.timeline):
        if event.type == "result_corrected" or event.type in ACTIONS:
            return event.data["outcome"], event.data["retried"]
    return None
