"""Thumbnails by short-lived signed addresses, so that a picture list needs no token per image."""

import hashlib
import hmac

from casework.context import Context
from casework.views import PhotoFile
from rules.refusals import Refusal
from storage.photos import PhotoMissing

_LIFE = 600
_STEP = 300


def thumbnail_path(ctx: Context, number: str, thumbnail: str) -> str:
    """The address of a thumbnail, good for five to ten minutes. The end is rounded so that a
    page drawn twice uses the browser's cache."""
    expires = thumbnail_window(ctx) + _LIFE
    signature = _signature(ctx, number, thumbnail, expires)
    return f"/api/v1/thumbnails/{number}/{thumbnail}?expires={expires}&signature={signature}"


def thumbnail_window(ctx: Context) -> int:
    """Changes when the addresses do."""
    return (int(ctx.now().timestamp()) // _STEP) * _STEP


async def open_thumbnail(
    ctx: Context, number: str, thumbnail: str, expires: int, signature: str
) -> PhotoFile:
    """The picture behind a signed address. Raises signature-invalid, not-found."""
    wanted = _signature(ctx, number, thumbnail, expires)
    good = hmac.compare_digest(wanted.encode(), signature.encode())
    if not good or expires < ctx.now().timestamp():
        raise Refusal("signature-invalid")
    try:
        return PhotoFile("image/jpeg", await ctx.stores.photos.open(thumbnail))
    except PhotoMissing as error:
        raise Refusal("not-found") from error


def _signature(ctx: Context, number: str, thumbnail: str, expires: int) -> str:
    text = f"{number}/{thumbnail}/{expires}".encode()
    return hmac.new(ctx.settings.thumbnail_key, text, hashlib.sha256).hexdigest()[:32]
