"""Every figure of the law and of the house, dated, with unit and source.

A figure has values by the day from which they hold. Each names the law and article it comes
from, or says ``own_setting = true`` with the reason it was chosen.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from rules.toml_files import RulebookError, Table, read_folder

UNITS = frozenset(
    {"years", "months", "days", "working_days", "hours", "minutes", "seconds"}
    | {"times", "points", "bytes", "characters", "pixels", "rows"}
)


class UnknownFigure(LookupError):
    """There is no such parameter, or it has no value on the day asked for."""


@dataclass(frozen=True)
class Figure:
    """A parameter's value on a day. ``source`` is law and article, or why the house chose it."""

    value: Any
    unit: str
    source: str
    own_setting: bool


class Parameters:
    """All parameters, read-only."""

    def __init__(self, figures: Mapping[str, tuple[tuple[date, Figure], ...]]) -> None:
        self._figures = dict(figures)

    def __contains__(self, name: object) -> bool:
        return name in self._figures

    def __iter__(self) -> Iterator[str]:
        return iter(self._figures)

    def at(self, name: str, on: date) -> Figure:
        """The figure that holds on a day. Raises UnknownFigure."""
        dated = self._figures.get(name)
        if dated is None:
            raise UnknownFigure(f"there is no parameter {name}")
        place = bisect_right([start for start, _ in dated], on)
        if place == 0:
            raise UnknownFigure(f"parameter {name} has no value on {on}")
        return dated[place - 1][1]

    def history(self, name: str) -> tuple[tuple[date, Figure], ...]:
        """Every value of a parameter with the day it starts, oldest first. Raises UnknownFigure."""
        if name not in self._figures:
            raise UnknownFigure(f"there is no parameter {name}")
        return self._figures[name]


def load_parameters() -> Parameters:
    """All parameters of this folder. Raises RulebookError naming file and key."""
    return build_parameters(read_folder(__name__))


def build_parameters(sources: Iterable[tuple[str, Mapping[str, Any]]]) -> Parameters:
    """Parameters from (file name, content) pairs. Raises RulebookError."""
    figures: dict[str, tuple[tuple[date, Figure], ...]] = {}
    for file, content in sources:
        for table in _leaves(Table(file, "", content)):
            if table.path in figures:
                raise RulebookError(f"{file}: {table.path} stands twice")
            figures[table.path] = _dated(table)
    return Parameters(figures)


def _leaves(table: Table) -> Iterator[Table]:
    if table.has("unit"):
        yield table
        return
    for key in table.left():
        yield from _leaves(table.table(key))


def _dated(table: Table) -> tuple[tuple[date, Figure], ...]:
    unit = table.take("unit", str)
    if unit not in UNITS:
        raise table.fail("unit", f"must be one of {', '.join(sorted(UNITS))}")
    dated: list[tuple[date, Figure]] = []
    for entry in table.tables("values"):
        start = entry.take("from", date)
        if dated and start <= dated[-1][0]:
            raise entry.fail("from", "must be later than the value before it")
        dated.append((start, _figure(entry, unit)))
    table.done()
    if not dated:
        raise table.fail("values", "is missing")
    return tuple(dated)


def _figure(entry: Table, unit: str) -> Figure:
    value = entry.take_any("value")
    numbers = value if isinstance(value, list) else [value]
    if not numbers or not all(type(n) is int and n >= 0 for n in numbers):
        raise entry.fail("value", "must be a whole number or a list of them")
    own = entry.take("own_setting", bool, False)
    source = entry.take("reason" if own else "source", str)
    entry.done()
    held = tuple(value) if isinstance(value, list) else value
    return Figure(held, unit, source, own)
