"""Who acts: tiers of citizens (注册用户), actors of events, the citizen as the doors see him."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Tier(StrEnum):
    """What a registration proves; tiers combine (a face-signed learner is both)."""

    DIRECT = "direct"
    STUDENT = "student"
    FACE_SIGNED = "face_signed"


@dataclass(frozen=True)
class Actor:
    """Who caused an event: never a name, always a key that can be looked up with rights.

    ``key`` is the ID-number key of a citizen, the user name of an officer or of a school's clerk,
    or the name of the part of the system that acted.
    """

    kind: Literal["citizen", "officer", "school", "system", "exchange"]
    key: str
    office: str | None = None


@dataclass(frozen=True)
class Citizen:
    """A registered person, in clear; lives for one request only."""

    key: str
    id_number: str
    name: str
    phone: str
    tiers: frozenset[Tier]

    @property
    def actor(self) -> Actor:
        """The citizen as the actor of an event."""
        return Actor("citizen", self.key)
