"""A file that is written as it arrives, sealed piece by piece."""

from typing import Any

from bson import Int64
from pymongo.asynchronous.collection import AsyncCollection

from storage.pieces import (
    Sealer,
)


class FileWriter:
    """A file being written; ``Photos.delete`` takes back one that broke off."""

    def __init__(
        self,
        file_id: str,
        files: AsyncCollection[dict[str, Any]],
        chunks: AsyncCollection[dict[str, Any]],
        sealer: Sealer,
    ) -> None:
        self.id = file_id
        self._files, self._chunks, self._sealer = files, chunks, sealer
        self._length = self._count = 0

    async def write(self, content: bytes) -> None:
        """Some more of it."""
        for sealed in self._sealer.feed(content):
            await self._keep(sealed)

    async def done(self) -> None:
        """It is whole."""
        await self._keep(self._sealer.last())
        await self._files.update_one({"_id": self.id}, {"$set": {"length": Int64(self._length)}})

    async def _keep(self, sealed: bytes) -> None:
        await self._chunks.insert_one({"files_id": self.id, "n": self._count, "data": sealed})
        self._length, self._count = self._length + len(sealed), self._count + 1
