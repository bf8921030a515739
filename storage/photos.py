"""Photos, sealed piece by piece, laid out as GridFS (``photos.files``, ``photos.chunks``).

Written here and not by the driver's bucket: that one asks before every upload whether its
collections are empty, for which the embedded engine reads every chunk there is; and it writes the
file after its chunks, so that nothing would know of those of an upload that died.

A photo is stored before its matter names it, and unconfirmed until the sweep has seen that one
does; what stays unnamed is deleted.

Under a new data key a photo's pieces are written beside the old ones, and one write to its file
says which are meant; the old ones stay for a while for who reads them.
"""

from collections.abc import AsyncIterable, AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bson import ObjectId
from pymongo.asynchronous.database import AsyncDatabase

from storage.changes import Pipeline, literal, unset_if
from storage.file_writer import FileWriter
from storage.indexes import EPOCH
from storage.pieces import (
    SEALED_BYTES,
    FileKey,
    Sealer,
    new_file_key,
    opened_piece,
    opened_pieces,
    plain_size,
    sealed_pieces,
)
from storage.vault import Vault, VaultError

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


@dataclass(frozen=True)
class WholeFile:
    """A stored file that lies whole: how many bytes it has, in how many pieces, and the
    name these lie under."""

    id: str
    key: FileKey
    lies: str
    size: int
    pieces: int


class Photos:
    """Reads and writes photos. Raises pymongo's errors when the engine does not answer.

    ``name`` is the collections' first part; other files than photos lie in their own.
    """

    def __init__(
        self, database: AsyncDatabase[dict[str, Any]], vault: Vault, name: str = "photos"
    ) -> None:
        self._files = database[f"{name}.files"]
        self._chunks = database[f"{name}.chunks"]
        self._name = name
        self._vault = vault

    async def keep(self, photo: PreparedPhoto, matter: str, at: datetime) -> tuple[str, str]:
        """Store a picture and its thumbnail for a matter; their ids."""
        full = await self.save(_whole(photo.full), matter=matter, at=at)
        return full, await self.save(_whole(photo.thumb), matter=matter, at=at)

    async def save(self, pieces: AsyncIterable[bytes], *, matter: str, at: datetime) -> str:
        """Store one stream, sealed, and give its id. What breaks off leaves nothing behind; what
        dies with its process is unconfirmed and found by the sweep."""
        writer = await self.begin(matter=matter, at=at)
        try:
            async for piece in pieces:
                await writer.write(piece)
            await writer.done()
        except BaseException:
            await self.delete(writer.id)
            raise
        return writer.id

    async def begin(self, *, matter: str, at: datetime) -> "FileWriter":
        """A file to be written as it arrives; unconfirmed, so that the sweep finds what is left
        of it if nobody comes to its end."""
        file_id, key = str(ObjectId()), new_file_key(self._vault)
        metadata = {"matter": matter, "unconfirmed": at, "key": key.number, "salt": key.salt}
        file = {"_id": file_id, "chunkSize": SEALED_BYTES, "uploadDate": at, "metadata": metadata}
        await self._files.insert_one(file)
        sealer = Sealer(self._vault, key, self._context(file_id))
        return FileWriter(file_id, self._files, self._chunks, sealer)

    async def open(self, photo_id: str) -> AsyncIterator[bytes]:
        """A stored photo, opened piece by piece. Raises PhotoMissing at once; while reading,
        VaultError where it was changed or cut short."""
        document = await self._files.find_one({"_id": photo_id}, {"metadata": 1})
        if document is None:
            raise PhotoMissing(photo_id)
        return self._opened(photo_id, document["metadata"])

    def _opened(self, photo_id: str, metadata: Mapping[str, Any]) -> AsyncIterator[bytes]:
        key = FileKey(metadata["key"], metadata["salt"])
        pieces = self._sealed(_pieces_of(photo_id, metadata))
        return opened_pieces(self._vault, key, self._context(photo_id), pieces)

    async def _sealed(self, pieces: str) -> AsyncIterator[bytes]:
        found = self._chunks.find({"files_id": pieces}, {"data": 1})
        async with found.sort("n", 1).batch_size(_AT_ONCE) as cursor:
            async for chunk in cursor:
                yield chunk["data"]

    async def whole(self, file_id: str) -> "WholeFile":
        """A stored file to be read at any place, piece by piece. Raises PhotoMissing."""
        document = await self._files.find_one({"_id": file_id}, {"metadata": 1, "length": 1})
        if document is None or "length" not in document:
            raise PhotoMissing(file_id)
        metadata = document["metadata"]
        key = FileKey(metadata["key"], metadata["salt"])
        lies = _pieces_of(file_id, metadata)
        return WholeFile(file_id, key, lies, *plain_size(document["length"]))

    async def piece(self, file: "WholeFile", number: int) -> bytes:
        """One piece of a file, opened: ``PIECE_BYTES`` long but for the last. Raises VaultError."""
        chunk = await self._chunks.find_one({"files_id": file.lies, "n": number}, {"data": 1})
        if chunk is None:
            raise VaultError("加密文件已损坏")
        last = number == file.pieces - 1
        context = self._context(file.id)
        return opened_piece(self._vault, file.key, context, number, chunk["data"], last=last)

    def _context(self, file_id: str) -> str:
        return f"{self._name}/{file_id}"

    async def delete(self, photo_id: str) -> None:
        """Delete a photo; one that is gone already stays gone."""
        # Marked first: its pieces are not sealed anew from here on, so those named now are all.
        await self._files.update_one({"_id": photo_id}, {"$set": {"metadata.gone": True}})
        document = await self._files.find_one({"_id": photo_id}, {"metadata": 1})
        metadata = document["metadata"] if document else {}
        # Its file goes last: were the process to die in between, the sweep still knows of it.
        for pieces in {
            photo_id,
            _pieces_of(photo_id, metadata),
            metadata.get("former", photo_id),
            _pieces_under(photo_id, self._vault.sealing),
        }:
            await self._chunks.delete_many({"files_id": pieces})
        await self._files.delete_one({"_id": photo_id})

    async def of_matter(self, matter: str) -> list[str]:
        """Ids of all that was stored for a matter, thumbnails and what it no longer names too."""
        return [d["_id"] async for d in self._files.find({"metadata.matter": matter}, {"_id": 1})]

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

    # -- a new data key -----------------------------------------------------------------------

    async def count(self) -> int:
        """How many photos are stored."""
        return int(await self._files.estimated_document_count())

    async def under_older_keys(self, number: int, *, finished: bool = True) -> list[str]:
        """Photos that are not under this data key; of those still being stored only when they need
        not be ``finished``."""
        files = self._files.find({}, {"metadata.key": 1, "length": 1})
        return [
            d["_id"]
            async for d in files
            if d["metadata"]["key"] != number and not (finished and "length" not in d)
        ]

    async def reseal(self, photo_id: str) -> bool:
        """Seal a photo under the data key that seals now; False when it is gone, or is under it
        already. Raises VaultError where it does not open, and leaves it as it is."""
        document = await self._files.find_one({"_id": photo_id}, {"metadata": 1, "length": 1})
        if document is None or "length" not in document:
            return False
        metadata, key = document["metadata"], new_file_key(self._vault)
        if metadata["key"] == key.number:
            return False
        target = _pieces_under(photo_id, key.number)
        # What a run that died left there is under a salt that nobody knows any more.
        await self._chunks.delete_many({"files_id": target})
        await self.drop_former_pieces(photo_id)
        opened = self._opened(photo_id, metadata)
        count = 0
        try:
            async for sealed in sealed_pieces(self._vault, key, self._context(photo_id), opened):
                await self._chunks.insert_one({"files_id": target, "n": count, "data": sealed})
                count += 1
        except VaultError:
            await self._chunks.delete_many({"files_id": target})
            now = await self._files.find_one({"_id": photo_id}, {"metadata.gone": 1})
            if now is None or "gone" in now["metadata"]:
                return False
            raise
        former = _pieces_of(photo_id, metadata)
        change = _moved(metadata["salt"], key, target, former)
        result = await self._files.update_one({"_id": photo_id}, change)
        if not result.modified_count:
            await self._chunks.delete_many({"files_id": target})
        return bool(result.modified_count)

    async def with_former_pieces(self) -> list[str]:
        """Photos whose pieces under an older key are still there."""
        files = self._files.find({}, {"metadata.former": 1})
        return [d["_id"] async for d in files if "former" in d["metadata"]]

    async def drop_former_pieces(self, photo_id: str) -> None:
        """Delete what was left for who read it."""
        document = await self._files.find_one({"_id": photo_id}, {"metadata.former": 1})
        former = document["metadata"].get("former") if document else None
        if former is not None:
            await self._chunks.delete_many({"files_id": former})
            change = unset_if("metadata.former", "metadata.former", former)
            await self._files.update_one({"_id": photo_id}, change)


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _pieces_of(photo_id: str, metadata: Mapping[str, Any]) -> str:
    """The name a photo's pieces lie under."""
    return str(metadata.get("pieces", photo_id))


def _pieces_under(photo_id: str, number: int) -> str:
    """The name pieces sealed anew under a data key lie under."""
    return f"{photo_id}~{number}"


def _moved(salt: bytes, key: FileKey, pieces: str, former: str) -> Pipeline:
    """Name the new pieces, if the photo is still the one that was read and not being deleted."""
    same = {"$eq": ["$metadata.salt", literal(salt)]}
    there = {"$ne": [{"$ifNull": ["$metadata.gone", False]}, True]}
    values = {"key": key.number, "salt": key.salt, "pieces": pieces, "former": former}
    moved = {"$mergeObjects": ["$metadata", literal(values)]}
    return [{"$set": {"metadata": {"$cond": [{"$and": [same, there]}, moved, "$metadata"]}}}]
