"""A driving school's file of students as people type it: headings, cells, and what is wrong.

A spreadsheet keeps at most fifteen digits of a number, so an ID number stored as a number has lost
its end: it is reported as such and never guessed. Dates come as dates, as Excel's day numbers or as
text; digits may be full-width; CSV files carry the apostrophes and equals signs people put before
long numbers. What a heading may look like: the column's name or its Chinese label.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from rules.formats import Column, Format, RowProblem

REASON, LINE = "原因", "行号"
"""The two columns an error file has beside the format's, passed over when it comes back."""

Cell = str | int | float | bool | date | datetime | None
"""What a CSV or a spreadsheet gives for one cell."""

_AS_TEXT = "号码被存成了数字，末几位已丢失：请把该列设为文本后重新填写"
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?[eE]\+?\d+", re.ASCII)
_QUOTED = re.compile(r'=?"(.*)"')
_EXACT_DIGITS = 15
_EXCEL_EPOCH = date(1899, 12, 30)
_EXCEL_DAYS = range(10_000, 80_000)


@dataclass(frozen=True)
class StudentRow:
    """One line of the file. ``texts`` are its cells as text, by column; ``problems`` are
    (column, reason), empty when every cell can be read."""

    line: int
    texts: Mapping[str, str]
    problems: tuple[tuple[str, str], ...] = ()


def columns_of(layout: Format, header: Sequence[Cell]) -> list[str | None]:
    """The column each heading stands for; None for one that is passed over.

    Raises RowProblem for an unknown heading (by its place), one that is there twice, and a required
    one that is missing.
    """
    known = {_plain(n): c.name for c in layout.columns for n in (c.name, c.label)}
    labels = {c.name: c.label for c in layout.columns}
    found: list[str | None] = []
    for place, heading in enumerate(header, 1):
        word = _plain(heading)
        if not word or word in (REASON, LINE):
            found.append(None)
            continue
        if word not in known:
            # Never repeated: a file without headings begins with somebody's data.
            raise RowProblem(f"第{place}列", "的标题不认识，请使用模板的表头")
        if known[word] in found:
            raise RowProblem(labels[known[word]], "这一列出现了两次")
        found.append(known[word])
    for column in layout.columns:
        if column.required and column.name not in found:
            raise RowProblem(column.label, "缺少这一列，请使用模板的表头")
    return found


def read_rows(
    layout: Format, header: Sequence[Cell], lines: Sequence[tuple[int, Sequence[Cell]]]
) -> list[StudentRow]:
    """Every line that holds anything, read. Of lines with one ID number the first one counts, the
    others say so. Raises RowProblem where the header does not fit."""
    names = columns_of(layout, header)
    first_line: dict[str, int] = {}
    rows: list[StudentRow] = []
    for line, cells in lines:
        given = {n: c for n, c in zip(names, cells, strict=False) if n is not None}
        row = _read(layout, line, given)
        if not any(row.texts.values()):
            continue
        number = row.texts["id_number"]
        if number and number in first_line:
            again = ("id_number", f"与第{first_line[number]}行重复")
            row = StudentRow(line, row.texts, (*row.problems, again))
        first_line.setdefault(number, line)
        rows.append(row)
    return rows


def _read(layout: Format, line: int, given: Mapping[str, Cell]) -> StudentRow:
    texts: dict[str, str] = {}
    problems: list[tuple[str, str]] = []
    for column in layout.columns:
        text = as_text(given.get(column.name))
        try:
            text = _repaired(column, given.get(column.name), text)
            value = column.read(text)
            texts[column.name] = "" if value is None else str(value)
        except RowProblem as problem:
            texts[column.name] = text
            problems.append((column.name, problem.reason))
    return StudentRow(line, texts, tuple(problems))


def as_text(cell: Cell) -> str:
    """A cell as it would be read aloud: whole numbers without a point, dates as ``2026-11-02``."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    text = unicodedata.normalize("NFKC", str(cell)).strip()
    quoted = _QUOTED.fullmatch(text)
    return (quoted.group(1) if quoted else text.removeprefix("'")).strip()


def _repaired(column: Column, cell: Cell, text: str) -> str:
    """What a spreadsheet did to the cell taken back, where that is possible."""
    if column.type in ("id_number", "phone"):
        stored_as_number = isinstance(cell, int | float) and len(text) > _EXACT_DIGITS
        if stored_as_number or _SCIENTIFIC.fullmatch(text):
            raise RowProblem(column.name, _AS_TEXT)
    if column.type == "date" and text.isascii() and text.isdecimal() and int(text) in _EXCEL_DAYS:
        return (_EXCEL_EPOCH + timedelta(days=int(text))).isoformat()
    return text


def _plain(heading: Cell) -> str:
    text = unicodedata.normalize("NFKC", str(heading or ""))
    return "".join(text.split()).strip("*:").split("(")[0]
