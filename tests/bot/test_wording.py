"""Numbered choices as people type them, and texts that WeChat takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.wording import MAX_BYTES, chosen, fit, numbered, tidy


@pytest.mark.parametrize(
    "text", ["2", "２", "2.", "二", "第2个", "第二个", "选2", "选二", "2、", "两", " 2 ", "2。"]
)
def test_second_choice_as_people_type_it(text: str) -> None:
    assert chosen(tidy(text), 3) == 1


@pytest.mark.parametrize("text", ["0", "4", "12", "2027", "a", "", "2 3", "二零二七年", "-1"])
def test_no_choice_of_three(text: str) -> None:
    assert chosen(tidy(text), 3) is None


def test_choices_are_numbered_from_one() -> None:
    assert numbered(["甲", "乙"]) == "1. 甲\n2. 乙"


@given(st.lists(st.text(alphabet="甲乙丙丁abc", max_size=300), max_size=60))
def test_a_fitted_text_is_never_longer_than_wechat_takes(lines: list[str]) -> None:
    assert len(fit("\n".join(lines), "……").encode()) <= 2048


def test_a_long_text_keeps_its_beginning_and_its_question() -> None:
    lines = ["标题", *[f"第{n}行，说明文字" for n in range(200)], "请回复数字：", "1. 是"]
    said = fit("\n".join(lines), "……")
    assert said.startswith("标题\n第0行") and said.endswith("请回复数字：\n1. 是")
    assert "\n……\n" in said


def test_a_text_that_fits_is_left_alone() -> None:
    text = "甲" * (MAX_BYTES // 3)
    assert fit(text, "……") == text
