"""Photos, sealed piece by piece, laid out as GridFS (``photos.files``, ``photos.chunks``).

Written here and not by the driver's bucket: that one asks before every upload whether its
collections are empty, for which the embedded engine reads every chunk there is; and it writes the
file after its chunks, so that nothing would know of those of an upload that died.

A photo is stored before its matter names it, and unconfirmed until the sweep has seen that one
does; what stays unnamed is deleted.
"""

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bson import Int64, ObjectId
from pymongo.asynchronous.database import AsyncDatabase

from storage.indexes import EPOCH
from storage.pieces import SEALED_BYTES, FileKey, new_file_key, opened_pieces, sealed_pieces
from storage.vault import Vault

_AT_ONCE = 4
"""Pieces fetched together, which bounds the memory of one download to a megabyte."""


class PhotoMissing(LookupError):
    """There is no photo of this id."""


class PreparedPhoto(Protocol):
    """A picture ready to be kept, in the two sizes that are stored."""

    @property
    def full(self) -> bytes:
        """The picture, of bounded size."""

    @property
    def thumb(self) -> bytes:
        """Its thumbnail."""


@dataclass(frozen=True)
class Unconfirmed:
    """A stored photo of which nobody has checked yet that its matter names it."""

    id: str
    matter: str


class Photos:
    """Reads and writes photos. Raises pymongo's errors when the engine does not answer."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]], vault: Vault) -> None:
        self._files = database["photos.files"]
        self._chunks = database["photos.chunks"]
        self._vault = vault

    async def keep(self, photo: PreparedPhoto, matter: str, at: datetime) -> tuple[str, str]:
        """Store a picture and its thumbnail for a matter; their ids."""
        full = await self.save(_whole(photo.full), matter=matter, at=at)
        return full, await self.save(_whole(photo.thumb), matter=matter, at=at)

    async def save(self, pieces: AsyncIterable[bytes], *, matter: str, at: datetime) -> str:
        """Store one stream, sealed, and give its id. What breaks off leaves nothing behind; what
        dies with its process is unconfirmed and found by the sweep."""
        photo_id, key = str(ObjectId()), new_file_key(self._vault)
        metadata = {"matter": matter, "unconfirmed": at, "key": key.number, "salt": key.salt}
        file = {"_id": photo_id, "chunkSize": SEALED_BYTES, "uploadDate": at, "metadata": metadata}
        await self._files.insert_one(file)
        try:
            length = count = 0
            async for sealed in sealed_pieces(self._vault, key, _context(photo_id), pieces):
                chunk = {"files_id": photo_id, "n": count, "data": sealed}
                await self._chunks.insert_one(chunk)
                length, count = length + len(sealed), count + 1
            await self._files.update_one({"_id": photo_id}, {"$set": {"length": Int64(length)}})
        except BaseException:
            await self.delete(photo_id)
            raise
        return photo_id

    async def open(self, photo_id: str) -> AsyncIterator[bytes]:
        """A stored photo, opened piece by piece. Raises PhotoMissing at once; while reading,
        VaultError where it was changed or cut short."""
        document = await self._files.find_one({"_id": photo_id}, {"metadata": 1})
        if document is None:
            raise PhotoMissing(photo_id)
        metadata = document["metadata"]
        key = FileKey(metadata["key"], metadata["salt"])
        return opened_pieces(self._vault, key, _context(photo_id), self._sealed(photo_id))

    async def _sealed(self, photo_id: str) -> AsyncIterator[bytes]:
        found = self._chunks.find({"files_id": photo_id}, {"data": 1})
        async with found.sort("n", 1).batch_size(_AT_ONCE) as cursor:
            async for chunk in cursor:
                yield chunk["data"]

    async def delete(self, photo_id: str) -> None:
        """Delete a photo; one that is gone already stays gone."""
        # Its file goes last: were the process to die in between, the sweep still knows of it.
        await self._chunks.delete_many({"files_id": photo_id})
        await self._files.delete_one({"_id": photo_id})

    async def unconfirmed(self, before: datetime, limit: int) -> list[Unconfirmed]:
        """Photos stored before ``before`` and not confirmed, oldest first."""
        cursor = (
            self._files.find(
                {"metadata.unconfirmed": {"$gt": EPOCH, "$lte": before}}, {"metadata.matter": 1}
            )
            .sort("metadata.unconfirmed", 1)
            .limit(limit)
        )
        return [Unconfirmed(d["_id"], d["metadata"]["matter"]) async for d in cursor]

    async def doubt(self, photo_id: str, at: datetime) -> None:
        """Its matter is about to drop it: the sweep looks whether it did."""
        change = {"$set": {"metadata.unconfirmed": at}}
        await self._files.update_one({"_id": photo_id}, change)

    async def confirm(self, photo_id: str) -> None:
        """Its matter names it: it stays."""
        await self._files.update_one({"_id": photo_id}, {"$unset": {"metadata.unconfirmed": ""}})


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _context(photo_id: str) -> str:
    return f"photos/{photo_id}"
