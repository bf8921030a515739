"""What is held about persons, why, for how long and who gets it: one table, from ``privacy.toml``.

The citizen's page, the API, the chat and ``docs/privacy.md`` show it; the export names it; a test
walks the stored collections and fails on a path that stands in no row. Sources: 个人信息保护法
第十三条, 第十七条, 第十九条, 第二十九条, 第三十一条.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib.resources import files
from typing import Any

from rules.parameters import Figure, Parameters
from rules.refusals import Refusal
from rules.toml_files import RulebookError, Table, parse

_FILE = "privacy.toml"
_CLOSING = frozenset({"deleted", "kept", "untouched"})
_FIGURE = re.compile(r"\{([a-z_.]+)\}")


@dataclass(frozen=True)
class Basis:
    """Why something may be held: in a word, and with the article."""

    code: str
    short: str
    text: str


@dataclass(frozen=True)
class Field:
    """One row: a field of personal data. ``figure`` and ``starts`` say how long it is kept from
    when; where no figure does, ``until`` says it; ``note`` adds to either. ``paths`` are where it
    is stored."""

    name: str
    label: str
    purpose: str
    basis: tuple[str, ...]
    recipients: str
    figure: str | None
    starts: str
    until: str
    note: str
    sensitive: bool
    form: str
    masking: str
    closing: str
    group: str
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Notice:
    """The notice of 第十七条 in one version; ``short`` is what the chat says before it asks."""

    version: str
    start: date
    short: str
    text: str


class Privacy:
    """The whole table, read-only."""

    def __init__(
        self,
        controller: str,
        contact: str,
        bases: Mapping[str, Basis],
        fields: tuple[Field, ...],
        notices: tuple[Notice, ...],
        technical: tuple[str, ...],
    ) -> None:
        self.controller = controller
        self.contact = contact
        self.bases = dict(bases)
        self.fields = fields
        self.notices = notices
        self._technical = technical
        covered = [(f.name, p) for f in fields for p in f.paths]
        covered += [("", p) for p in technical]
        self._patterns = [(name, _pattern(path)) for name, path in covered]

    def notice(self, on: date) -> Notice:
        """The notice that holds on a day; before the first one, the first."""
        held = [n for n in self.notices if n.start <= on]
        return held[-1] if held else self.notices[0]

    def must_be_current(self, version: str, on: date) -> None:
        """Raises privacy-version-outdated unless ``version`` is the notice of that day."""
        current = self.notice(on).version
        if version != current:
            raise Refusal("privacy-version-outdated", version=current)

    def field_of(self, path: str) -> str | None:
        """The row that covers a stored path ``<collection>:<path>``: its name, an empty one for
        what says nothing about anybody, None when no row does."""
        return next((name for name, pattern in self._patterns if pattern.fullmatch(path)), None)

    def groups(self) -> frozenset[str]:
        """The field groups of all rows."""
        return frozenset(f.group for f in self.fields)


def _pattern(path: str) -> re.Pattern[str]:
    collection, _, steps = path.partition(":")
    every = []
    for step in steps.split("."):
        every.append({"*": r"[^.]+", "**": r".+"}.get(step, re.escape(step)))
    return re.compile(re.escape(collection) + ":" + r"\.".join(every))


def stored_paths(collection: str, document: Any) -> Iterator[str]:
    """Every path of a document that holds a value: ``<collection>:a.b``, list elements as ``[]``.
    An empty map or list holds nothing."""
    for path in _paths(document):
        yield f"{collection}:{path}"


def _paths(value: Any, before: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _paths(inner, f"{before}.{name}" if before else str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _paths(inner, f"{before}.[]")
    else:
        yield before


def kept(field: Field, parameters: Parameters, on: date) -> str:
    """How long a field is kept, in words: ``自办结起10年（未通过的3年）``."""

    def named(match: re.Match[str]) -> str:
        return period(parameters.at(match[1], on))

    note = f"（{_FIGURE.sub(named, field.note)}）" if field.note else ""
    if field.figure is None:
        return f"至{field.until}{note}"
    return f"自{field.starts}起{period(parameters.at(field.figure, on))}{note}"


_UNITS: Mapping[str, str] = {"years": "年", "days": "日", "hours": "小时", "minutes": "分钟"}
_DAY = 86_400


def period(figure: Figure) -> str:
    """A length of time as people say it. Raises KeyError for a unit that is none."""
    if figure.unit == "seconds" and figure.value % _DAY == 0:
        return f"{figure.value // _DAY}日"
    return f"{figure.value}{_UNITS[figure.unit]}"


def earlier(now: datetime, figure: Figure) -> datetime:
    """So long before ``now``. Years are calendar years. Raises KeyError for other units than
    years, days and hours."""
    if figure.unit == "years":
        day = now.day if (now.month, now.day) != (2, 29) else 28
        return now.replace(year=now.year - int(figure.value), day=day)
    return now - timedelta(**{_LENGTHS[figure.unit]: figure.value})


_LENGTHS: Mapping[str, str] = {"days": "days", "hours": "hours"}


def load_privacy(parameters: Parameters) -> Privacy:
    """The table. Raises RulebookError naming the key at the first slip."""
    content = parse(_FILE, files("rules").joinpath(_FILE).read_text("utf-8"))
    return build_privacy(content, parameters)


def build_privacy(content: Mapping[str, Any], parameters: Parameters) -> Privacy:
    """The table from a parsed file. Raises RulebookError."""
    table = Table(_FILE, "", content)
    named = table.table("bases")
    bases = {code: _basis(code, named.table(code)) for code in named.left()}
    fields = tuple(_field(t, bases, parameters) for t in table.tables("fields"))
    notices = tuple(_notice(t) for t in table.tables("notices"))
    other = table.table("technical")
    technical = other.words("paths")
    other.done()
    found = Privacy(
        table.take("controller", str),
        table.take("contact", str),
        bases,
        fields,
        notices,
        technical,
    )
    table.done()
    _well_made(table, found)
    return found


def _well_made(table: Table, privacy: Privacy) -> None:
    if not privacy.notices:
        raise table.fail("notices", "is missing")
    for once in ([f.name for f in privacy.fields], [n.version for n in privacy.notices]):
        for name, count in Counter(once).items():
            if count > 1:
                raise RulebookError(f"{_FILE}: {name} stands twice")
    starts = [n.start for n in privacy.notices]
    if starts != sorted(set(starts)):
        raise table.fail("notices", "must stand in order of their days")


def _basis(code: str, table: Table) -> Basis:
    basis = Basis(code, table.take("short", str), table.take("text", str))
    table.done()
    return basis


def _notice(table: Table) -> Notice:
    notice = Notice(
        table.take("version", str),
        table.take("from", date),
        table.take("short", str),
        table.take("text", str).strip(),
    )
    table.done()
    return notice


def _field(table: Table, bases: Mapping[str, Basis], parameters: Parameters) -> Field:
    basis = table.words("basis", required=True)
    for code in basis:
        if code not in bases:
            raise table.fail("basis", f"names the unknown basis {code}")
    closing = table.take("closing", str)
    if closing not in _CLOSING:
        raise table.fail("closing", f"must be one of {', '.join(sorted(_CLOSING))}")
    kept_for = table.table("kept")
    note = _note(kept_for, parameters)
    figure, starts, until = _retention(kept_for, parameters)
    field = Field(
        name=table.take("name", str),
        label=table.take("label", str),
        purpose=table.take("purpose", str),
        basis=basis,
        recipients=table.take("recipients", str),
        figure=figure,
        starts=starts,
        until=until,
        note=note,
        sensitive=table.take("sensitive", bool),
        form=table.take("form", str),
        masking=table.take("masking", str),
        closing=closing,
        group=table.take("group", str),
        paths=table.words("paths"),
    )
    table.done()
    return field


def _note(table: Table, parameters: Parameters) -> str:
    note = table.take("note", str) if table.has("note") else ""
    for name in _FIGURE.findall(note):
        _known(table, "note", name, parameters)
    return note


def _retention(table: Table, parameters: Parameters) -> tuple[str | None, str, str]:
    if table.has("until"):
        until = table.take("until", str)
        table.done()
        return None, "", until
    figure, starts = table.take("figure", str), table.take("starts", str)
    _known(table, "figure", figure, parameters)
    table.done()
    return figure, starts, ""


def _known(table: Table, key: str, name: str, parameters: Parameters) -> None:
    if name not in parameters:
        raise table.fail(key, f"names the unknown parameter {name}")
