"""A camera's JPEG of a wanted size: noise does not compress, so its size can be steered."""

import io
import random

from PIL import Image


def camera_jpeg(size: int) -> bytes:
    """A 12-megapixel JPEG of just under ``size`` bytes."""
    rough = Image.frombytes("RGB", (1008, 756), random.Random(1).randbytes(1008 * 756 * 3))
    picture = rough.resize((4032, 3024))
    best = b""
    for quality in (60, 75, 85, 90, 93, 95, 97):
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=quality)
        if out.tell() <= size:
            best = out.getvalue()
    # Padding after the end of the image is what some cameras write too.
    return best + bytes(size - len(best)) if best else best
