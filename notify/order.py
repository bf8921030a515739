"""Which channels reach a citizen, in the order they are tried."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class Channel(StrEnum):
    """A way to reach someone."""

    SUBSCRIBE = "subscribe"
    SMS = "sms"


@dataclass(frozen=True)
class Reach:
    """How a citizen can be reached: whether WeChat is bound and a phone known, and how many
    consents to the template are left."""

    mini_openid: bool
    consents: int
    phone: bool


def channels(reach: Reach, closed: Collection[str] = ()) -> tuple[Channel, ...]:
    """A subscribe message where the citizen bound his WeChat and consented, then SMS; without
    the channels that refused this notice already. Empty when nothing is left."""
    open_ones = {
        Channel.SUBSCRIBE: reach.mini_openid and reach.consents > 0,
        Channel.SMS: reach.phone,
    }
    return tuple(c for c, usable in open_ones.items() if usable and c.value not in closed)
