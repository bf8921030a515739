"""An upload being received: encrypted piece by piece into a temporary file.

The key is made for this one upload and kept only in memory, so that what a crash leaves on the disk
is noise.
"""

import asyncio
import hashlib
import os
import secrets
import time
from pathlib import Path
from types import TracebackType

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from casework.imaging import Sealed
from rules.refusals import Refusal

MAX_BYTES = 10 * 1024 * 1024
STALE_SECONDS = 3600
_PIECE = 64 * 1024


def sweep(folder: Path) -> int:
    """Delete what crashed processes left; files of uploads under way are younger. How many."""
    swept = 0
    for path in folder.glob("*.spool"):
        try:
            if time.time() - path.stat().st_mtime > STALE_SECONDS:
                path.unlink()
                swept += 1
        except FileNotFoundError:
            continue  # another process was faster
    return swept


class Spool:
    """``async with lab.spool() as spool: await spool.write(…)``; gone when the block ends."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{secrets.token_hex(16)}.spool"
        self._key = secrets.token_bytes(32)
        self._nonce = secrets.token_bytes(12)
        self._encryptor = Cipher(algorithms.AES(self._key), modes.GCM(self._nonce)).encryptor()
        self._file = -1
        self._waiting = bytearray()
        self._tag: bytes | None = None
        self.size = 0
        self._digest = hashlib.sha256()

    async def __aenter__(self) -> "Spool":
        self._file = await asyncio.to_thread(
            os.open, self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        descriptor, self._file = self._file, -1
        self._waiting.clear()
        await asyncio.to_thread(_remove, descriptor, self._path)

    async def write(self, chunk: bytes) -> None:
        """Encrypt and keep a piece of the upload. Raises photo-too-large beyond 10 MB."""
        self.size += len(chunk)
        if self.size > MAX_BYTES:
            raise Refusal("photo-too-large", megabytes=str(MAX_BYTES // (1024 * 1024)))
        self._digest.update(chunk)
        view = memoryview(chunk)
        for start in range(0, len(view), _PIECE):
            self._waiting += self._encryptor.update(view[start : start + _PIECE])
            if len(self._waiting) >= _PIECE:
                await self._flush()

    @property
    def digest(self) -> str:
        """SHA-256 of what was received so far."""
        return self._digest.hexdigest()

    async def done(self) -> None:
        """The upload is whole. May be called again."""
        if self._tag is None:
            self._encryptor.finalize()
            await self._flush()
            self._tag = self._encryptor.tag

    async def sealed(self) -> Sealed:
        """How the image processes open it."""
        await self.done()
        return Sealed(str(self._path), self._key, self._nonce, self._tag or b"")

    async def _flush(self) -> None:
        piece, self._waiting = self._waiting, bytearray()
        await asyncio.to_thread(_write_all, self._file, piece)


def _write_all(descriptor: int, piece: bytearray) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(descriptor, view) :]


def _remove(descriptor: int, path: Path) -> None:
    if descriptor >= 0:
        os.close(descriptor)
    path.unlink(missing_ok=True)
