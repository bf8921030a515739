"""WeChat's message signature and encryption, written from the platform's description.

Key = base64(43 characters + "="); AES-256-CBC with IV = key[:16]; padding PKCS7 with block 32;
plaintext = 16 random bytes + 4-byte big-endian length + message + appid.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 32
RANDOM_BYTES = 16


class CryptoError(ValueError):
    """The ciphertext is not one WeChat would accept; the text says why."""


def signature(*parts: str) -> str:
    """SHA-1 over the sorted, joined parts (token, timestamp, nonce and, encrypted, the ciphertext),
    as hex.
    """
    # SHA-1 is what the platform's protocol says.
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def signature_matches(given: str, *parts: str) -> bool:
    """Compare a signature in constant time."""
    return hmac.compare_digest(given.encode(), signature(*parts).encode())


@dataclass(frozen=True, slots=True)
class MessageCrypto:
    """Encrypts and decrypts the messages of one app."""

    aes_key: str
    appid: str

    def _cipher(self) -> Cipher[modes.CBC]:
        key = base64.b64decode(self.aes_key + "=")
        if len(key) != 32:
            raise CryptoError("EncodingAESKey must be 43 characters")
        return Cipher(algorithms.AES(key), modes.CBC(key[:16]))

    def encrypt(self, message: bytes, random: bytes | None = None) -> str:
        """Give the base64 ciphertext of a message; `random` (16 bytes) only to repeat a known
        vector.
        """
        head = secrets.token_bytes(RANDOM_BYTES) if random is None else random
        plain = head + struct.pack(">I", len(message)) + message + self.appid.encode()
        fill = BLOCK - len(plain) % BLOCK
        encryptor = self._cipher().encryptor()
        data = encryptor.update(plain + bytes([fill]) * fill) + encryptor.finalize()
        return base64.b64encode(data).decode()

    def decrypt(self, ciphertext: str) -> bytes:
        """Give the message inside; raises CryptoError for a broken text or another app's appid."""
        try:
            data = base64.b64decode(ciphertext, validate=True)
        except (binascii.Error, ValueError) as error:
            raise CryptoError("ciphertext is not base64") from error
        if not data or len(data) % 16:
            raise CryptoError("ciphertext is no multiple of the block length")
        decryptor = self._cipher().decryptor()
        plain = decryptor.update(data) + decryptor.finalize()
        fill = plain[-1]
        if not 1 <= fill <= BLOCK or plain[-fill:] != bytes([fill]) * fill:
            raise CryptoError("padding is wrong")
        plain = plain[:-fill]
        if len(plain) < RANDOM_BYTES + 4:
            raise CryptoError("plaintext is too short")
        (length,) = struct.unpack(">I", plain[RANDOM_BYTES : RANDOM_BYTES + 4])
        message = plain[RANDOM_BYTES + 4 :][:length]
        if len(message) != length:
            raise CryptoError("length field is wrong")
        if plain[RANDOM_BYTES + 4 + length :] != self.appid.encode():
            raise CryptoError("appid does not match")
        return message
