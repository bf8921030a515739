"""The collection ``keys``: data keys, wrapped by the master key, and which of them seals.

A new data key is announced first: every process can open it before any seals with it. While the
master key changes, a data key is wrapped twice, so that processes with the old and with the new one
both start.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from storage.vault import KEY_BYTES, Vault, VaultError, derive_key

_NONCE = 12
_WRAPS = ("wrapped", "rewrapped")

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Ring:
    """The data keys as they stand: by number, the one that seals, the highest there is."""

    data_keys: Mapping[int, bytes]
    sealing: int
    highest: int


class Keyring:
    """Reads and changes the data keys. Raises VaultError when the master key or the index key is
    not the one this data was written with."""

    def __init__(
        self, keys: AsyncCollection[dict[str, Any]], master_key: bytes, index_key: bytes
    ) -> None:
        for name, key in (("BIANMIN_MASTER_KEY", master_key), ("BIANMIN_INDEX_KEY", index_key)):
            if len(key) != KEY_BYTES:
                raise VaultError(f"{name} 必须是 {KEY_BYTES} 字节")
        self._keys = keys
        self._master = master_key
        self._index = index_key

    @property
    def master_check(self) -> str:
        """Tells one master key from another; says nothing about it."""
        return derive_key(self._master, "master-check").hex()[:16]

    async def documents(self) -> list[dict[str, Any]]:
        """The data keys as stored, by number."""
        return sorted(await self._keys.find({}).to_list(), key=lambda d: int(d["number"]))

    async def read(self, known: Mapping[int, bytes] | None = None) -> Ring:
        """Every data key, unwrapped; the ``known`` ones are not unwrapped again, so a process goes
        on when the master key changes under it."""
        documents = await self.documents()
        held = known or {}
        found = {
            int(d["number"]): held.get(int(d["number"])) or _unwrapped(d, self._master)
            for d in documents
        }
        if any(d["index_check"] != index_check(self._index) for d in documents):
            raise VaultError("索引密钥与数据不符（BIANMIN_INDEX_KEY）")
        sealing = max(int(d["number"]) for d in documents if d.get("sealing", True))
        return Ring(found, sealing, max(found))

    async def refresh(self, vault: Vault) -> Ring:
        """Give a vault the keys as they stand."""
        ring = await self.read(vault.data_keys)
        if ring.data_keys != vault.data_keys or ring.sealing != vault.sealing:
            vault.renew(ring.data_keys, ring.sealing)
        return ring

    async def announce(self, number: int) -> None:
        """Make a data key that opens and does not seal yet; once, whoever asks."""
        await add_data_key(self._keys, self._master, self._index, number, sealing=False)

    async def seal_with(self, number: int) -> None:
        """From now on this data key seals."""
        await self._keys.update_one({"_id": _name(number)}, {"$set": {"sealing": True}})

    async def retire(self, number: int) -> None:
        """Destroy a data key: what is still sealed under it never opens again."""
        await self._keys.delete_one({"_id": _name(number)})

    # -- the master key -----------------------------------------------------------------------

    async def wrap_again(self, new_master: bytes) -> int:
        """Wrap every data key under a second master key as well; how many were not yet."""
        if len(new_master) != KEY_BYTES:
            raise VaultError(f"BIANMIN_NEW_MASTER_KEY 必须是 {KEY_BYTES} 字节")
        count = 0
        for document in await self.documents():
            if _unwrapped_by(document, new_master) is None:
                key = _unwrapped(document, self._master)
                change = {"$set": {"rewrapped": _wrapped(key, new_master, document["_id"])}}
                await self._keys.update_one({"_id": document["_id"]}, change)
                count += 1
        return count

    async def drop_other_wraps(self) -> int:
        """Leave only the wrapping of the present master key; how many others went."""
        count = 0
        for document in await self.documents():
            if "rewrapped" in document:
                kept = _wrapped(_unwrapped(document, self._master), self._master, document["_id"])
                change = {"$set": {"wrapped": kept}, "$unset": {"rewrapped": ""}}
                await self._keys.update_one({"_id": document["_id"]}, change)
                count += 1
        return count


async def open_vault(
    keys: AsyncCollection[dict[str, Any]], master_key: bytes, index_key: bytes
) -> Vault:
    """Unwrap the data keys, making the first one in an empty database.

    Processes that start together agree: ``_id`` decides whose key is the first. Raises VaultError
    when the master key or the index key is not the one this data was written with.
    """
    keyring = Keyring(keys, master_key, index_key)
    if not await keyring.documents():
        await add_data_key(keys, master_key, index_key, 1)
    ring = await keyring.read()
    return Vault(ring.data_keys, index_key, ring.sealing)


async def add_data_key(
    keys: AsyncCollection[dict[str, Any]],
    master_key: bytes,
    index_key: bytes,
    number: int,
    *,
    sealing: bool = True,
) -> bool:
    """Make and wrap a data key; of those that are ``sealing`` vaults seal with the highest number.
    False when that number exists already."""
    name = _name(number)
    document = {
        "_id": name,
        "number": number,
        "wrapped": _wrapped(os.urandom(KEY_BYTES), master_key, name),
        "index_check": index_check(index_key),
        "sealing": sealing,
    }
    try:
        await keys.insert_one(document)
    except DuplicateKeyError:
        return False
    return True


def index_check(index_key: bytes) -> bytes:
    """Tells a wrong index key before it files anybody under a new name."""
    return derive_key(index_key, "index-check")


def unwrapped_keys(documents: list[dict[str, Any]], master_key: bytes) -> dict[int, bytes]:
    """The data keys of documents, whatever index key they were used with. Raises VaultError."""
    return {int(d["number"]): _unwrapped(d, master_key) for d in documents}


def _name(number: int) -> str:
    return f"data-{number}"


def _wrapped(key: bytes, master_key: bytes, name: str) -> bytes:
    nonce = os.urandom(_NONCE)
    wrapping = AESGCM(derive_key(master_key, "wrap"))
    return nonce + wrapping.encrypt(nonce, key, name.encode())


def _unwrapped(document: Document, master_key: bytes) -> bytes:
    key = _unwrapped_by(document, master_key)
    if key is None:
        raise VaultError("主密钥与数据不符（BIANMIN_MASTER_KEY）")
    return key


def _unwrapped_by(document: Document, master_key: bytes) -> bytes | None:
    wrapping = AESGCM(derive_key(master_key, "wrap"))
    for wrapped in (document[name] for name in _WRAPS if name in document):
        try:
            return wrapping.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], document["_id"].encode())
        except InvalidTag:
            continue  # the other master key's
    return None
