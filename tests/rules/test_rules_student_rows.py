"""A school's rows as typed by people: what is read, what is taken back, what is reported."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.book import load_rulebook
from rules.formats import RowProblem
from rules.student_rows import Cell, columns_of, read_rows

LAYOUT = load_rulebook().formats["students"]
HEADER: list[Cell] = [c.label for c in LAYOUT.columns]
ID = "11010519491231002X"
GOOD: list[Cell] = [ID, "王小明", "13900010001", "C1", "初次申领", "2026-11-02", "市一院", None]


def row(**changed: Cell) -> list[Cell]:
    """A good row with some cells changed."""
    names = [c.name for c in LAYOUT.columns]
    return [changed.get(name, cell) for name, cell in zip(names, GOOD, strict=True)]


def read(*lines: list[Cell]) -> list[tuple[dict[str, str], dict[str, str]]]:
    """(texts, problems) of every line read."""
    rows = read_rows(LAYOUT, HEADER, list(enumerate(lines, 2)))
    return [(dict(r.texts), dict(r.problems)) for r in rows]


@pytest.mark.parametrize(
    ("column", "typed", "kept"),
    [
        ("id_number", "１１０１０５１９４９１２３１００２ｘ", ID),
        ("id_number", "'110105 19491231 002x", ID),
        ("id_number", '="11010519491231002X"', ID),
        ("phone", 13900010001, "13900010001"),
        ("phone", 13900010001.0, "13900010001"),
        ("phone", "+86 139-0001-0001", "13900010001"),
        ("medical_on", datetime(2026, 11, 2), "2026-11-02"),
        ("medical_on", date(2026, 11, 2), "2026-11-02"),
        ("medical_on", 46328, "2026-11-02"),
        ("medical_on", 46328.0, "2026-11-02"),
        ("medical_on", "46328", "2026-11-02"),
        ("medical_on", "2026年11月2日", "2026-11-02"),
        ("medical_on", "２０２６／１１／２", "2026-11-02"),
        ("medical_on", "20261102", "2026-11-02"),
        ("name", "阿依古丽.买买提", "阿依古丽·买买提"),
    ],
)
def test_what_people_and_spreadsheets_do_is_taken_back(column: str, typed: Cell, kept: str) -> None:
    ((texts, problems),) = read(row(**{column: typed}))
    assert problems == {} and texts[column] == kept


@pytest.mark.parametrize(
    "typed",
    [410105199001011000, 4.10105199001011e17, "4.10105E+17", "4.10105e17", 1.10105194912311e17],
)
def test_an_id_number_kept_as_a_number_is_reported_and_never_guessed(typed: Cell) -> None:
    ((_, problems),) = read(row(id_number=typed))
    assert "请把该列设为文本" in problems["id_number"]


def test_every_problem_of_a_row_is_told_and_its_text_kept() -> None:
    bad = row(id_number="11010519491231002", phone="12345", medical_on="2026-02-30", name="")
    ((texts, problems),) = read(bad)
    assert set(problems) == {"id_number", "phone", "medical_on", "name"}
    assert texts["phone"] == "12345" and texts["medical_on"] == "2026-02-30"


def test_the_same_person_twice_in_a_file_and_empty_lines() -> None:
    empty: list[Cell] = [None, " ", "", None, None, None, None, None]
    first, second = read(row(), empty, row(name="王小红"))
    assert first[1] == {}
    assert second[1] == {"id_number": "与第2行重复"}


def test_headings_by_name_or_label_in_any_order_and_no_others() -> None:
    assert columns_of(LAYOUT, ["姓 名*", "ID_NUMBER".lower(), *HEADER[2:]])[:2] == [
        "name",
        "id_number",
    ]
    assert columns_of(LAYOUT, [*HEADER, "行号", "原因", None])[-3:] == [None, None, None]
    for header, named in (
        ([*HEADER, ID], "第9列"),
        ([*HEADER, "姓名"], "姓名"),
        (HEADER[1:], "身份证号"),
    ):
        with pytest.raises(RowProblem) as caught:
            columns_of(LAYOUT, header)
        assert caught.value.column == named and ID not in str(caught.value)


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.text(max_size=30),
            st.integers(),
            st.floats(),
            st.booleans(),
            st.dates(),
            st.datetimes(),
        ),
        max_size=12,
    )
)
def test_no_cell_breaks_the_reading(cells: list[Cell]) -> None:
    for texts, problems in read(cells):
        assert set(texts) == {c.name for c in LAYOUT.columns}
        assert all(problems.values())
