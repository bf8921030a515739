"""Sealing a stream piece by piece, so that no file is ever whole in memory.

Each file has its own key, made of a data key and a random salt. A piece's nonce is its number and
whether it is the last, so pieces cannot be swapped, repeated or left off at the end unnoticed.
"""

import os
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.vault import Vault, VaultError

PIECE_BYTES = 256 * 1024
SEALED_BYTES = PIECE_BYTES + 16
_SALT = 32


@dataclass(frozen=True)
class FileKey:
    """How to open one file: the number of the data key and the file's salt; both may be read by
    anybody."""

    number: int
    salt: bytes


def new_file_key(vault: Vault) -> FileKey:
    """A key for a new file under the newest data key."""
    salt = os.urandom(_SALT)
    return FileKey(vault.file_key(salt)[0], salt)


class Sealer:
    """Seals one file as it comes, piece by piece."""

    def __init__(self, vault: Vault, key: FileKey, context: str) -> None:
        self._cipher = _cipher(vault, key)
        self._context = context.encode()
        self._held = bytearray()
        self._count = 0

    def feed(self, content: bytes) -> Iterator[bytes]:
        """The pieces of ``SEALED_BYTES`` that are whole now; to be used up before the next call."""
        self._held += content
        # The last piece is marked, so one is kept back until it is known not to be it.
        while len(self._held) > PIECE_BYTES:
            piece = bytes(self._held[:PIECE_BYTES])
            del self._held[:PIECE_BYTES]
            yield self._sealed(piece, last=False)

    def last(self) -> bytes:
        """What is left, as the last piece; an empty stream is one empty piece."""
        return self._sealed(bytes(self._held), last=True)

    def _sealed(self, piece: bytes, *, last: bool) -> bytes:
        sealed = self._cipher.encrypt(_nonce(self._count, last=last), piece, self._context)
        self._count += 1
        return sealed


async def sealed_pieces(
    vault: Vault, key: FileKey, context: str, pieces: AsyncIterable[bytes]
) -> AsyncIterator[bytes]:
    """Seal a stream of any pieces into pieces of ``SEALED_BYTES``, the last one shorter."""
    sealer = Sealer(vault, key, context)
    async for piece in pieces:
        for sealed in sealer.feed(piece):
            yield sealed
    yield sealer.last()


async def opened_pieces(
    vault: Vault, key: FileKey, context: str, sealed: AsyncIterable[bytes]
) -> AsyncIterator[bytes]:
    """Open the pieces in order. Raises VaultError where one was changed, moved or is missing."""
    cipher = _cipher(vault, key)
    before: bytes | None = None
    count = 0
    async for piece in sealed:
        if before is not None:
            yield _opened(cipher, count, before, context, last=False)
            count += 1
        before = piece
    if before is None:
        raise VaultError("加密文件已损坏")
    yield _opened(cipher, count, before, context, last=True)


def opened_piece(
    vault: Vault, key: FileKey, context: str, count: int, piece: bytes, *, last: bool
) -> bytes:
    """Open one piece by its place. Raises VaultError where it was changed or lies elsewhere."""
    return _opened(_cipher(vault, key), count, piece, context, last=last)


def plain_size(sealed: int) -> tuple[int, int]:
    """Of a file's sealed length: (its bytes when opened, its pieces)."""
    count = -(-sealed // SEALED_BYTES)
    return sealed - count * (SEALED_BYTES - PIECE_BYTES), count


def _opened(cipher: AESGCM, count: int, piece: bytes, context: str, *, last: bool) -> bytes:
    try:
        return cipher.decrypt(_nonce(count, last=last), piece, context.encode())
    except (InvalidTag, ValueError) as error:
        raise VaultError("加密文件已损坏") from error


def _cipher(vault: Vault, key: FileKey) -> AESGCM:
    return AESGCM(vault.file_key(key.salt, key.number)[1])


def _nonce(count: int, *, last: bool) -> bytes:
    return count.to_bytes(11, "big") + bytes([last])
