"""Updates that decide inside the document they change: conditional, one write, found by ``_id``.

Written as aggregation pipelines, because a condition on a second field in the *filter* makes the
embedded engine read the whole collection, and a sharded cluster needs nothing but ``_id`` either.
An update that changes nothing says so: ``modified_count`` is 0.
"""

from collections.abc import Mapping
from typing import Any

Pipeline = list[dict[str, Any]]


def literal(value: Any) -> dict[str, Any]:
    """A value taken as it is, even where it begins with a dollar sign."""
    return {"$literal": value}


def part(name: str) -> str:
    """A name fit to be a field. Raises ValueError for one that would be read as a path."""
    if not name or "." in name or name.startswith("$") or "\0" in name:
        raise ValueError(f"not a field name: {name!r}")
    return name


def once(mark: str, keep: int, changes: Mapping[str, Any], *, marks: str = "effects") -> Pipeline:
    """Make ``changes`` (field → expression) unless the list ``marks`` holds ``mark``, and add it
    there; of the marks the last ``keep`` are kept."""
    held = {"$ifNull": [f"${marks}", []]}
    marked = {"$slice": [{"$concatArrays": [held, [literal(mark)]]}, -keep]}
    changed = {"$mergeObjects": ["$$ROOT", {**changes, marks: marked}]}
    there = {"$in": [literal(mark), held]}
    return [{"$replaceWith": {"$cond": [there, "$$ROOT", changed]}}]


def merged(field: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The map ``field`` with entries (name → expression) set."""
    entries = {part(name): expression for name, expression in values.items()}
    return {"$mergeObjects": [f"${field}", entries]}


REMOVE = "$$REMOVE"
"""In place of a value: the field goes."""


def appended(field: str, value: Any) -> dict[str, Any]:
    """The list ``field`` with one more entry."""
    return {"$concatArrays": [f"${field}", [literal(value)]]}


def if_holds(field: str, value: Any, changes: Mapping[str, Any]) -> Pipeline:
    """Make ``changes`` (path → expression) if ``field`` holds ``value``, all or none."""
    fits = {"$eq": [f"${field}", literal(value)]}
    return [
        {"$set": {path: {"$cond": [fits, after, f"${path}"]} for path, after in changes.items()}}
    ]


def set_if_absent(path: str, value: Any) -> Pipeline:
    """Set a field that is absent or null."""
    return [{"$set": {path: {"$ifNull": [f"${path}", literal(value)]}}}]


def unset_if(path: str, where: str, value: Any) -> Pipeline:
    """Remove ``path`` if the field ``where`` holds ``value``."""
    fits = {"$eq": [f"${where}", literal(value)]}
    return [{"$set": {path: {"$cond": [fits, "$$REMOVE", f"${path}"]}}}]


def next_turn(
    field: str, turn: int, values: Mapping[str, Any], reply: Mapping[str, Any], keep: int
) -> Pipeline:
    """Put ``values`` in place of the talk in ``field`` if it stands at ``turn``, with one more
    reply; of those the last ``keep`` stay."""
    held = {"$ifNull": [f"${field}.replies", []]}
    replies = {"$slice": [{"$concatArrays": [held, [literal(reply)]]}, -keep]}
    after = {"$mergeObjects": [literal(values), {"replies": replies}]}
    stands = {"$eq": [{"$ifNull": [f"${field}.turn", 0]}, turn]}
    return [{"$set": {field: {"$cond": [stands, after, f"${field}"]}}}]


def swap(fields: Mapping[str, tuple[Any, Any]]) -> Pipeline:
    """Put the second value in place of the first, in each field that still holds the first."""
    changes = {
        part(name): {"$cond": [{"$eq": [f"${name}", literal(old)]}, literal(new), f"${name}"]}
        for name, (old, new) in fields.items()
    }
    return [{"$set": changes}]
