"""When a date is asked for before another WeChat account is bound, and which."""

from datetime import date

import pytest

from rules.people import Tier
from rules.rebinding import IdFact, asks_fact, fact_on_file, read_fact
from rules.refusals import Refusal

SIGNED = frozenset({Tier.DIRECT, Tier.FACE_SIGNED})
CARD, LICENCE = date(2031, 5, 2), date(2011, 2, 1)


def test_the_card_is_asked_for_before_the_licence() -> None:
    assert fact_on_file(CARD, LICENCE) == IdFact("card", CARD)
    assert fact_on_file(None, LICENCE) == IdFact("licence", LICENCE)
    with pytest.raises(Refusal, match="id-fact-window"):
        fact_on_file(None, None)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2031-05-02", CARD),
        ("2031年5月2日", CARD),
        ("２０３１０５０２", CARD),
        ("长期", date(9999, 12, 31)),
        (" 长期有效 ", date(9999, 12, 31)),
        ("9999-12-31", date(9999, 12, 31)),
        ("2031-02-30", None),
        ("不知道", None),
        ("", None),
    ],
)
def test_a_day_as_people_write_it(written: str, day: date | None) -> None:
    assert read_fact(written) == day


@pytest.mark.parametrize(
    ("current", "last", "asked"),
    [
        (None, None, False),
        ("mine", None, False),
        (None, "mine", False),
        ("other", None, True),
        (None, "other", True),
        ("other", "mine", True),
    ],
)
def test_it_is_asked_of_the_face_signed_when_an_account_is_replaced(
    current: str | None, last: str | None, asked: bool
) -> None:
    assert asks_fact(SIGNED, "mine", current, last) is asked
    assert not asks_fact(frozenset({Tier.DIRECT, Tier.STUDENT}), "mine", current, last)
