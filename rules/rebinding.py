"""Binding another WeChat account to an account that has, or had, one (REQ A5).

Whoever found or stole a phone also receives its SMS codes, so for face-signed citizens the code is
not enough: a date that stands on one of their documents is asked for as well. What is asked is the
platform's own setting. Who cannot give it goes to the window.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from rules.forms import FieldProblem, read_date
from rules.people import Tier
from rules.refusals import Refusal

_FOR_LIFE = date(9999, 12, 31)
_FOR_LIFE_WORDS = frozenset({"长期", "长期有效", "永久"})


@dataclass(frozen=True)
class IdFact:
    """A date on a document: until when the ID card is valid, or when the licence was first
    issued."""

    kind: Literal["card", "licence"]
    day: date


def fact_on_file(card_until: date | None, licence_since: date | None) -> IdFact:
    """What is asked: of the card if the registry has it, else of the licence. Raises
    id-fact-window when neither is known."""
    if card_until is not None:
        return IdFact("card", card_until)
    if licence_since is not None:
        return IdFact("licence", licence_since)
    raise Refusal("id-fact-window")


def read_fact(written: str) -> date | None:
    """The day a citizen named, also 长期; None for what is no day at all."""
    if "".join(written.split()) in _FOR_LIFE_WORDS:
        return _FOR_LIFE
    try:
        return read_date(written)
    except FieldProblem:
        return None


def asks_fact(tiers: frozenset[Tier], account: str, current: str | None, last: str | None) -> bool:
    """Whether binding ``account`` needs a fact beside the code: of the face-signed, unless they
    have no account in this app and had none but this one. Accounts are blind indexes."""
    if Tier.FACE_SIGNED not in tiers:
        return False
    return account != (current or last or account)
