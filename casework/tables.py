"""Tables as schools send them, read in an image process: its memory and seconds are bounded, so a
file made to burst costs that process and nothing else.

A table is CSV (UTF-8, UTF-16 or GB18030; commas, semicolons or tabs) or the first sheet of an XLSX.
"""

import csv
import io
import signal
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from cryptography.exceptions import InvalidTag
from defusedxml.common import DefusedXmlException
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font
from openpyxl.utils.exceptions import InvalidFileException

from casework.imaging import TASK_SECONDS, Sealed, unsealed
from rules.refusals import Refusal
from rules.student_rows import Cell

UNPACKED_BYTES = 64 * 1024 * 1024
"""What an XLSX may be when unpacked; 5,000 rows are a few megabytes."""
_PARTS = 500
_CELLS = 60
_CELL_CHARS = 500
_ENCODINGS = ("utf-8-sig", "gb18030")
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_DELIMITERS = ",;\t"
_OLE = b"\xd0\xcf\x11\xe0"
"""How an XLS of the last century begins, and an XLSX with a password."""


@dataclass(frozen=True)
class TableContent:
    """Heading and lines of a table, each with the number it has in the file."""

    header: list[Cell]
    lines: list[tuple[int, list[Cell]]]


def read(sealed: Sealed, most: int) -> TableContent:
    """A received table of at most ``most`` lines below its heading.

    Raises Refusal table-type, table-locked, table-encoding, table-empty, table-too-long,
    table-bomb.
    """
    try:
        signal.setitimer(signal.ITIMER_REAL, TASK_SECONDS)
        return content_of(unsealed(sealed), most)
    except MemoryError:
        raise Refusal("table-bomb") from None
    except InvalidTag:
        raise Refusal("table-type") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def content_of(content: bytes, most: int) -> TableContent:
    """The same from bytes."""
    if content.startswith(_OLE):
        raise Refusal("table-locked")
    lines = _xlsx(content) if content.startswith(b"PK") else _csv(content)
    header: list[Cell] | None = None
    found: list[tuple[int, list[Cell]]] = []
    for number, cells in lines:
        if all(cell in (None, "") for cell in cells):
            continue
        if header is None:
            header = cells
        elif len(found) == most:
            raise Refusal("table-too-long", rows=str(most))
        else:
            found.append((number, cells))
    if header is None or not found:
        raise Refusal("table-empty")
    return TableContent(header, found)


def _csv(content: bytes) -> Iterator[tuple[int, list[Cell]]]:
    text = _decoded(content)
    first = text[: text.find("\n")] if "\n" in text else text
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            yield reader.line_num, [cell[:_CELL_CHARS] for cell in cells[:_CELLS]]
    except csv.Error as error:
        raise Refusal("table-type") from error


def _decoded(content: bytes) -> str:
    marked = _MARKS.get(content[:2])
    for encoding in (marked,) if marked else _ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break  # something binary
        return text
    raise Refusal("table-encoding")


def _xlsx(content: bytes) -> Iterator[tuple[int, list[Cell]]]:
    try:
        _check_package(content)
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        try:
            sheet = book.worksheets[0]
            # Files of other programs often name a wrong size, and would be read only so far.
            sheet.reset_dimensions()
            rows: Iterable[Sequence[object]] = sheet.iter_rows(max_col=_CELLS, values_only=True)
            for number, cells in enumerate(rows, 1):
                yield number, _without_tail([_cell(cell) for cell in cells])
        finally:
            book.close()
    except DefusedXmlException as error:
        raise Refusal("table-bomb") from error
    except (
        *(zipfile.BadZipFile, InvalidFileException, KeyError, IndexError, ValueError),
        *(TypeError, AttributeError, EOFError, OSError, SyntaxError, NotImplementedError),
        zlib.error,
    ) as error:
        # Whatever a broken or strange file makes the reader stumble over.
        raise Refusal("table-type") from error


def _check_package(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        parts = package.infolist()
        if any(part.flag_bits & 1 for part in parts):
            raise Refusal("table-locked")
        # zipfile gives no more of a part than the package says it has.
        if len(parts) > _PARTS or sum(part.file_size for part in parts) > UNPACKED_BYTES:
            raise Refusal("table-bomb")


def _without_tail(cells: list[Cell]) -> list[Cell]:
    while cells and cells[-1] is None:
        cells.pop()
    return cells


def _cell(value: object) -> Cell:
    if value is None or isinstance(value, bool | int | float | datetime | date):
        return value
    return str(value)[:_CELL_CHARS]


def write_csv(rows: Iterable[Sequence[str]]) -> bytes:
    """CSV that Excel opens as it should: with UTF-8's mark, and no cell taken for a formula."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([_inert(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def write_xlsx(rows: Iterable[Sequence[str]], title: str) -> bytes:
    """One sheet with every cell stored as text, so that long numbers stay whole."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None  # a new book has one
    sheet.title = title
    for number, row in enumerate(rows, 1):
        for place, value in enumerate(row, 1):
            cell = sheet.cell(number, place, value)
            cell.number_format = "@"
            cell.data_type = "s"
            if number == 1:
                cell.font = Font(bold=True)
                sheet.column_dimensions[cell.column_letter].width = 22
    # Lines still empty are text too: whoever types an ID number there keeps its end.
    for letter in list(sheet.column_dimensions):
        sheet.column_dimensions[letter].number_format = "@"
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()
