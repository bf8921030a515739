"""Keys and what is done with them: sealing personal data, blind indexes to find it again.

The master key never touches data. A key derived from it (HKDF-SHA256) wraps the data keys, which
lie in the collection ``keys``; the newest seals, every one of them opens. Sealed values are
``version | key number | nonce | AES-256-GCM``, bound to the place they belong to by their context
("sessions/<key>/name"), so that a value copied elsewhere does not open. The index key makes blind
indexes (HMAC-SHA256) and is independent of both.
"""

import base64
import hmac
import os
import struct
from collections.abc import Mapping
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

KEY_BYTES = 32
_NONCE = 12
_HEAD = struct.Struct(">BI")
_VERSION = 1


class VaultError(Exception):
    """A key does not fit the data, or a sealed value was changed or moved."""


def derive_key(master: bytes, purpose: str) -> bytes:
    """A 32-byte key for one purpose; keys of different purposes tell nothing of each other."""
    info = f"bianmin/{purpose}".encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(master)


class Vault:
    """Seals, opens and indexes. Built by ``open_vault``; safe to share within a process."""

    def __init__(self, data_keys: Mapping[int, bytes], index_key: bytes) -> None:
        self._keys = dict(data_keys)
        self._ciphers = {number: AESGCM(key) for number, key in data_keys.items()}
        self._newest = max(data_keys)
        self._head = _HEAD.pack(_VERSION, self._newest)
        self._index_key = index_key
        self._index_keys: dict[str, bytes] = {}

    def seal(self, plain: str | bytes | Mapping[str, Any], context: str) -> bytes:
        """Encrypt under the newest data key. ``context`` names the place and must be given again
        to open; a mapping is kept as JSON."""
        if isinstance(plain, str):
            content = plain.encode()
        elif isinstance(plain, bytes):
            content = plain
        else:
            content = orjson.dumps(plain)
        nonce = os.urandom(_NONCE)
        sealed = self._ciphers[self._newest].encrypt(nonce, content, context.encode())
        return self._head + nonce + sealed

    def open_bytes(self, blob: bytes, context: str) -> bytes:
        """Decrypt. Raises VaultError for a changed or moved value and for an unknown key."""
        try:
            version, number = _HEAD.unpack_from(blob)
            if version != _VERSION:
                raise VaultError(f"无法读取版本 {version} 的加密数据")
            start = _HEAD.size
            nonce, sealed = blob[start : start + _NONCE], blob[start + _NONCE :]
            return self._ciphers[number].decrypt(nonce, sealed, context.encode())
        except KeyError as error:
            raise VaultError(f"没有编号为 {number} 的数据密钥") from error
        except (InvalidTag, struct.error, ValueError) as error:
            raise VaultError("加密数据已损坏或被移动") from error

    def open_text(self, blob: bytes, context: str) -> str:
        """Decrypt what was sealed as text."""
        return self.open_bytes(blob, context).decode()

    def open_json(self, blob: bytes, context: str) -> Any:
        """Decrypt what was sealed as a mapping."""
        return orjson.loads(self.open_bytes(blob, context))

    def file_key(self, salt: bytes, number: int | None = None) -> tuple[int, bytes]:
        """The key of one file, by its salt: (number of the data key, 32 bytes). The newest data
        key when no ``number`` is given. Raises VaultError for an unknown one."""
        number = self._newest if number is None else number
        if number not in self._keys:
            raise VaultError(f"没有编号为 {number} 的数据密钥")
        expand = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=b"bianmin/file")
        return number, expand.derive(self._keys[number])

    def index(self, kind: str, value: str) -> str:
        """The blind index of a value: 43 characters, the same for the same kind and value."""
        return base64.urlsafe_b64encode(self.digest(kind, value.encode()))[:43].decode()

    def digest(self, kind: str, content: bytes) -> bytes:
        """HMAC-SHA256 of a content under the index key of its kind."""
        key = self._index_keys.get(kind)
        if key is None:
            key = self._index_keys[kind] = derive_key(self._index_key, f"index/{kind}")
        return hmac.digest(key, content, "sha256")

    def id_key(self, id_number: str) -> str:
        """The ID-number key of a normalised ID number: the ``_id`` of the person's session."""
        return self.index("id-number", id_number)

    def phone_key(self, phone: str) -> str:
        """The blind index of a normalised phone number."""
        return self.index("phone", phone)

    def openid_key(self, appid: str, openid: str) -> str:
        """The blind index of a WeChat account in one app."""
        return self.index("openid", f"{appid}/{openid}")


async def open_vault(
    keys: AsyncCollection[dict[str, Any]], master_key: bytes, index_key: bytes
) -> Vault:
    """Unwrap the data keys, making the first one in an empty database.

    Processes that start together agree: ``_id`` decides whose key is the first. Raises VaultError
    when the master key or the index key is not the one this data was written with.
    """
    for name, key in (("BIANMIN_MASTER_KEY", master_key), ("BIANMIN_INDEX_KEY", index_key)):
        if len(key) != KEY_BYTES:
            raise VaultError(f"{name} 必须是 {KEY_BYTES} 字节")
    documents = await keys.find({}).to_list()
    if not documents:
        await add_data_key(keys, master_key, index_key, 1)
        documents = await keys.find({}).to_list()
    wrapping = AESGCM(derive_key(master_key, "wrap"))
    data_keys: dict[int, bytes] = {}
    for document in documents:
        number, wrapped = document["number"], document["wrapped"]
        try:
            data_keys[number] = wrapping.decrypt(
                wrapped[:_NONCE], wrapped[_NONCE:], document["_id"].encode()
            )
        except InvalidTag as error:
            raise VaultError("主密钥与数据不符（BIANMIN_MASTER_KEY）") from error
    vault = Vault(data_keys, index_key)
    if any(d["index_check"] != _index_check(index_key) for d in documents):
        raise VaultError("索引密钥与数据不符（BIANMIN_INDEX_KEY）")
    return vault


async def add_data_key(
    keys: AsyncCollection[dict[str, Any]], master_key: bytes, index_key: bytes, number: int
) -> bool:
    """Make and wrap a data key; vaults opened from now on seal with the highest number. False
    when that number exists already."""
    name = f"data-{number}"
    nonce = os.urandom(_NONCE)
    wrapping = AESGCM(derive_key(master_key, "wrap"))
    wrapped = nonce + wrapping.encrypt(nonce, os.urandom(KEY_BYTES), name.encode())
    try:
        await keys.insert_one(
            {
                "_id": name,
                "number": number,
                "wrapped": wrapped,
                "index_check": _index_check(index_key),
            }
        )
    except DuplicateKeyError:
        return False
    return True


def _index_check(index_key: bytes) -> bytes:
    """Tells a wrong index key before it files anybody under a new name."""
    return derive_key(index_key, "index-check")
