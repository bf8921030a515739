"""Alibaba Cloud's RPC signature (HMAC-SHA1, version 1.0), written from its description."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import quote


def percent(text: str) -> str:
    """RFC 3986 encoding: only letters, digits and -_.~ stay."""
    return quote(text, safe="-_.~")


def string_to_sign(method: str, parameters: Mapping[str, str]) -> str:
    """The canonical string over all parameters of query and form body but the signature itself."""
    pairs = sorted((name, value) for name, value in parameters.items() if name != "Signature")
    canonical = "&".join(f"{percent(name)}={percent(value)}" for name, value in pairs)
    return f"{method}&%2F&{percent(canonical)}"


def sign(method: str, parameters: Mapping[str, str], secret: str) -> str:
    """The base64 signature of a request under the access key's secret."""
    digest = hmac.new(
        f"{secret}&".encode(), string_to_sign(method, parameters).encode(), hashlib.sha1
    ).digest()
    return base64.b64encode(digest).decode()


def matches(method: str, parameters: Mapping[str, str], secret: str) -> bool:
    """Whether the parameters' own Signature is right; compared in constant time."""
    given = parameters.get("Signature", "").encode()
    return hmac.compare_digest(given, sign(method, parameters, secret).encode())
