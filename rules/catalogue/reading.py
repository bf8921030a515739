"""From a service's TOML table to a ``Service``; every name in it is looked up at once."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from rules.catalogue.service import (
    AGENTS,
    ENTERERS,
    KINDS,
    OFFICE_ROLES,
    SECTORS,
    STAGES,
    Limits,
    OfficeRole,
    Opening,
    Reminder,
    Service,
    Who,
)
from rules.conditions import CONDITIONS, Arg, ConditionUse
from rules.fields import FIELD_TYPES, MATERIAL_TIMES, Checks, Field, MaterialSpec, Option
from rules.parameters import Parameters
from rules.permissions import PERMISSIONS
from rules.texts import Texts
from rules.toml_files import Table


def read_service(table: Table, texts: Texts, parameters: Parameters) -> Service:
    """One service. Raises RulebookError naming file and key."""
    code = table.take("code", str)
    if table.file != f"{code}.toml":
        raise table.fail("code", f"must be the file's name, {table.file.removesuffix('.toml')}")
    fields = tuple(_field(t) for t in table.tables("fields"))
    materials = tuple(_material(t) for t in table.tables("materials"))
    _once(table, "fields", [f.name for f in fields])
    _once(table, "materials", [m.name for m in materials])
    service = Service(
        code=code,
        title=table.take("title", str),
        sector=_one_of(table, "sector", SECTORS),
        kind=_one_of(table, "kind", KINDS),
        law=table.words("law", required=True),
        openings=tuple(_opening(t) for t in table.tables("openings")),
        who=_who(table.table("who")),
        one_at_a_time=table.take("one_at_a_time", bool),
        conditions=tuple(
            _condition(t, texts, parameters, fields) for t in table.tables("conditions")
        ),
        fields=fields,
        materials=materials,
        office=_office(table.table("office")),
        limits=_limits(table.table("limits", required=False), parameters),
        reminder=_reminder(table, parameters, fields),
        fee=table.take("fee", str),
        notices=_notices(table, code, texts),
        effects=_effects(table.table("effects", required=False), texts),
        steps=table.words("steps", required=True),
        result=table.take("result", str),
        synonyms=table.words("synonyms", required=True),
        examples=table.words("examples", required=True),
    )
    table.done()
    if not service.openings:
        raise table.fail("openings", "is missing")
    return service


def _one_of(table: Table, key: str, known: frozenset[str]) -> str:
    value = table.take(key, str)
    if value not in known:
        raise table.fail(key, f"must be one of {', '.join(sorted(known))}")
    return value


def _once(table: Table, key: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise table.fail(key, f"has {name} twice")


def _opening(table: Table) -> Opening:
    opening = Opening(
        region=table.take("region", str),
        stage=_one_of(table, "stage", STAGES),
        since=table.take("from", date),
        successor=table.take("successor", str) if table.has("successor") else "",
    )
    if (opening.stage == "closed") != bool(opening.successor):
        raise table.fail("successor", "belongs to stage closed, and only there")
    table.done()
    return opening


def _who(table: Table) -> Who:
    who = Who(
        business=_one_of(table, "business", frozenset(PERMISSIONS)),
        by_oneself=table.take("self", bool),
        agent=_one_of(table, "agent", AGENTS),
        text=table.take("text", str),
        enters=frozenset(table.words("enters") or ("citizen",)),
    )
    if not who.enters <= ENTERERS:
        raise table.fail("enters", f"must be among {', '.join(sorted(ENTERERS))}")
    table.done()
    return who


def _office(table: Table) -> OfficeRole:
    role = OfficeRole(_one_of(table, "decides", OFFICE_ROLES), table.take("text", str))
    table.done()
    return role


def _limits(table: Table, parameters: Parameters) -> Limits:
    review = _parameter(table, "review", parameters) if table.has("review") else None
    table.done()
    return Limits(review)


def _parameter(table: Table, key: str, parameters: Parameters) -> str:
    name = table.take(key, str)
    if name not in parameters:
        raise table.fail(key, f"names the unknown parameter {name}")
    return name


def _reminder(table: Table, parameters: Parameters, fields: tuple[Field, ...]) -> Reminder | None:
    if not table.has("reminder"):
        return None
    inner = table.table("reminder")
    reminder = Reminder(inner.take("field", str), _parameter(inner, "days_before", parameters))
    if all(f.name != reminder.field or f.type != "date" for f in fields):
        raise inner.fail("field", f"must name a date field, not {reminder.field}")
    inner.done()
    return reminder


def _notices(table: Table, code: str, texts: Texts) -> tuple[str, ...]:
    events = table.words("notices")
    for event in events:
        try:
            texts.notice(event, code)
        except (KeyError, TypeError) as error:
            raise table.fail("notices", f"has {event}, not worded in notices.toml") from error
    return events


def _effects(table: Table, texts: Texts) -> Mapping[str, tuple[str, ...]]:
    effects: dict[str, tuple[str, ...]] = {}
    for event in table.left():
        if not texts.has(f"events.{event}"):
            raise table.fail(event, "is no event of states.toml")
        effects[event] = table.words(event, required=True)
    return effects


def _field(table: Table) -> Field:
    field = Field(
        name=table.take("name", str),
        label=table.take("label", str),
        type=_one_of(table, "type", FIELD_TYPES),
        required=table.take("required", bool),
        checks=_checks(table.table("checks", required=False)),
        options=tuple(_option(t) for t in table.tables("options")),
        help=table.take("help", str),
        example=table.take("example", str),
    )
    if (field.type == "choice") != bool(field.options):
        raise table.fail("options", "belong to type choice, and only there")
    table.done()
    return field


def _checks(table: Table) -> Checks:
    checks = Checks(
        max_length=table.take("max_length", int) if table.has("max_length") else None,
        after_today=table.take("after_today", bool, False),
        until_today=table.take("until_today", bool, False),
    )
    table.done()
    return checks


def _option(table: Table) -> Option:
    option = Option(table.take("value", str), table.take("label", str), table.words("also"))
    table.done()
    return option


def _material(table: Table) -> MaterialSpec:
    material = MaterialSpec(
        name=table.take("name", str),
        label=table.take("label", str),
        shows=table.take("shows", str),
        required=table.take("required", bool),
        max_photos=table.take("max_photos", int),
        when=_one_of(table, "when", MATERIAL_TIMES) if table.has("when") else "always",
    )
    if material.max_photos < 1:
        raise table.fail("max_photos", "must be at least 1")
    table.done()
    return material


def _condition(
    table: Table, texts: Texts, parameters: Parameters, fields: tuple[Field, ...]
) -> ConditionUse:
    name = table.take("name", str)
    condition = CONDITIONS.get(name)
    if condition is None:
        raise table.fail("name", f"names the unknown condition {name}")
    key = f"conditions.{name}"
    if not texts.has(key):
        raise table.fail("name", f"has no wording {key}")
    args: dict[str, Any] = {}
    for arg, kind in condition.args.items():
        if kind is Arg.WORDS:
            args[arg] = table.words(arg, required=True)
        elif kind in (Arg.PARAMETER, Arg.DATED):
            args[arg] = _parameter(table, arg, parameters)
        else:
            args[arg] = table.take(arg, str)
            if all(f.name != args[arg] for f in fields):
                raise table.fail(arg, f"names the unknown field {args[arg]}")
    table.done()
    if not texts.placeholders(key) <= set(args):
        raise table.fail("name", f"has a wording {key} with placeholders it cannot fill")
    return ConditionUse(name, args, texts.under("conditions")[name])
