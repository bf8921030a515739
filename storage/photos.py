"""Photos in GridFS (``photos.files``, ``photos.chunks``), sealed piece by piece.

A photo is stored before its matter names it, and unconfirmed until the sweep has seen that one
does; what stays unnamed is deleted.
"""

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bson import ObjectId
from gridfs.asynchronous import AsyncGridFSBucket
from gridfs.errors import CorruptGridFile, NoFile
from pymongo.asynchronous.database import AsyncDatabase

from storage.indexes import EPOCH
from storage.pieces import SEALED_BYTES, FileKey, new_file_key, opened_pieces, sealed_pieces
from storage.vault import Vault, VaultError


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
        self._bucket = AsyncGridFSBucket(database, "photos", SEALED_BYTES)
        self._files = database["photos.files"]
        self._vault = vault

    async def keep(self, photo: PreparedPhoto, matter: str, at: datetime) -> tuple[str, str]:
        """Store a picture and its thumbnail for a matter; their ids."""
        full = await self.save(_whole(photo.full), matter=matter, at=at)
        return full, await self.save(_whole(photo.thumb), matter=matter, at=at)

    async def save(self, pieces: AsyncIterable[bytes], *, matter: str, at: datetime) -> str:
        """Store one stream, sealed, and give its id. What breaks off leaves nothing behind."""
        photo_id, key = str(ObjectId()), new_file_key(self._vault)
        metadata = {"matter": matter, "unconfirmed": at, "key": key.number, "salt": key.salt}
        async with self._bucket.open_upload_stream_with_id(
            photo_id, "", metadata=metadata
        ) as target:
            async for sealed in sealed_pieces(self._vault, key, _context(photo_id), pieces):
                await target.write(sealed)
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
        try:
            async with await self._bucket.open_download_stream(photo_id) as source:
                while piece := await source.readchunk():
                    yield piece
        except (CorruptGridFile, NoFile) as error:
            raise VaultError("加密文件已损坏") from error

    async def delete(self, photo_id: str) -> None:
        """Delete a photo; one that is gone already stays gone."""
        try:
            await self._bucket.delete(photo_id)
        except NoFile:
            return

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

    async def confirm(self, photo_id: str) -> None:
        """Its matter names it: it stays."""
        await self._files.update_one({"_id": photo_id}, {"$unset": {"metadata.unconfirmed": ""}})


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _context(photo_id: str) -> str:
    return f"photos/{photo_id}"
