"""What must be true of a person's record before a service is his: named in the service's file.

A condition is a pure function of the facts, the form and its arguments. Arguments are given in
the service's file: names of dated parameters, lists of words, names of form fields. A condition
about a form field is judged only once that field is filled in.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from enum import Enum
from functools import partial
from typing import Any, Protocol

from rules import student_conditions as students
from rules.deadlines import add_years, say_date
from rules.exams import conditions as exams
from rules.exams.waiting import Waits
from rules.facts import Facts, Licence
from rules.parameters import Parameters
from rules.refusals import Refusal


class Arg(Enum):
    """What an argument in a service's file is."""

    PARAMETER = "the name of a dated parameter, as of the day it is judged on"
    DATED = "the name of a dated parameter, as of the days that lie behind: a function of the day"
    WORDS = "a list of words"
    FIELD = "the name of a form field"


Check = Callable[[Facts, Mapping[str, str], Mapping[str, Any]], Refusal | None]


@dataclass(frozen=True)
class Condition:
    """A condition there is: its function and the arguments it takes."""

    check: Check
    args: Mapping[str, Arg]


def _licence_bound(
    facts: Facts, form: Mapping[str, str], args: Mapping[str, Any]
) -> Refusal | None:
    """The applicant's own licence is bound to his account (REQ A4, C1)."""
    if facts.licence is None or not facts.licence_bound:
        return Refusal("licence-not-bound")
    return None


def _licence_status(
    facts: Facts, form: Mapping[str, str], args: Mapping[str, Any]
) -> Refusal | None:
    """The registry's status of the licence is one of ``statuses``."""
    licence = facts.licence
    if licence is None:
        return Refusal("licence-not-bound")
    if licence.status not in args["statuses"]:
        return Refusal("licence-status-unfit", licence_status=licence.status)
    return None


def _within_deferral_window(
    facts: Facts, form: Mapping[str, str], args: Mapping[str, Any]
) -> Refusal | None:
    """Asked for within the licence's term or ``years`` after it (162令 第七十五条). The last day is
    the day of the same date; that day still counts."""
    licence = facts.licence
    if licence is None:
        return Refusal("licence-not-bound")
    last = add_years(licence.valid_until, args["years"])
    if licence.valid_from <= facts.today <= last:
        return None
    return Refusal("licence-not-in-window", years=args["years"], last_day=say_date(last))


def _deferral_within_limit(
    facts: Facts, form: Mapping[str, str], args: Mapping[str, Any]
) -> Refusal | None:
    """Deferred beyond the licence's term and today, by ``years`` at most, counted from the end of
    the term (162令 第七十五条)."""
    licence = facts.licence
    if licence is None:
        return Refusal("licence-not-bound")
    until = date.fromisoformat(form[args["field"]])
    after = _begins(licence, facts.today)
    if until <= after:
        return Refusal("deferral-too-short", after=say_date(after))
    last = add_years(licence.valid_until, args["years"])
    if until > last:
        return Refusal("deferral-too-long", years=args["years"], last_day=say_date(last))
    return None


def _begins(licence: Licence, today: date) -> date:
    return max(licence.valid_until, today)


CONDITIONS: Mapping[str, Condition] = {
    "licence_bound": Condition(_licence_bound, {}),
    "licence_status": Condition(_licence_status, {"statuses": Arg.WORDS}),
    "within_deferral_window": Condition(_within_deferral_window, {"years": Arg.PARAMETER}),
    "deferral_within_limit": Condition(
        _deferral_within_limit, {"field": Arg.FIELD, "years": Arg.PARAMETER}
    ),
    "signed_if_owner": Condition(students.signed_if_owner, {}),
    "signed_if_adding": Condition(students.signed_if_adding, {"application": Arg.FIELD}),
    "licence_fits": Condition(students.licence_fits, {"application": Arg.FIELD}),
    "class_fits": Condition(
        students.class_fits, {"application": Arg.FIELD, "vehicle_class": Arg.FIELD}
    ),
    "few_points": Condition(
        students.few_points, {"application": Arg.FIELD, "points": Arg.PARAMETER}
    ),
    "age_fits": Condition(
        students.age_fits,
        {"vehicle_class": Arg.FIELD, "id_number": Arg.FIELD}
        | dict.fromkeys(("small", "light", "medium", "large", "most"), Arg.PARAMETER),
    ),
    "exam_class": Condition(exams.exam_class, {}),
    "exam_office": Condition(exams.exam_office, {}),
    "exam_needed": Condition(exams.exam_needed, {}),
    "exam_passed": Condition(exams.exam_passed, {"most": Arg.DATED}),
    "exam_order": Condition(exams.exam_order, {"most": Arg.DATED}),
    "exam_permit": Condition(exams.exam_permit, {}),
    "exam_wait": Condition(exams.exam_wait, {f.name: Arg.PARAMETER for f in fields(Waits)}),
    "exam_retry": Condition(exams.exam_retry, {"days": Arg.PARAMETER}),
    "exam_left": Condition(exams.exam_left, {"most": Arg.DATED}),
    "medical_recent": Condition(
        students.medical_recent, {"medical_on": Arg.FIELD, "months": Arg.PARAMETER}
    ),
}
"""Every condition a service's file may name."""


@dataclass(frozen=True)
class ConditionUse:
    """A condition as one service uses it. ``wording`` has the arguments as placeholders."""

    name: str
    args: Mapping[str, Any]
    wording: str

    def text(self, parameters: Parameters, on: date) -> str:
        """The condition in words, with the figures of a day."""
        said = {
            k: "、".join(v) if isinstance(v, tuple) else v(on) if callable(v) else v
            for k, v in self._resolved(parameters, on).items()
        }
        return self.wording.format(**said)

    def judge(
        self, facts: Facts, form: Mapping[str, str], parameters: Parameters, on: date
    ) -> Refusal | None:
        """Why it does not hold, by the figures of a day; None when it does or cannot be judged
        because its field is still empty."""
        condition = CONDITIONS[self.name]
        asked = (self.args[a] for a, kind in condition.args.items() if kind is Arg.FIELD)
        if not all(form.get(field) for field in asked):
            return None
        return condition.check(facts, form, self._resolved(parameters, on))

    def _resolved(self, parameters: Parameters, on: date) -> dict[str, Any]:
        kinds = CONDITIONS[self.name].args
        found: dict[str, Any] = {}
        for name, value in self.args.items():
            if kinds[name] is Arg.PARAMETER:
                found[name] = parameters.at(value, on).value
            elif kinds[name] is Arg.DATED:
                found[name] = partial(_value_at, parameters, value)
            else:
                found[name] = value
        return found


def _value_at(parameters: Parameters, name: str, day: date) -> Any:
    return parameters.at(name, day).value


class Conditional(Protocol):
    """What has conditions: a service of the catalogue."""

    @property
    def conditions(self) -> Sequence[ConditionUse]:
        """In the order they are told."""


def unmet(
    service: Conditional, facts: Facts, form: Mapping[str, str], parameters: Parameters
) -> tuple[Refusal, ...]:
    """Every reason why the service is not this person's today, each once, in the file's order."""
    found = (use.judge(facts, form, parameters, facts.today) for use in service.conditions)
    return tuple(_first_of_each(r for r in found if r is not None))


def judged(
    service: Conditional,
    facts: Facts,
    form: Mapping[str, str],
    parameters: Parameters,
    day: date,
) -> list[tuple[str, bool]]:
    """Each condition in words and whether it held on ``day``, by that day's figures."""
    then = replace(facts, today=day)
    return [
        (use.text(parameters, day), use.judge(then, form, parameters, day) is None)
        for use in service.conditions
    ]


def _first_of_each(refusals: Iterable[Refusal]) -> Iterable[Refusal]:
    seen: set[str] = set()
    for refusal in refusals:
        if refusal.code not in seen:
            seen.add(refusal.code)
            yield refusal
