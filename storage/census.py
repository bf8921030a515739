"""Counts what is sealed under which data key, collection by collection."""

from collections.abc import Callable
from dataclasses import dataclass, field

from storage.photos import Photos
from storage.sealed import SEALED, fields_of, sealed_values
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
    stores: Stores, number: int, progress: Progress = lambda *_: None, most: int | None = None
) -> dict[str, Count]:
    """How much of each collection is sealed under data keys older than ``number`` or does not open
    at all, of its first ``most`` documents."""
    counts: dict[str, Count] = {}
    for name in SEALED:
        count = counts[name] = Count()
        collection, seen = stores.database[name], 0
        total = most or await collection.estimated_document_count()
        async with collection.find({}, fields_of(name)).batch_size(most or BATCH) as cursor:
            async for document in cursor:
                for value in sealed_values(name, document):
                    count.values += 1
                    if key_number(value.blob) != number:
                        _count_older(count, stores, value.reopened, f"{name}/{document['_id']}")
                seen += 1
                if seen == most:
                    break
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
