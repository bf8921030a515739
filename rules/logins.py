"""Logins of devices: which token still stands for one, which was given away before.

A token is ``<ID-number key>.<device>.<family>.<secret>``. The family stays the same for as long as
the device is logged in and only proves that a token was once given to it; the secret changes at
every renewal. A secret that was replaced works for a short grace, for an answer lost on the way;
who comes with it later has a copy, and nobody can say which of the two is the thief, so the whole
device is signed out.
"""

import hmac
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

Standing = Literal["valid", "graced", "reused", "unknown"]
"""What a token is worth: the device's own; the one before it, within the grace; one that was
replaced longer ago; nothing."""


@dataclass(frozen=True)
class Device:
    """A device that is logged in, or was signed out because a copy of its token was used.

    ``label`` is what the citizen calls it, sealed. ``seen`` is the day it was last used: no time,
    no place. ``family``, ``secret`` and ``before`` are hashes. ``expires_at`` is the end of its
    token, ``ends_at`` that of the login however often the token is renewed.
    """

    id: str
    app: str
    label: bytes
    since: date
    seen: date
    expires_at: datetime
    ends_at: datetime
    family: str = ""
    secret: str = ""
    before: str = ""
    before_until: datetime | None = None
    reused_on: date | None = None

    @property
    def signed_in(self) -> bool:
        """Whether it was not signed out for a token used twice."""
        return self.reused_on is None


@dataclass(frozen=True)
class Token:
    """A bearer token in its parts; ``proofs`` are the two secret ones."""

    key: str
    device: str
    family: str
    secret: str

    @classmethod
    def read(cls, written: str | None) -> "Token | None":
        """The parts of a token as sent; None for what is none."""
        parts = (written or "").split(".")
        return cls(*parts) if len(parts) == 4 and all(parts) else None

    def __str__(self) -> str:
        return f"{self.key}.{self.device}.{self.family}.{self.secret}"


def standing(device: Device, family: str, secret: str, now: datetime) -> Standing:
    """What a token with these hashes is worth for this device."""
    if not device.signed_in or device.expires_at <= now:
        return "unknown"
    if not hmac.compare_digest(device.family, family):
        return "unknown"
    if hmac.compare_digest(device.secret, secret):
        return "valid"
    in_grace = device.before_until is not None and device.before_until > now
    if in_grace and hmac.compare_digest(device.before, secret):
        return "graced"
    return "reused"


def expiry(now: datetime, token: timedelta, ends_at: datetime) -> datetime:
    """When a token given now ends: the login's end is never put off."""
    return min(now + token, ends_at)
