"""What an event does outside its own matter: recorded in the matter's one write, applied after.

An effect's id is made of its event, so applying it a second time is recognised by the target.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rules.catalogue import Service
from rules.flow import ENDED
from rules.matter import Event, Matter


@dataclass(frozen=True)
class Effect:
    """One change owed to another document. ``kind`` names a function of casework.effects."""

    id: str
    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)


def in_order(service: Service, matter: Matter, effects: Iterable[Effect]) -> list[Effect]:
    """Effects owed by a matter as they are to be applied: by their events, those of one event as
    the service's file names them. A store gives them back in an order of its own."""
    places = {
        f"{event.id}-{kind}": (number, order)
        for number, event in enumerate(matter.timeline)
        for order, kind in enumerate(service.effects.get(event.type, ()))
    }
    # ``release_place`` stands in no file: it is the last of the matter's last event.
    last = (len(matter.timeline), 0)
    return sorted(effects, key=lambda effect: places.get(effect.id, last))


def effects_of(service: Service, after: Matter, event: Event) -> tuple[Effect, ...]:
    """The effects an event owes: those its service's file names for it, and, when the matter
    has ended, the release of the citizen's one place for this service."""
    kinds = list(service.effects.get(event.type, ()))
    if after.state in ENDED and service.one_at_a_time:
        kinds.append("release_place")
    return tuple(Effect(id=f"{event.id}-{kind}", kind=kind) for kind in kinds)
