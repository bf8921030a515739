"""Sealing a stream piece by piece, so that no file is ever whole in memory.

Each file has its own key, made of a data key and a random salt. A piece's nonce is its number and
whether it is the last, so pieces cannot be swapped, repeated or left off at the end unnoticed.
"""

import os
from collections.abc import AsyncIterable, AsyncIterator
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


async def sealed_pieces(
    vault: Vault, key: FileKey, context: str, pieces: AsyncIterable[bytes]
) -> AsyncIterator[bytes]:
    """Seal a stream of any pieces into pieces of ``SEALED_BYTES``, the last one shorter. An empty
    stream gives one empty piece."""
    cipher = _cipher(vault, key)
    held = bytearray()
    count = 0
    async for piece in pieces:
        held += piece
        # The last piece is marked, so one is kept back until it is known not to be it.
        while len(held) > PIECE_BYTES:
            content = bytes(held[:PIECE_BYTES])
            del held[:PIECE_BYTES]
            yield cipher.encrypt(_nonce(count, last=False), content, context.encode())
            count += 1
    yield cipher.encrypt(_nonce(count, last=True), bytes(held), context.encode())


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


def _opened(cipher: AESGCM, count: int, piece: bytes, context: str, *, last: bool) -> bytes:
    try:
        return cipher.decrypt(_nonce(count, last=last), piece, context.encode())
    except (InvalidTag, ValueError) as error:
        raise VaultError("加密文件已损坏") from error


def _cipher(vault: Vault, key: FileKey) -> AESGCM:
    return AESGCM(vault.file_key(key.salt, key.number)[1])


def _nonce(count: int, *, last: bool) -> bytes:
    return count.to_bytes(11, "big") + bytes([last])
