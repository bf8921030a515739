"""Citizens' ID numbers (GB 11643): 6 region, 8 birth, 3 order (odd male), check digit mod 11-2."""

import re
import unicodedata
from datetime import date
from typing import Literal

from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from rules.refusals import Refusal

_SHAPE = re.compile(r"\d{17}[\dX]", re.ASCII)
_OLD_SHAPE = re.compile(r"\d{15}", re.ASCII)
_FILLING = str.maketrans("", "", " \t\n\r\u3000-–—")
_EARLIEST_YEAR = 1890

PROVINCES = frozenset({
    "11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37",
    "41", "42", "43", "44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64",
    "65", "71", "81", "82", "83",
})  # fmt: skip
"""First two digits in use (GB/T 2260); 81 to 83: residence permits of Hong Kong, Macao, Taiwan."""


def normalise(text: str, today: date | None = None) -> str:
    """The eighteen characters, from full-width digits, spaces, hyphens and a small x.

    ``today`` (Asia/Shanghai) refuses births in the future. Counties are not looked up: a number
    keeps the code of a county long dissolved. Raises Refusal ``id-number-15-digits`` for a
    well-formed number of the first generation, else ``id-number-invalid``.
    """
    number = unicodedata.normalize("NFKC", text).translate(_FILLING).upper()
    if _OLD_SHAPE.fullmatch(number):
        raise Refusal("id-number-15-digits")
    if not _SHAPE.fullmatch(number) or number[:2] not in PROVINCES:
        raise Refusal("id-number-invalid")
    if ric.calc_check_digit(number) != number[-1] or number[14:17] == "000":
        raise Refusal("id-number-invalid")
    try:
        born = birth_date(number)
    except ValidationError as error:
        raise Refusal("id-number-invalid") from error
    if born.year < _EARLIEST_YEAR or (today is not None and born > today):
        raise Refusal("id-number-invalid")
    return number


def birth_date(number: str) -> date:
    """The date of birth in a normalised number."""
    return ric.get_birth_date(number)


def age_on(number: str, day: date) -> int:
    """Full years on a day, of a normalised number: one more from each birthday on."""
    born = birth_date(number)
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def sex(number: str) -> Literal["male", "female"]:
    """The sex in a normalised number: an odd order is male."""
    return "male" if int(number[16]) % 2 else "female"


def region_of(number: str) -> str:
    """The six digits of the place of first registration."""
    return number[:6]
