"""The matter (办件): one document with its timeline, as the rules see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from rules.people import Actor


class State(StrEnum):
    """Where a matter stands; ``rules.flow`` holds the only ways from one to the next."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    CORRECTION = "correction"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    FINISHED = "finished"
    # a booking, before it is one and while it is
    TAKING = "taking"
    WAITING = "waiting"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"


@dataclass(frozen=True)
class Event:
    """One line of a timeline. ``cause`` is the idempotency key of what brought it about."""

    id: str
    type: str
    at: datetime
    actor: Actor
    cause: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NewEvent:
    """An event as a rule decides it, before casework gives it an id and a time."""

    type: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Photo:
    """A material's photo as stored: re-encoded, encrypted, without EXIF.

    ``width`` and ``height`` in pixels, ``bytes`` the size of the stored image; ``checks`` names
    what the upload checks noticed without refusing it; ``source`` is the digest of what was
    uploaded, where the same picture must be known again.
    """

    id: str
    material: str
    media_type: str
    width: int
    height: int
    bytes: int
    added_at: datetime
    thumbnail: str
    checks: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True)
class Defect:
    """What an officer found wrong with one part: ``field:<name>`` or ``material:<name>``."""

    part: str
    reason: str


@dataclass(frozen=True)
class Matter:
    """A matter as read at ``version``. Applicant and subject are ID-number keys; ``since`` is when
    it came into its state, ``school`` the driving school of a student; ``mandate`` names the grant
    by which the applicant acts for the subject (rules.mandates)."""

    number: str
    service: str
    state: State
    version: int
    applicant: str
    subject: str
    form: Mapping[str, str]
    photos: tuple[Photo, ...]
    timeline: tuple[Event, ...]
    office: str | None
    created_at: datetime
    since: datetime
    submitted_at: datetime | None = None
    due: datetime | None = None
    defects: tuple[Defect, ...] = ()
    school: str = ""
    mandate: str | None = None

    def by_agent(self, key: str) -> bool:
        """Whether that person takes his steps in this matter as an agent."""
        return self.mandate is not None and key == self.applicant

    def event_of(self, cause: str) -> Event | None:
        """The event that ``cause`` already brought about, if any: a repeated request."""
        return next((e for e in self.timeline if e.cause == cause), None)

    def last(self, event_type: str) -> Event | None:
        """The newest event of that type."""
        return next((e for e in reversed(self.timeline) if e.type == event_type), None)

    def photos_of(self, material: str) -> tuple[Photo, ...]:
        """The photos given for one material, in the order they came."""
        return tuple(p for p in self.photos if p.material == material)


def thrown_away(state: State, submitted_at: datetime | None) -> bool:
    """Whether it ended before it was handed in: a draft thrown away, or a booking its plan turned
    away. Nobody is shown it."""
    return state is State.WITHDRAWN and submitted_at is None
