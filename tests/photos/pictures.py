"""Real image files, made by the libraries cameras' files are read with."""

import io
import struct
import zlib

import pillow_heif
from PIL import Image, ImageDraw, ImageFont

ORIENTATION, CAMERA, GPS = 0x0112, 0x0110, 0x8825
TURNED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def card(width: int = 1200, height: int = 800, mode: str = "RGB") -> Image.Image:
    """Lines of text on paper with a red square in the upper left corner."""
    image = Image.new("RGB", (width, height), (236, 232, 220))
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(max(18, height // 24))
    for row in range(8):
        y = height * (row + 3) // 12
        draw.text((width // 10, y), f"{row} driving licence 410100", (40, 40, 50), font)
    draw.rectangle((0, 0, width // 6, height // 6), fill=(220, 20, 20))
    return image.convert(mode)


def red_corner(image: Image.Image) -> bool:
    """Whether the upper left corner, and no other, is red."""
    rgb = image.convert("RGB")
    right, low = rgb.width - 20, rgb.height - 20
    corners = [rgb.getpixel(at) for at in ((20, 20), (right, 20), (20, low), (right, low))]
    red = [isinstance(c, tuple) and c[0] > 150 and c[1] < 90 for c in corners]
    return red == [True, False, False, False]


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """The image as a file of that kind."""
    written = io.BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()


def exif(orientation: int) -> bytes:
    """Camera data with a position and an orientation."""
    data = Image.Exif()
    data[ORIENTATION] = orientation
    data[CAMERA] = "SecretCamera"
    gps = data.get_ifd(GPS)
    gps[1], gps[2] = "N", (34.0, 45.0, 0.0)
    return data.tobytes()


def camera_jpeg(orientation: int, width: int = 1200, height: int = 800) -> bytes:
    """As a phone stores it: the sensor's pixels turned, the orientation in EXIF."""
    image, turn = card(width, height), TURNED[orientation]
    if turn is not None:
        image = image.transpose(turn)
    return saved(image, "JPEG", quality=92, exif=exif(orientation), comment=b"SecretComment")


def heic(image: Image.Image) -> bytes:
    """As an iPhone stores it, with camera data."""
    pillow_heif.register_heif_opener()
    return saved(image, "HEIF", quality=80, exif=exif(1))


def png_bomb(side: int) -> bytes:
    """A small file that unfolds to side × side pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    packer = zlib.compressobj(9)
    row = b"\0" * (1 + side // 8)
    packed = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    parts = chunk(b"IHDR", head), chunk(b"IDAT", packed), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def scan_pdf(pages: int, width: int = 1240, height: int = 1754) -> bytes:
    """A scan: one picture a page, 150 dots an inch."""
    first, *rest = [card(width, height) for _ in range(pages)]
    return saved(first, "PDF", save_all=True, append_images=rest, resolution=150)
