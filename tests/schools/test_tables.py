"""Tables of every make are read the same; what is none, or made to burst, is refused by name."""

import io
import zipfile
from datetime import datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from casework.photos import PhotoLab
from casework.tables import content_of, write_csv, write_xlsx
from rules.refusals import Refusal
from rules.student_rows import Cell

HEADER = ["身份证号", "姓名"]
LINE = ["11010519491231002X", "王小明"]


def xlsx(*rows: list[Cell]) -> bytes:
    """A workbook as a school's spreadsheet program makes it."""
    book = Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(row)
    book.create_sheet("说明").append(["别的表"])
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        "身份证号,姓名\r\n11010519491231002X,王小明\r\n".encode(),
        "身份证号,姓名\n\n11010519491231002X,王小明".encode("utf-8-sig"),
        "身份证号,姓名\n11010519491231002X,王小明\n".encode("gb18030"),
        "身份证号;姓名\n11010519491231002X;王小明\n".encode(),
        "身份证号\t姓名\n11010519491231002X\t王小明\n".encode("utf-16"),
        xlsx(list(HEADER), [None, None], list(LINE)),
        write_csv([HEADER, LINE]),
        write_xlsx([HEADER, LINE], "学员"),
    ],
)
def test_tables_of_every_make(content: bytes) -> None:
    table = content_of(content, 10)
    assert table.header == HEADER
    assert [cells for _, cells in table.lines] == [LINE]


def test_numbers_and_dates_of_a_spreadsheet_stay_what_they_are() -> None:
    table = content_of(xlsx(["a", "b"], [13900010001, datetime(2026, 11, 2)]), 10)
    assert table.lines == [(2, [13900010001, datetime(2026, 11, 2)])]


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml"])
def test_a_spoilt_spreadsheet_is_named_so(part: str) -> None:
    content = bytearray(xlsx(list(HEADER), *([f"{n}", "王小明"] for n in range(50))))
    entry = zipfile.ZipFile(io.BytesIO(content)).getinfo(part)
    begins = entry.header_offset + 30 + len(part)
    for place in range(begins + 2, begins + entry.compress_size):
        content[place] = 0xFF
    with pytest.raises(Refusal) as refused:
        content_of(bytes(content), 100)
    assert refused.value.code == "table-type"


def test_lines_are_counted_as_the_file_shows_them() -> None:
    table = content_of(b"a,b\n1,2\n\n3,4\n", 10)
    assert [line for line, _ in table.lines] == [2, 4]


def bomb() -> bytes:
    """A workbook whose sheet unpacks to more than is allowed."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(xlsx(["a"]))) as source,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for part in source.infolist():
            target.writestr(part.filename, source.read(part))
        target.writestr("xl/media/big.bin", b"\0" * (65 * 1024 * 1024))
    return packed.getvalue()


def entities() -> bytes:
    """A workbook whose sheet declares entities that unfold without end."""
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 9))
    evil = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]><x>&l8;</x>'
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(xlsx(["a"], ["b"]))) as source,
        zipfile.ZipFile(packed, "w") as target,
    ):
        for part in source.infolist():
            is_sheet = part.filename == "xl/worksheets/sheet1.xml"
            target.writestr(part.filename, evil if is_sheet else source.read(part))
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "table-empty"),
        ("身份证号,姓名\n".encode(), "table-empty"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "table-locked"),
        (b"PK\x03\x04 no zip at all", "table-type"),
        (b"\xff\xd8\xff\xe0 a photo \x00\x00\xff", "table-encoding"),
        (b"a,b\n" + b"1,2\n" * 11, "table-too-long"),
        (bomb(), "table-bomb"),
        (entities(), "table-type"),
    ],
)
def test_what_is_no_table_is_refused_by_name(content: bytes, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        content_of(content, 10)
    assert refused.value.code == code


def test_a_formula_in_a_name_is_harmless_in_what_we_write() -> None:
    written = write_csv([["=cmd|' /C calc'!A0", "王小明"]]).decode("utf-8-sig")
    assert written.startswith("'=cmd") or written.startswith("\"'=cmd")


@pytest.mark.gen_test(timeout=120)
async def test_an_upload_is_read_in_a_process_of_its_own(tmp_path: Path) -> None:
    lab = PhotoLab(tmp_path, workers=1)
    try:
        async with lab.spool() as spool:
            await spool.write(xlsx(list(HEADER), list(LINE)))
            assert (await lab.read_table(spool, 10)).lines == [(2, LINE)]
        async with lab.spool() as spool:
            await spool.write(b"a,b\n")
            with pytest.raises(Refusal) as refused:
                await lab.read_table(spool, 10)
            assert refused.value == Refusal("table-empty")
    finally:
        await lab.stop()
