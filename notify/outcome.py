"""What became of a message handed to a gateway: taken, rejected, or nobody knows."""

from dataclasses import dataclass
from typing import Literal

Action = Literal["retry", "other_channel", "give_up", "alarm"]
"""What follows a rejection: the same again later; the next channel; nothing helps; an operator
must look (configuration, quota), and meanwhile the next channel."""


@dataclass(frozen=True)
class Taken:
    """The gateway took the message; ``id`` is its reference, empty where it gives none."""

    id: str


@dataclass(frozen=True)
class Rejected:
    """The message is surely not on its way. ``detail`` holds no personal data."""

    code: str
    action: Action
    detail: str = ""


@dataclass(frozen=True)
class InDoubt:
    """The request went out and no usable answer came back: it may be on its way."""

    detail: str


Outcome = Taken | Rejected | InDoubt
