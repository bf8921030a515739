"""Reading forms as people fill them in."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.book import load_rulebook
from rules.fields import Checks, Field
from rules.forms import FieldProblem, check_field, display, read_date, read_values

TODAY = date(2026, 11, 23)
SERVICE = load_rulebook().catalogue["licence-deferral"]
REASON, UNTIL, NOTE = SERVICE.fields


@pytest.mark.parametrize(
    "written",
    [
        "2027-03-01",
        "2027-3-1",
        "2027/3/1",
        "2027.3.1",
        "20270301",
        "2027年3月1日",
        "2027年03月01日",
        "2027年3月1号",
        "2027 年 3 月 1 日",
        "２０２７年３月１日",
        "２０２７０３０１",
        "2027－03－01",
        " 2027–3–1 ",
    ],
)
def test_dates_as_people_write_them(written: str) -> None:
    assert check_field(UNTIL, written, TODAY) == "2027-03-01"


@given(st.dates(date(1900, 1, 1), date(2999, 12, 31)))
def test_every_date_is_read_back_from_what_is_shown(day: date) -> None:
    assert read_date(display(UNTIL, day.isoformat())) == day
    assert read_date(day.isoformat()) == day


@pytest.mark.parametrize(
    "written", ["明年三月", "3月1日", "2027-13-01", "2027-02-29", "270301", "x"]
)
def test_what_is_no_date(written: str) -> None:
    with pytest.raises(FieldProblem):
        check_field(UNTIL, written, TODAY)


@given(st.text(max_size=30))
def test_any_text_is_a_date_or_a_problem_in_chinese(written: str) -> None:
    try:
        check_field(UNTIL, written, TODAY)
    except FieldProblem as problem:
        assert problem.reason


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("服兵役", "military"),
        ("military", "military"),
        ("1", "military"),
        ("２", "abroad"),
        ("出国（境）", "abroad"),
        ("出国(境)", "abroad"),
        ("我要出国留学", "abroad"),
        ("其它", "other"),
        (" 其 他 ", "other"),
    ],
)
def test_choices_as_people_answer_them(written: str, value: str) -> None:
    assert check_field(REASON, written, TODAY) == value


@pytest.mark.parametrize("written", ["0", "4", "不知道", "出国还是当兵", "12"])
def test_what_is_no_choice(written: str) -> None:
    with pytest.raises(FieldProblem, match="请从中选一项：1 服兵役、2 出国（境）、3 其他"):
        check_field(REASON, written, TODAY)


def test_texts_have_an_end() -> None:
    assert check_field(NOTE, " 公司外派 ", TODAY) == "公司外派"
    assert check_field(NOTE, "字" * 100, TODAY)
    assert check_field(NOTE, "", TODAY) == ""
    for bad in ("字" * 101, "a\x00b", "a\x1bb"):
        with pytest.raises(FieldProblem):
            check_field(NOTE, bad, TODAY)


def test_a_phone_field() -> None:
    field = Field("phone", "联系电话", "phone", True, Checks(), (), "x", "x")
    assert check_field(field, "138 1234 5678", TODAY) == "13812345678"
    for bad in ("", "12345"):
        with pytest.raises(FieldProblem):
            check_field(field, bad, TODAY)


def test_every_problem_of_a_form_is_told_at_once() -> None:
    clean, problems = read_values(
        SERVICE, {"reason": "出国", "until": "2026-11-23", "nonsense": "x"}, TODAY
    )
    assert clean == {"reason": "abroad"}
    assert [(p["part"], p["label"]) for p in problems] == [
        ("field:until", "延期截止日期"),
        ("field:nonsense", "nonsense"),
    ]
    assert problems[0]["reason"] == "须晚于今天，请重新填写"


def test_values_are_shown_in_words() -> None:
    assert display(REASON, "abroad") == "出国（境）"
    assert display(UNTIL, "2027-03-01") == "2027年3月1日"
    assert display(UNTIL, "") == ""
    assert display(NOTE, "公司外派") == "公司外派"
