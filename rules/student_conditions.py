"""What must be true before somebody is enrolled as a driving student: checks of rules.conditions.

Each takes the facts, the form and its arguments and gives why it does not hold, or None.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from rules.deadlines import add_months, say_date
from rules.facts import Facts, Licence, Office
from rules.id_number import birth_date
from rules.permissions import may
from rules.refusals import Refusal
from rules.vehicle_classes import CLASSES, classes_of

ENDED_LICENCES = frozenset({"注销", "吊销", "撤销"})
"""Statuses of a licence that is no more."""

_GONE_VEHICLES = frozenset({"注销", "报废"})
_ADDED = "added"

Form = Mapping[str, str]
Args = Mapping[str, Any]


def signed_if_owner(facts: Facts, form: Form, args: Args) -> Refusal | None:
    """Who owns a vehicle must be face-signed before anybody may enrol him (article, REQ A4)."""
    owned = [v for v in facts.vehicles if v.status not in _GONE_VEHICLES]
    if owned and not may(facts.tiers, "enrol_again"):
        offices = _known(facts, {v.registering_office for v in owned})
        return Refusal("face-sign-first-vehicle", offices=offices)
    return None


def signed_if_adding(facts: Facts, form: Form, args: Args) -> Refusal | None:
    """Who adds a class (增驾) must be face-signed before anybody may enrol him (article, A4)."""
    licence = facts.licence
    if form[args["application"]] == _ADDED and not may(facts.tiers, "enrol_again"):
        offices = _known(facts, {licence.issuing_office} if licence else set())
        return Refusal("face-sign-first-added", offices=offices)
    return None


def licence_fits(facts: Facts, form: Form, args: Args) -> Refusal | None:
    """A first application is of somebody without a licence, an added class of somebody with one
    (162令 第十六条)."""
    held = _held(facts)
    if form[args["application"]] == _ADDED:
        return Refusal("student-without-licence") if held is None else None
    return Refusal("student-holds-licence") if held is not None else None


def class_fits(facts: Facts, form: Form, args: Args) -> Refusal | None:
    """The class may be applied for first, or added, and is not held yet (162令 第十六条)."""
    code = form[args["vehicle_class"]]
    wanted, adding = CLASSES[code], form[args["application"]] == _ADDED
    if not (wanted.added if adding else wanted.first):
        return Refusal("class-not-added" if adding else "class-not-first", vehicle_class=code)
    held = _held(facts)
    if adding and held is not None and code in classes_of(held.vehicle_class):
        return Refusal("class-held", vehicle_class=code)
    return None


def few_points(facts: Facts, form: Form, args: Args) -> Refusal | None:
    """Who adds a class has fewer than ``points`` in this period (162令 第十七条); earlier periods
    are the officer's to look up."""
    held = _held(facts)
    if form[args["application"]] == _ADDED and held is not None and held.points >= args["points"]:
        return Refusal("student-points", points=args["points"])
    return None


def age_fits(facts: Facts, form: Form, args: Args) -> Refusal | None:
    """Old enough for the class and, but for cars and light motorcycles, not too old (162令
    第十四条). 以上 and 以下 include the figure itself."""
    code = form[args["vehicle_class"]]
    group = CLASSES[code].ages
    age = age_on(birth_date(form[args["id_number"]]), facts.today)
    if age < args[group]:
        return Refusal("student-too-young", vehicle_class=code, years=args[group])
    if group != "small" and age > args["most"]:
        return Refusal("student-too-old", vehicle_class=code, years=args["most"])
    return None


def medical_recent(facts: Facts, form: Form, args: Args) -> Refusal | None:
    """The medical proof is valid for ``months`` from its day (162令 第八十五条); the last day
    counts."""
    on = date.fromisoformat(form[args["medical_on"]])
    last = add_months(on, args["months"])
    if facts.today > last:
        return Refusal("medical-too-old", months=args["months"], last_day=say_date(last))
    return None


def age_on(born: date, day: date) -> int:
    """Full years (周岁) on a day."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _held(facts: Facts) -> Licence | None:
    licence = facts.licence
    return None if licence is None or licence.status in ENDED_LICENCES else licence


def _known(facts: Facts, codes: set[str]) -> list[Office]:
    return [facts.offices[code] for code in sorted(codes) if code in facts.offices]
