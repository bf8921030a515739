"""Events as they lie in a document: who, what and when in clear, what was said and given sealed."""

from collections.abc import Mapping
from typing import Any

from rules.matter import Event
from rules.people import Actor
from storage.vault import Vault


def sealed_event(vault: Vault, place: str, event: Event) -> dict[str, Any]:
    """An event for the timeline of the document at ``place`` ("matters/<number>")."""
    actor = {"kind": event.actor.kind, "key": event.actor.key}
    if event.actor.office is not None:
        actor["office"] = event.actor.office
    return {
        "id": event.id,
        "type": event.type,
        "at": event.at,
        "actor": actor,
        "cause": event.cause,
        "data": vault.seal(dict(event.data), f"{place}/{event.id}"),
    }


def opened_event(vault: Vault, place: str, held: Mapping[str, Any]) -> Event:
    """An event from the timeline of the document at ``place``."""
    return Event(
        id=held["id"],
        type=held["type"],
        at=held["at"],
        actor=Actor(**held["actor"]),
        cause=held["cause"],
        data=vault.open_json(held["data"], f"{place}/{held['id']}"),
    )
