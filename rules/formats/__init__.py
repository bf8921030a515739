"""The columns of exchange files: the same for the command line, signed calls and the docs.

Files are CSV in UTF-8 with a header line of column names, in any order.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rules import id_number, names, phones
from rules.forms import FieldProblem, read_date
from rules.refusals import Refusal
from rules.toml_files import RulebookError, Table, read_folder

_LONGEST = 500


class RowProblem(ValueError):
    """A header or a row does not fit; ``column`` is its name, ``reason`` in Chinese."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(f"{column}: {reason}")
        self.column = column
        self.reason = reason


@dataclass(frozen=True)
class Column:
    """One column: its name in the header, what it is called, how its cells are read."""

    name: str
    label: str
    type: str
    required: bool
    options: tuple[str, ...]
    help: str

    def read(self, written: str) -> Any:
        """One cell, read by its type; None for an empty optional one. Raises RowProblem."""
        return _cell(self, written)


@dataclass(frozen=True)
class Format:
    """One kind of file. ``direction`` is import or export."""

    kind: str
    title: str
    direction: str
    columns: tuple[Column, ...]

    def check_header(self, header: Sequence[str]) -> None:
        """Raise RowProblem if a column is missing, unknown or there twice."""
        known = {c.name for c in self.columns}
        for name in header:
            if name not in known:
                raise RowProblem(name, "没有这一列")
            if list(header).count(name) > 1:
                raise RowProblem(name, "这一列重复")
        for column in self.columns:
            if column.required and column.name not in header:
                raise RowProblem(column.name, "缺少这一列")

    def read(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row's cells, read by their types: str, int or date; None for an empty optional one.

        Raises RowProblem at the first cell that does not fit, and for a row with too many or
        too few cells.
        """
        if None in row:
            raise RowProblem(self.columns[-1].name, "这一行的格子多于表头")
        return {c.name: _cell(c, row.get(c.name, "")) for c in self.columns}


class Formats:
    """Every kind of file, by name."""

    def __init__(self, formats: Iterable[Format]) -> None:
        self._formats = {f.kind: f for f in formats}

    def __getitem__(self, kind: str) -> Format:
        """Raises KeyError for an unknown kind."""
        return self._formats[kind]

    def __iter__(self) -> Iterator[Format]:
        return iter(self._formats.values())

    def __contains__(self, kind: object) -> bool:
        return kind in self._formats


def _cell(column: Column, written: str | None) -> Any:
    if written is None:
        raise RowProblem(column.name, "这一行的格子少于表头")
    text = written.strip()
    if not text:
        if column.required:
            raise RowProblem(column.name, "不能为空")
        return None
    if len(text) > _LONGEST:
        raise RowProblem(column.name, f"超过{_LONGEST}个字符")
    try:
        return _TYPES[column.type](column, text)
    except (Refusal, FieldProblem, ValueError) as error:
        # The cell itself is never repeated: it may hold a person's data.
        raise RowProblem(column.name, _REASONS[column.type]) from error


def _choice(column: Column, text: str) -> str:
    if text not in column.options:
        raise RowProblem(column.name, f"只能是：{'、'.join(column.options)}")
    return text


def _code(column: Column, text: str) -> str:
    if not text.isascii() or not text.replace("-", "").replace("_", "").isalnum():
        raise ValueError
    return text


def _number(column: Column, text: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise ValueError
    return int(text)


_TYPES: Mapping[str, Callable[[Column, str], Any]] = {
    "text": lambda column, text: text,
    "code": _code,
    "choice": _choice,
    "number": _number,
    "date": lambda column, text: read_date(text),
    "time": lambda column, text: text,
    "id_number": lambda column, text: id_number.normalise(text),
    "name": lambda column, text: names.normalise(text),
    "phone": lambda column, text: phones.normalise(text),
}

_REASONS: Mapping[str, str] = {
    "text": "不正确",
    "code": "只能用字母、数字和连字符",
    "choice": "不在可选的值中",
    "number": "应为不带符号的整数",
    "date": "应为日期，例如2027-03-01",
    "time": "应为时间",
    "id_number": "身份证号码不正确（18位，含校验位）",
    "name": "姓名不正确",
    "phone": "手机号码不正确（11位）",
}


def load_formats() -> Formats:
    """All formats of this folder. Raises RulebookError naming file and key."""
    return build_formats(read_folder(__name__))


def build_formats(sources: Iterable[tuple[str, Mapping[str, Any]]]) -> Formats:
    """Formats from (file name, content) pairs. Raises RulebookError."""
    return Formats(_format(Table(file, "", content)) for file, content in sources)


def _format(table: Table) -> Format:
    kind = table.take("kind", str)
    if table.file != f"{kind}.toml":
        raise table.fail("kind", "must be the file's name")
    direction = table.take("direction", str)
    if direction not in ("import", "export"):
        raise table.fail("direction", "must be import or export")
    columns = tuple(_column(t) for t in table.tables("columns"))
    found = [c.name for c in columns]
    if not columns or len(set(found)) != len(found):
        raise RulebookError(f"{table.file}: columns must be there, each once")
    made = Format(kind, table.take("title", str), direction, columns)
    table.done()
    return made


def _column(table: Table) -> Column:
    column = Column(
        name=table.take("name", str),
        label=table.take("label", str),
        type=table.take("type", str),
        required=table.take("required", bool),
        options=table.words("options"),
        help=table.take("help", str),
    )
    if column.type not in _TYPES:
        raise table.fail("type", f"must be one of {', '.join(sorted(_TYPES))}")
    if (column.type == "choice") != bool(column.options):
        raise table.fail("options", "belong to type choice, and only there")
    table.done()
    return column
