"""Portraits of the demo's people, drawn here: nobody's face is in the project."""

import hashlib
import io

from PIL import Image, ImageDraw, ImageFilter

_SIZE = (358, 441)
"""The size of an ID card's picture, in pixels."""
_SKIN = ("#e8c4a2", "#d9ae8a", "#c99873", "#f0d2b6")
_HAIR = ("#1d1a18", "#2b211b", "#4a3a2e", "#6d6864")
_COAT = ("#2f4a6d", "#5b3f4f", "#3d5a48", "#4b4b52")


def portrait_jpeg(who: str, *, today: bool = False) -> bytes:
    """The portrait of ``who``, whatever names him; the same on every run. ``today`` draws him as
    a camera at the counter sees him: another coat, another light, larger."""
    traits = hashlib.sha256(who.encode()).digest()
    skin, hair = _SKIN[traits[0] % 4], _HAIR[traits[1] % 4]
    coat = _COAT[(traits[2] + today) % 4]
    image = Image.new("RGB", _SIZE, "#cfd6da" if today else "#f4f6f8")
    draw = ImageDraw.Draw(image)
    width, height = 118 + traits[3] % 26, 168 + traits[4] % 30
    left, top = (_SIZE[0] - width) // 2, 92
    draw.ellipse((20, 330, _SIZE[0] - 20, 640), fill=coat)
    draw.rectangle((146, top + height - 40, 212, 350), fill=skin)
    fringe = 20 + traits[5] % 30
    draw.ellipse((left - 14, top - 34, left + width + 14, top + height - 40), fill=hair)
    draw.ellipse((left, top, left + width, top + height), fill=skin)
    draw.chord((left - 6, top - 30, left + width + 6, top + 2 * fringe), 180, 360, fill=hair)
    eyes, apart = top + height * 2 // 5, 24 + traits[6] % 10
    for side in (-1, 1):
        x = _SIZE[0] // 2 + side * apart
        draw.ellipse((x - 9, eyes - 5, x + 9, eyes + 5), fill="#fdfdfd")
        draw.ellipse((x - 5, eyes - 5, x + 5, eyes + 5), fill="#231a14")
        draw.line((x - 13, eyes - 16, x + 13, eyes - 18), fill=hair, width=4 + traits[7] % 3)
    middle = _SIZE[0] // 2
    draw.line((middle, eyes + 8, middle - 7, eyes + 42), fill="#a57a5c", width=3)
    mouth = top + height * 3 // 4
    draw.arc((middle - 24, mouth - 12, middle + 24, mouth + 10), 20, 160, fill="#9c4a44", width=4)
    if traits[8] % 3 == 0:
        for side in (-1, 1):
            x = middle + side * apart
            draw.ellipse((x - 20, eyes - 15, x + 20, eyes + 15), outline="#333333", width=3)
    if today:
        image = image.resize((_SIZE[0] * 2, _SIZE[1] * 2), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.filter(ImageFilter.SMOOTH).save(out, "JPEG", quality=92)
    return out.getvalue()
