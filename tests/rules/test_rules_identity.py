"""ID numbers, names, phones and what is shown of them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from rules import id_number, masking, names, phones
from rules.refusals import Refusal

TODAY = date(2026, 11, 23)


def made(region: str, born: date, order: int) -> str:
    body = f"{region}{born:%Y%m%d}{order:03d}"
    return body + ric.calc_check_digit(body + "0")


numbers = st.builds(
    made,
    st.sampled_from(["410105", "419001", "110101", "650102", "810000"]),
    st.dates(date(1900, 1, 1), TODAY),
    st.integers(1, 999),
)


def refused(text: str) -> str:
    with pytest.raises(Refusal) as caught:
        id_number.normalise(text, TODAY)
    return caught.value.code


@given(numbers)
def test_every_well_made_number_is_read_however_it_is_written(number: str) -> None:
    wide = "".join(chr(ord(c) + 0xFEE0) for c in number)
    spaced = f" {number[:6]} {number[6:14]}-{number[14:].lower()} "
    assert id_number.normalise(wide, TODAY) == number
    assert id_number.normalise(spaced, TODAY) == number


@given(numbers, st.integers(0, 17), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(number: str, place: int, shift: int) -> None:
    if not number[place].isdigit():
        return
    wrong = number[:place] + str((int(number[place]) + shift) % 10) + number[place + 1 :]
    assert refused(wrong) == "id-number-invalid"


@given(numbers, st.integers(0, 16))
def test_swapped_neighbours_are_noticed(number: str, place: int) -> None:
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    if swapped != number:
        assert refused(swapped) == "id-number-invalid"


@given(st.text(max_size=40))
def test_anything_else_is_refused_by_name(text: str) -> None:
    assert refused(text) in ("id-number-invalid", "id-number-15-digits")


def test_a_dissolved_county_and_the_county_table() -> None:
    # 410105 of 1982: right on the card, though not in the table of counties.
    assert id_number.normalise(made("410105", date(1982, 6, 15), 1), TODAY)


def test_parts_of_a_number() -> None:
    number = made("410105", date(1990, 1, 1), 123)
    assert id_number.birth_date(number) == date(1990, 1, 1)
    assert id_number.sex(number) == "male"
    assert id_number.sex(made("410105", date(1990, 1, 1), 124)) == "female"
    assert id_number.region_of(number) == "410105"


def test_births_today_pass_and_tomorrow_do_not() -> None:
    assert id_number.normalise(made("410105", TODAY, 1), TODAY)
    assert refused(made("410105", date(2026, 11, 24), 1)) == "id-number-invalid"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("410105820615001", "id-number-15-digits"),
        (made("990105", date(1990, 1, 1), 1), "id-number-invalid"),
        (made("410105", date(1990, 1, 1), 0), "id-number-invalid"),
        (made("410105", date(1800, 1, 1), 1), "id-number-invalid"),
        ("41010519900230001" + ric.calc_check_digit("410105199002300010"), "id-number-invalid"),
        ("", "id-number-invalid"),
    ],
)
def test_refused_numbers(text: str, code: str) -> None:
    assert refused(text) == code


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("王小明", "王小明"),
        (" 王 小 明 ", "王小明"),
        ("阿依古丽·买买提", "阿依古丽·买买提"),
        ("阿依古丽.买买提", "阿依古丽·买买提"),
        ("阿依古丽•买买提", "阿依古丽·买买提"),
        ("王\u3000明", "王明"),
        ("㛃一", "㛃一"),
        ("𠮷田", "𠮷田"),
        ("李〇", "李〇"),
    ],
)
def test_names_as_people_write_them(written: str, name: str) -> None:
    assert names.normalise(written) == name


@pytest.mark.parametrize("text", ["", "王", "Tom", "王1", "·王明", "王··明", "王明!", "王" * 51])
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(Refusal, match="name-invalid"):
        names.normalise(text)


@pytest.mark.parametrize(
    "written",
    [
        "13812345678",
        "138 1234 5678",
        "+86 138-1234-5678",
        "008613812345678",
        "１３８１２３４５６７８",
    ],
)
def test_phones_as_people_write_them(written: str) -> None:
    assert phones.normalise(written) == "13812345678"


@pytest.mark.parametrize("text", ["", "12812345678", "1381234567", "138123456789", "037112345678"])
def test_what_is_no_mobile_phone(text: str) -> None:
    with pytest.raises(Refusal, match="phone-invalid"):
        phones.normalise(text)


@given(st.text(max_size=30))
def test_any_text_is_a_phone_or_refused(text: str) -> None:
    try:
        assert len(phones.normalise(text)) == 11
    except Refusal as refusal:
        assert refusal.code == "phone-invalid"


def test_masks() -> None:
    assert masking.mask_id("410105199001011234") == "4101**********1234"
    assert masking.mask_licence("410105199001011234") == "4101**********1234"
    assert masking.mask_phone("13812345678") == "138****5678"
    assert masking.mask_name("王小明") == "王**"
    assert masking.mask_name("") == ""


@given(st.text(max_size=30))
def test_a_mask_keeps_the_length_and_hides_something(text: str) -> None:
    shown = masking.mask_id(text)
    assert len(shown) == len(text)
    assert not text or "*" in shown
