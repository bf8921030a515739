"""A mandate (委托): by it a citizen, the principal, lets a relative, the agent, act for him online.

One pair of principal and agent has one mandate, whose timeline holds every giving of it. Each
giving is a grant with a name of its own: what was begun under one grant is not open to the agent
under another. Dates end a mandate by themselves: ``standing`` says what it is worth now.

Agents are allowed by 公安部令第162号 第一百零五条 (licence) and 第164号 第八十六条 (vehicle), with
the principal's mandate and proof of the agent's identity. That the mandate may be given online,
confirmed by a code to the principal's phone, is the platform's own setting: the articles ask for a
mandate (委托书) and not for paper.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from rules.calendar import HOUSE_ZONE
from rules.matter import Event

DELEGABLE: Mapping[str, str] = {
    "licence": "公安部令第162号《机动车驾驶证申领和使用规定》第一百零五条",
    "vehicle": "公安部令第164号《机动车登记规定》第八十六条",
}
"""Business of rules.permissions that may be done by an agent, and by which article. Whether one of
its services takes an agent online is said in the service's file."""

RELATIONS = ("spouse", "parent", "child", "sibling", "grandparent", "other")
"""What the agent is to the principal, as the principal says it; labels in mandates.toml."""


class Standing(StrEnum):
    """What a mandate is worth at a moment. ``lapsed`` and ``expired`` follow from dates alone."""

    OFFERED = "offered"
    LIVE = "live"
    DECLINED = "declined"
    REVOKED = "revoked"
    GIVEN_UP = "given_up"
    LAPSED = "lapsed"
    EXPIRED = "expired"


RUNNING = frozenset({Standing.OFFERED, Standing.LIVE})
"""Standings in which a mandate may still do something; any other makes room for a new grant."""


@dataclass(frozen=True)
class Terms:
    """What a grant is for: kinds of business and single services, until a last day."""

    relation: str
    businesses: tuple[str, ...]
    services: tuple[str, ...]
    until: date


@dataclass(frozen=True)
class Mandate:
    """A mandate as read at ``version``. Principal and agent are ID-number keys; ``grant`` names
    the latest giving; ``state`` does not know of dates, ``standing`` does."""

    id: str
    principal: str
    agent: str
    agent_name: str
    grant: str
    terms: Terms
    given_at: datetime
    answer_by: datetime
    state: Standing
    version: int
    timeline: tuple[Event, ...]

    def standing(self, now: datetime) -> Standing:
        """What it is worth now."""
        if self.state is Standing.OFFERED and now > self.answer_by:
            return Standing.LAPSED
        if self.state in RUNNING and now.astimezone(HOUSE_ZONE).date() > self.terms.until:
            return Standing.EXPIRED
        return self.state

    def is_live(self, grant: str, now: datetime) -> bool:
        """Whether this very grant was accepted and neither ended nor expired."""
        return self.grant == grant and self.standing(now) is Standing.LIVE

    def covers(self, service: str, business: str) -> bool:
        """Whether its terms name the service or the business it belongs to."""
        return service in self.terms.services or business in self.terms.businesses

    def event_of(self, cause: str) -> Event | None:
        """The event that ``cause`` already brought about, if any: a repeated request."""
        return next((e for e in self.timeline if e.cause == cause), None)


STATE_AFTER: Mapping[str, Standing] = {
    "given": Standing.OFFERED,
    "accepted": Standing.LIVE,
    "declined": Standing.DECLINED,
    "revoked": Standing.REVOKED,
    "given_up": Standing.GIVEN_UP,
}
"""Event -> the state it leads to."""


def pair_of(grant: str) -> str:
    """The mandate a grant belongs to: its name without the number of its giving."""
    return grant.rpartition("-")[0]


def begin(mandate_id: str, event: Event) -> Mandate:
    """The mandate that its first giving opens."""
    data = event.data
    empty = Mandate(
        id=mandate_id,
        principal=data["principal"],
        agent=data["agent"],
        agent_name="",
        grant="",
        terms=_terms(data),
        given_at=event.at,
        answer_by=event.at,
        state=Standing.OFFERED,
        version=0,
        timeline=(),
    )
    return evolve(empty, event)


def evolve(mandate: Mandate, event: Event) -> Mandate:
    """The mandate after one more event."""
    changed = replace(
        mandate,
        state=STATE_AFTER[event.type],
        version=mandate.version + 1,
        timeline=(*mandate.timeline, event),
    )
    if event.type != "given":
        return changed
    return replace(
        changed,
        agent_name=event.data["agent_name"],
        grant=event.id,
        terms=_terms(event.data),
        given_at=event.at,
        answer_by=datetime.fromisoformat(event.data["answer_by"]),
    )


def replay(mandate_id: str, events: tuple[Event, ...]) -> Mandate:
    """A mandate from its whole timeline, oldest event first."""
    mandate = begin(mandate_id, events[0])
    for event in events[1:]:
        mandate = evolve(mandate, event)
    return mandate


def _terms(data: Mapping[str, Any]) -> Terms:
    # Event data is kept as JSON: lists and ISO 8601 text.
    return Terms(
        relation=data["relation"],
        businesses=tuple(data["businesses"]),
        services=tuple(data["services"]),
        until=date.fromisoformat(data["until"]),
    )
