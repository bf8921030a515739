"""Where sealed values lie: one table for rotating, reindexing and the test that nothing is missed.

A place is a path inside a document (``*`` stands for any name of a map and any element of a list)
and the context its values are sealed for. Pictures are sealed in pieces and are not listed here:
``storage/photos.py`` seals them anew itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from storage.vault import Vault, key_number

Steps = tuple[str | int, ...]


@dataclass(frozen=True)
class SealedPlace:
    """A path, and the context of what lies there: ``{id}`` is the document's, ``{0}`` what the
    first star stands for, ``{at[name]}`` a field beside the value."""

    path: str
    context: str
    json: bool = False
    """Whether a mapping is sealed there; text otherwise."""


@dataclass(frozen=True)
class SealedValue:
    """A sealed value as found in a document."""

    steps: Steps
    blob: bytes
    place: SealedPlace
    context: str

    def reopened(self, vault: Vault) -> bytes:
        """What is in it. Raises VaultError."""
        return vault.open_bytes(self.blob, self.context)


_TALK = (
    ("talk.dialogue", "{id}/dialogue", True),
    ("talk.replies.*.reply", "{id}/reply", False),
)

SEALED: Mapping[str, tuple[SealedPlace, ...]] = {
    "sessions": (
        *(
            SealedPlace(f"person.{name}", f"sessions/{{id}}/{name}")
            for name in ("id_number", "name", "phone")
        ),
        SealedPlace("farewell.phone", "sessions/{id}/phone"),
        SealedPlace("licence.number", "sessions/{id}/licence"),
        SealedPlace("devices.*.label", "sessions/{id}/device"),
        SealedPlace("vehicles.*.plate", "sessions/{id}/vehicles/{0}"),
        SealedPlace("wechat.*.openid", "sessions/{id}/{0}"),
        SealedPlace("wechat.*.unionid", "sessions/{id}/{0}/unionid"),
        *(SealedPlace(path, f"sessions/{context}", json) for path, context, json in _TALK),
    ),
    "visitors": tuple(
        SealedPlace(path, f"visitors/{context}", json) for path, context, json in _TALK
    ),
    "late_messages": (SealedPlace("message", "late_messages/{id}", json=True),),
    "matters": (SealedPlace("timeline.*.data", "matters/{id}/{at[id]}", json=True),),
    "mandates": (SealedPlace("timeline.*.data", "mandates/{id}/{at[id]}", json=True),),
    "registry_population": (
        SealedPlace("name", "registry_population/{id}/name"),
        SealedPlace("id_number", "registry_population/{id}/id_number"),
        SealedPlace("card", "registry_population/{id}/card"),
    ),
    "registry_licences": (SealedPlace("person", "registry_licences/{id}", json=True),),
    "registry_vehicles": (SealedPlace("person", "registry_vehicles/{id}", json=True),),
    "officers": (
        SealedPlace("totp", "officers/{id}/totp"),
        SealedPlace("name", "officers/{id}/name"),
    ),
    "school_batches": (SealedPlace("problems.*", "school_batches/{id}/problems", json=True),),
}
"""Every collection with sealed values. Who seals in a new place adds it here; a test that fills a
database through every door fails on a sealed value at a path that is not listed."""

UNLISTED = frozenset({"keys", "photos.files", "photos.chunks", "school.files", "school.chunks"})
"""Collections with bytes that other means take care of."""


def fields_of(collection: str) -> dict[str, int]:
    """What to read of a collection: the fields that hold sealed values, whole."""
    return {place.path.partition(".")[0]: 1 for place in SEALED[collection]}


def sealed_values(collection: str, document: Mapping[str, Any]) -> list[SealedValue]:
    """Every sealed value of a document that the table knows of."""
    found = []
    for place in SEALED.get(collection, ()):
        for steps, beside, value in _reached(document, place.path.split(".")):
            if isinstance(value, bytes) and key_number(value) is not None:
                stars = [
                    step
                    for step, name in zip(steps, place.path.split("."), strict=True)
                    if name == "*"
                ]
                context = place.context.format(*stars, id=document["_id"], at=beside)
                found.append(SealedValue(steps, value, place, context))
    return found


def unlisted_values(collection: str, document: Mapping[str, Any]) -> list[str]:
    """Paths of a document at which something sealed lies that the table does not know of."""
    if collection in UNLISTED:
        return []
    known = {v.steps for v in sealed_values(collection, document)}
    return [
        ".".join("*" if isinstance(s, int) else s for s in steps)
        for steps, value in _bytes_in(document)
        if steps not in known and _looks_sealed(value)
    ]


def _looks_sealed(value: bytes) -> bool:
    # Random bytes pass one time in a million million: no installation has a thousand keys.
    number = key_number(value)
    return number is not None and 0 < number < 1000


def with_values(document: Mapping[str, Any], changed: Mapping[Steps, bytes]) -> dict[str, Any]:
    """The top-level fields of a document in which values were replaced, whole."""
    fields: dict[str, Any] = {}
    for steps, value in changed.items():
        top = str(steps[0])
        fields[top] = _replaced(fields.get(top, document[top]), steps[1:], value)
    return fields


def _replaced(held: Any, steps: Steps, value: bytes) -> Any:
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    copy: Any = list(held) if isinstance(held, list) else dict(held)
    copy[step] = _replaced(held[step], rest, value)
    return copy


def _reached(
    held: Any, path: list[str], beside: Any = None, steps: Steps = ()
) -> Iterator[tuple[Steps, Any, Any]]:
    """(steps, what holds the value, the value) of everything at a path."""
    if not path:
        yield steps, beside, held
        return
    name, rest = path[0], path[1:]
    if name == "*":
        entries = enumerate(held) if isinstance(held, list) else _entries(held)
        for step, value in entries:
            yield from _reached(value, rest, held, (*steps, step))
    elif isinstance(held, Mapping) and name in held:
        yield from _reached(held[name], rest, held, (*steps, name))


def _entries(held: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(held, Mapping):
        yield from held.items()


def _bytes_in(held: Any, steps: Steps = ()) -> Iterator[tuple[Steps, bytes]]:
    if isinstance(held, bytes):
        yield steps, held
    elif isinstance(held, Mapping):
        for name, value in held.items():
            yield from _bytes_in(value, (*steps, name))
    elif isinstance(held, list):
        for number, value in enumerate(held):
            yield from _bytes_in(value, (*steps, number))
