"""Who may push to the official account, and what a push says: signatures, AES, XML.

wechatpy does the cryptography and gives the messages their types; what it leaves open is closed
here (signatures compared in constant time, no falling back to plain text, no entities, every
malformed input one error). The signature is always checked before a byte of the body is used.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import struct
from dataclasses import dataclass
from typing import Literal
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from wechatpy import parse_message
from wechatpy.crypto import PrpCrypto
from wechatpy.exceptions import InvalidAppIdException
from wechatpy.messages import BaseMessage

WINDOW_SECONDS = 600
"""A push is signed for its time; WeChat's own retries come within 15 seconds."""

_DIGITS = re.compile(r"[0-9]{1,12}")
_BLOCK = 16
_BEFORE_MESSAGE = 20
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ONCE = ("MsgType", "FromUserName", "ToUserName", "CreateTime")
_AT_MOST_ONCE = ("MsgId", "Event", "EventKey", "Content", "MediaId", "Recognition")


class PushRefused(Exception):
    """A push that is not WeChat's (``status`` 403) or not a message (400). No handler runs."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True)
class WechatSettings:
    """The official account as set in WeChat's console.

    ``aes_key`` is the EncodingAESKey of 43 characters, empty when none is set. ``mode``:
    ``encrypted`` (安全模式) takes nothing in plain text, ``both`` (兼容模式) and ``plain`` do.
    """

    token: str
    aes_key: str
    appid: str
    mode: Literal["encrypted", "plain", "both"] = "both"


@dataclass(frozen=True)
class Signed:
    """The signing part of a push's address."""

    timestamp: str
    nonce: str
    signature: str
    msg_signature: str


class _Cipher(PrpCrypto):
    """wechatpy's cipher with random bytes that cannot be foreseen."""

    def get_random_string(self) -> str:
        return secrets.token_hex(8)


class OfficialCrypto:
    """Checks, opens and seals what passes between WeChat and the official account."""

    def __init__(self, settings: WechatSettings) -> None:
        """Raises ValueError for a key that is none, or a mode that needs one."""
        self._token = settings.token
        self._appid = settings.appid
        self._plain_allowed = settings.mode in ("plain", "both")
        self._cipher: _Cipher | None = None
        if settings.aes_key and settings.mode != "plain":
            key = base64.b64decode(settings.aes_key + "=")
            if len(key) != 32:
                raise ValueError("the EncodingAESKey has 43 characters")
            self._cipher = _Cipher(key)
        elif settings.mode == "encrypted":
            raise ValueError("encrypted mode needs the EncodingAESKey")

    def verify(self, signed: Signed, now: float) -> None:
        """The plain signature, which the echo of the console's check carries too."""
        self._check(signed.signature, signed, now)

    def open(self, body: bytes, signed: Signed, now: float) -> tuple[str, bool]:
        """The message of a push as XML text, and whether it came encrypted.

        Raises PushRefused: 403 for a signature, time or appid that is not right, 400 for a body
        that is none.
        """
        if signed.msg_signature:
            return self._open_encrypted(body, signed, now), True
        if not self._plain_allowed:
            raise PushRefused(403, "encrypted messages only")
        self._check(signed.signature, signed, now)
        root = _tree(body)
        if root.find("Encrypt") is not None:
            # The message's own signature was taken away: never fall back to the plain part.
            raise PushRefused(403, "msg_signature missing")
        try:
            return body.decode(), False
        except UnicodeDecodeError as error:
            raise PushRefused(400, "the body is not UTF-8") from error

    def _open_encrypted(self, body: bytes, signed: Signed, now: float) -> str:
        if self._cipher is None:
            raise PushRefused(403, "no EncodingAESKey is set")
        # Before the signature is known, the envelope is only searched for its one element.
        found = _tree(body).findall("Encrypt")
        if len(found) != 1 or not found[0].text:
            raise PushRefused(400, "no Encrypt element")
        sealed = found[0].text.strip()
        self._check(signed.msg_signature, signed, now, sealed)
        try:
            raw = base64.b64decode(sealed, validate=True)
        except (binascii.Error, ValueError) as error:
            raise PushRefused(400, "Encrypt is not base64") from error
        if len(raw) < 2 * _BLOCK or len(raw) % _BLOCK:
            raise PushRefused(400, "Encrypt is no whole number of blocks")
        try:
            return str(self._cipher.decrypt(sealed, self._appid))
        except InvalidAppIdException as error:
            raise PushRefused(403, "message of another appid") from error
        except (ValueError, IndexError, struct.error) as error:
            raise PushRefused(400, "Encrypt cannot be opened") from error

    def _check(self, given: str, signed: Signed, now: float, *more: str) -> None:
        wanted = _signature(self._token, signed.timestamp, signed.nonce, *more)
        if not hmac.compare_digest(wanted.encode(), given.encode()):
            raise PushRefused(403, "signature does not match")
        if not _DIGITS.fullmatch(signed.timestamp):
            raise PushRefused(403, "timestamp is no number")
        if abs(now - int(signed.timestamp)) > WINDOW_SECONDS:
            raise PushRefused(403, "timestamp outside the window")

    def seal(self, xml: str, now: float) -> str:
        """A reply in the envelope of encrypted mode."""
        if self._cipher is None:
            raise ValueError("no EncodingAESKey is set")
        sealed = self._cipher.encrypt(xml, self._appid).decode()
        timestamp, nonce = str(int(now)), secrets.token_hex(8)
        signature = _signature(self._token, timestamp, nonce, sealed)
        return (
            f"<xml><Encrypt><![CDATA[{sealed}]]></Encrypt>"
            f"<MsgSignature><![CDATA[{signature}]]></MsgSignature>"
            f"<TimeStamp>{timestamp}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
        )


def _signature(*parts: str) -> str:
    # SHA-1 is what WeChat prescribes.
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def _tree(body: bytes | str) -> Element:
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        # LookupError: an encoding in the XML declaration that nobody knows.
        raise PushRefused(400, "the body is no acceptable XML") from error
    if root.tag != "xml":
        raise PushRefused(400, "the body is no message")
    return root


def read_message(xml: str) -> BaseMessage:
    """A message or event as wechatpy types it; unknown kinds are ``UnknownMessage``.

    Raises PushRefused(400) unless the elements everything rests on are there once and well formed.
    """
    root = _tree(xml)
    for tag in (*_ONCE, *_AT_MOST_ONCE):
        found = root.findall(tag)
        if len(found) > 1 or any(len(e) or e.attrib for e in found):
            raise PushRefused(400, f"{tag} must be one text")
        needed = tag in _ONCE or (tag == "Event" and found)
        if needed and not (found and (found[0].text or "").strip()):
            raise PushRefused(400, f"{tag} is missing")
    for tag in ("CreateTime", "MsgId"):
        text = (root.findtext(tag) or "0").strip()
        if not (text.isascii() and text.isdigit() and len(text) <= 20):
            raise PushRefused(400, f"{tag} is no number")
    if int(root.findtext("CreateTime", "0")) > 253402300799:
        raise PushRefused(400, "CreateTime is no time")
    return parse_message(xml)


def text_reply(openid: str, account: str, text: str, now: float) -> str:
    """A text answer as XML, well formed whatever the text holds (wechatpy's is not)."""
    return (
        f"<xml><ToUserName>{_cdata(openid)}</ToUserName>"
        f"<FromUserName>{_cdata(account)}</FromUserName>"
        f"<CreateTime>{int(now)}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content>{_cdata(text)}</Content></xml>"
    )


def _cdata(text: str) -> str:
    clean = _NOT_XML.sub("", text).replace("]]>", "]]]]><![CDATA[>")
    return f"<![CDATA[{clean}]]>"
