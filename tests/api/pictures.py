"""Real picture files, good and bad."""

import io
from collections.abc import Callable

import pillow_heif
from PIL import Image, ImageDraw

MEGABYTE = 1024 * 1024


def card(width: int = 1600, height: int = 1000) -> Image.Image:
    """Something with edges and shades, as a card on a table has."""
    image = Image.new("RGB", (width, height), "#8d7b68")
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((80, 80, width - 80, height - 80), radius=40, fill="#f3efe4")
    for line in range(8):
        top = 160 + line * (height - 320) // 8
        for word in range(12):
            left = 140 + word * (width - 320) // 12
            draw.text((left, top), f"WORD{word}{line}", fill="#27313f")
            draw.rectangle((left, top + 14, left + 60, top + 30), fill="#5a6472")
    return image


def jpeg() -> bytes:
    """A JPEG turned on its side, with EXIF that says so."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "TestPhone"
    return _saved(card().rotate(90, expand=True), "JPEG", quality=90, exif=exif)


def png() -> bytes:
    """A PNG."""
    return _saved(card(1200, 800), "PNG")


def webp() -> bytes:
    """A WebP."""
    return _saved(card(1200, 800), "WEBP")


def heic() -> bytes:
    """As an iPhone saves it."""
    out = io.BytesIO()
    pillow_heif.from_pillow(card()).save(out, quality=80)
    return out.getvalue()


def pdf() -> bytes:
    """A scanned page."""
    return _saved(card(1240, 1754), "PDF", resolution=150)


def tiny() -> bytes:
    """Too small to read anything on it."""
    return _saved(card().resize((60, 40)), "JPEG")


def padded(size: int) -> bytes:
    """A good picture, made that long with bytes no decoder reads."""
    return jpeg().ljust(size, b"\0")


GOOD: dict[str, Callable[[], bytes]] = {
    "jpeg": jpeg,
    "png": png,
    "webp": webp,
    "heic": heic,
    "pdf": pdf,
}


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()
