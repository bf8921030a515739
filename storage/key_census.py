"""Counts what is sealed under which data key, collection by collection."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from storage.photos import Photos
from storage.sealed_places import SEALED, fields_of, sealed_values
from storage.stores import Stores
from storage.vault import VaultError, key_number

PHOTOS, SCHOOL_FILES = "photos.files", "school.files"
BATCH = 200
_EXAMPLES = 5

Progress = Callable[[str, int, int], None]
"""Hears collection, documents done, documents in all."""


@dataclass
class Count:
    """Sealed values of a collection: how many, how many under older keys, how many that do not
    open."""

    values: int = 0
    older: int = 0
    broken: int = 0
    examples: list[str] = field(default_factory=list)


async def count_older(
    stores: Stores, number: int, progress: Progress = lambda *_: None
) -> dict[str, Count]:
    """How much of each collection is sealed under data keys older than ``number`` or does not open
    at all."""
    counts: dict[str, Count] = {}
    for name in SEALED:
        count = counts[name] = Count()
        collection, seen = stores.database[name], 0
        total = await collection.estimated_document_count()
        async for document in collection.find({}, fields_of(name)).batch_size(BATCH):
            for value in sealed_values(name, document):
                count.values += 1
                if key_number(value.blob) != number:
                    _count_older(count, stores, value.reopened, f"{name}/{document['_id']}")
            seen += 1
            if seen % BATCH == 0:
                progress(name, seen, total)
    counts[PHOTOS] = await _count_photos(stores.photos, number)
    counts[SCHOOL_FILES] = await _count_photos(stores.school_files, number)
    return counts


def _count_older(count: Count, stores: Stores, reopened: Callable[..., bytes], where: str) -> None:
    try:
        reopened(stores.vault)
    except VaultError:
        count.broken += 1
        if len(count.examples) < _EXAMPLES:
            count.examples.append(where)
    else:
        count.older += 1


async def _count_photos(photos: Photos, number: int) -> Count:
    older = await photos.under_older_keys(number, finished=False)
    return Count(values=await photos.count(), older=len(older))


@dataclass(frozen=True)
class Glance:
    """The data keys at a glance. ``older`` of the ``looked_at`` sealed values and files that come
    first in each collection are under older keys; ``rotation`` is the record of the last one."""

    numbers: tuple[int, ...]
    sealing: int
    two_masters: bool
    looked_at: int
    older: int
    rotation: dict[str, Any] | None


async def glance(database: AsyncDatabase[dict[str, Any]], most: int = BATCH) -> Glance | None:
    """What can be told without reading everything and without any key; None before the first
    start."""
    keys = await database["keys"].find({}).to_list()
    if not keys:
        return None
    sealing = max(int(k["number"]) for k in keys if k.get("sealing", True))
    looked_at = older = 0
    for name in SEALED:
        for document in await _first(database, name, fields_of(name), most):
            numbers = [key_number(v.blob) for v in sealed_values(name, document)]
            looked_at += len(numbers)
            older += sum(n != sealing for n in numbers)
    for name in (PHOTOS, SCHOOL_FILES):
        files = await _first(database, name, {"metadata.key": 1}, most)
        looked_at += len(files)
        older += sum(f["metadata"]["key"] != sealing for f in files)
    return Glance(
        numbers=tuple(sorted(int(k["number"]) for k in keys)),
        sealing=sealing,
        two_masters=any("rewrapped" in k for k in keys),
        looked_at=looked_at,
        older=older,
        rotation=await database["upkeep"].find_one({"_id": "rotate"}),
    )


async def _first(
    database: AsyncDatabase[dict[str, Any]], name: str, fields: dict[str, int], most: int
) -> list[dict[str, Any]]:
    # One batch of a cursor that is closed then: the embedded engine reads everything for a limit.
    found: list[dict[str, Any]] = []
    async with database[name].find({}, fields).batch_size(most) as cursor:
        async for document in cursor:
            found.append(document)
            if len(found) == most:
                break
    return found
