"""Real picture files as phones make them, drawn here: no real document is in the project."""

import io

import pillow_heif
from PIL import Image, ImageDraw, ImageFilter, ImageFont

_CARD = (1712, 1080)
_ORIENTATION = 0x0112
_ROTATED_RIGHT = 6


def _card(lines: list[str], paper: str, ink: str) -> Image.Image:
    """A document on a desk: plain shapes and Latin text, enough for the checks at upload."""
    image = Image.new("RGB", (2400, 1700), "#8d7b68")
    draw = ImageDraw.Draw(image)
    left, top = (2400 - _CARD[0]) // 2, (1700 - _CARD[1]) // 2
    box = (left, top, left + _CARD[0], top + _CARD[1])
    draw.rounded_rectangle(box, radius=60, fill=paper, outline=ink, width=4)
    draw.rectangle((left + 1150, top + 180, left + 1560, top + 700), fill="#d9cbb8", outline=ink)
    draw.ellipse((left + 1260, top + 240, left + 1450, top + 470), fill="#b78f74")
    draw.rectangle((left + 1220, top + 490, left + 1490, top + 698), fill="#39475c")
    font = ImageFont.load_default(64)
    for row, line in enumerate(lines):
        draw.text((left + 110, top + 170 + row * 120), line, fill=ink, font=font)
    return image.filter(ImageFilter.GaussianBlur(0.6))


def id_card_jpeg() -> bytes:
    """A phone held upright: the pixels lie on their side and EXIF says how to turn them."""
    exif = Image.Exif()
    exif[_ORIENTATION] = _ROTATED_RIGHT
    exif[0x010F] = "DemoPhone"
    out = io.BytesIO()
    picture = _card(["RESIDENT IDENTITY CARD", "SPECIMEN", "NOT VALID"], "#f3efe4", "#27313f")
    picture.rotate(90, expand=True).save(out, "JPEG", quality=92, exif=exif)
    return out.getvalue()


def proof_heic() -> bytes:
    """A proof of going abroad as an iPhone saves it."""
    out = io.BytesIO()
    picture = _card(["LETTER OF ADMISSION", "SPECIMEN UNIVERSITY", "2 YEARS"], "#ffffff", "#1b2a1b")
    heif = pillow_heif.from_pillow(picture)
    heif.save(out, quality=80)
    return out.getvalue()


def proof_png() -> bytes:
    """The better picture after the officer sent the first back."""
    out = io.BytesIO()
    picture = _card(["LETTER OF ADMISSION", "SEAL AND DATE", "2 YEARS"], "#ffffff", "#101040")
    picture.save(out, "PNG")
    return out.getvalue()


def no_picture() -> bytes:
    """A web page that calls itself a photo."""
    return b"<!DOCTYPE html><html><script>alert(1)</script>" + b"x" * 4000 + b"</html>"
