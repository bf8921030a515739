"""Keys and what is done with them: sealing personal data, blind indexes to find it again.

The master key never touches data. A key derived from it (HKDF-SHA256) wraps the data keys, which
lie in the collection ``keys`` (``storage/keyring.py``); one of them seals, every one of them opens.
Sealed values are ``version | key number | nonce | AES-256-GCM``, bound to the place they belong to
by their context ("sessions/<key>/name"), so that a value copied elsewhere does not open. The index
key makes blind indexes (HMAC-SHA256) and is independent of both.
"""

import base64
import hmac
import os
import struct
import time
from collections.abc import Mapping
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
_NONCE = 12
_HEAD = struct.Struct(">BI")
_VERSION = 1
_LEAST = _HEAD.size + _NONCE + 16


class VaultError(Exception):
    """A key does not fit the data, or a sealed value was changed or moved."""


def derive_key(master: bytes, purpose: str) -> bytes:
    """A 32-byte key for one purpose; keys of different purposes tell nothing of each other."""
    info = f"bianmin/{purpose}".encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(master)


class Vault:
    """Seals, opens and indexes. Safe to share within a process, where it is renewed in place.

    ``sealing`` is the number of the key that seals; the highest when it is not given.
    """

    def __init__(
        self, data_keys: Mapping[int, bytes], index_key: bytes, sealing: int | None = None
    ) -> None:
        self._index_key = index_key
        self._index_keys: dict[str, bytes] = {}
        self._believed_until: float | None = None
        self.renew(data_keys, sealing)

    def renew(self, data_keys: Mapping[int, bytes], sealing: int | None = None) -> None:
        """Go on with these data keys."""
        number = max(data_keys) if sealing is None else sealing
        self._keys = dict(data_keys)
        self._ciphers = {n: AESGCM(key) for n, key in data_keys.items()}
        # Number, head and cipher belong together: one assignment, so that no thread mixes them.
        self._seal = (number, _HEAD.pack(_VERSION, number), self._ciphers[number])

    @property
    def data_keys(self) -> Mapping[int, bytes]:
        """Every data key by its number; for the keyring alone."""
        return self._keys

    @property
    def sealing(self) -> int:
        """The number of the data key that seals."""
        return self._seal[0]

    def believe(self, seconds: float) -> None:
        """Work with these keys for so long, and then not at all until they were read again.

        Rotating counts on it: a process that was asleep meanwhile must not seal under a key that
        the others have thrown away, nor file anybody under an index they have left.
        """
        self._believed_until = time.monotonic() + seconds

    def _still_good(self) -> None:
        if self._believed_until is not None and time.monotonic() > self._believed_until:
            raise VaultError("数据密钥太久没有更新，暂时不能使用")

    def seal(self, plain: str | bytes | Mapping[str, Any], context: str) -> bytes:
        """Encrypt under the key that seals. ``context`` names the place and must be given again
        to open; a mapping is kept as JSON. Raises VaultError when the keys are out of date."""
        self._still_good()
        if isinstance(plain, str):
            content = plain.encode()
        elif isinstance(plain, bytes):
            content = plain
        else:
            content = orjson.dumps(plain)
        nonce = os.urandom(_NONCE)
        _, head, cipher = self._seal
        return head + nonce + cipher.encrypt(nonce, content, context.encode())

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
        """The key of one file, by its salt: (number of the data key, 32 bytes). The one that
        seals when no ``number`` is given. Raises VaultError for an unknown one."""
        if number is None:
            self._still_good()
            number = self.sealing
        if number not in self._keys:
            raise VaultError(f"没有编号为 {number} 的数据密钥")
        expand = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=b"bianmin/file")
        return number, expand.derive(self._keys[number])

    def index(self, kind: str, value: str) -> str:
        """The blind index of a value: 43 characters, the same for the same kind and value."""
        return base64.urlsafe_b64encode(self.digest(kind, value.encode()))[:43].decode()

    def digest(self, kind: str, content: bytes) -> bytes:
        """HMAC-SHA256 of a content under the index key of its kind. Raises VaultError when the
        keys are out of date."""
        self._still_good()
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


def key_number(blob: bytes) -> int | None:
    """The number of the data key a sealed value was sealed under; None for other bytes."""
    if len(blob) < _LEAST:
        return None
    version, number = _HEAD.unpack_from(blob)
    return int(number) if version == _VERSION else None
