"""From the bytes of an upload to pixels, by what the bytes are and never by what they are called.

Runs only in the image processes. Everything is bounded before it is decoded: pixels, pages, page
size. Large pictures are decoded small (JPEG) or shrunk strip by strip (HEIC), so that one picture
never costs much more than its own pixels.
"""

import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pillow_heif
import pypdfium2
from PIL import Image, UnidentifiedImageError

from rules.refusals import Refusal

MAX_PIXELS = 50_000_000
MAX_PAGES = 5
MAX_PAGE_POINTS = 6000
"""A0 is 3370 points long; what is larger is no scan of a paper."""

LONG_SIDE = 2400
GOOD_SIDE = 1600
"""A picture that is decoded or shrunk by a whole factor keeps at least this long side."""

_STRIP_WIDTH = 1240
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


@dataclass(frozen=True)
class Decoded:
    """Upright pixels, not larger than needed; ``size`` is that of the original."""

    image: Image.Image
    size: tuple[int, int]
    pages: int = 1


def sniff(data: bytes) -> str:
    """The media type by content. Raises photo-truncated when empty, photo-type for all others."""
    if not data:
        raise Refusal("photo-truncated")
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        return "image/heic"
    if data.startswith(b"%PDF-"):
        return "application/pdf"
    raise Refusal("photo-type")


def decode(data: bytes) -> Decoded:
    """Raises Refusal photo-type, photo-truncated, photo-bomb or photo-unreadable."""
    reader = _READERS[sniff(data)]
    try:
        return reader(data)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        raise Refusal("photo-bomb") from None
    except EOFError:
        raise Refusal("photo-truncated") from None
    except UnidentifiedImageError:
        raise Refusal("photo-unreadable") from None
    except (OSError, ValueError, SyntaxError, RuntimeError, pypdfium2.PdfiumError) as error:
        # The libraries have no error of their own for a file that ends too early, only words.
        words = str(error).lower()
        short = any(word in words for word in ("truncated", "end of file", "premature"))
        raise Refusal("photo-truncated" if short else "photo-unreadable") from None


def _bounded(size: tuple[int, int]) -> None:
    if size[0] * size[1] > MAX_PIXELS or min(size) < 1:
        raise Refusal("photo-bomb")


def shrink_factor(size: tuple[int, int]) -> int:
    """The whole factor that brings a picture near the size kept."""
    return max(size) // GOOD_SIDE if max(size) > LONG_SIDE else 1


def _opened(data: bytes, kind: str) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=(kind,))
    _bounded(image.size)
    return image


def _jpeg(data: bytes) -> Decoded:
    image = _opened(data, "JPEG")
    size, turn = image.size, image.getexif().get(_ORIENTATION, 1)
    draft_jpeg(image)
    image.load()
    return Decoded(_upright(_plain(image), turn), size)


def draft_jpeg(image: Image.Image) -> None:
    """Have a JPEG decoded at half, a quarter or an eighth where it stays large enough: libjpeg
    needs less memory and less time for it."""
    if max(image.size) >= 2 * GOOD_SIDE:
        scale = GOOD_SIDE / max(image.size)
        small = (math.floor(image.width * scale), math.floor(image.height * scale))
        image.draft(None, (max(1, small[0]), max(1, small[1])))


def _png(data: bytes) -> Decoded:
    return _raster(data, "PNG")


def _webp(data: bytes) -> Decoded:
    # libwebp only says that it cannot decode; the container says how long it should be.
    if int.from_bytes(data[4:8], "little") + 8 > len(data):
        raise Refusal("photo-truncated")
    return _raster(data, "WEBP")


def _raster(data: bytes, kind: str) -> Decoded:
    image = _opened(data, kind)
    size, turn = image.size, image.getexif().get(_ORIENTATION, 1)
    image.load()
    return Decoded(_upright(_plain(image), turn), size)


def _heic(data: bytes) -> Decoded:
    # libheif turns the picture upright itself; its EXIF orientation is history.
    heif = pillow_heif.open_heif(data, convert_hdr_to_8bit=True)
    size, mode = heif.size, heif.mode
    _bounded(size)
    pixels, stride = memoryview(heif.data), heif.stride
    factor = shrink_factor(size)
    whole = Image.new(mode, (-(-size[0] // factor), -(-size[1] // factor)))
    rows = 64 * factor
    for top in range(0, size[1], rows):
        count = min(rows, size[1] - top)
        piece = bytes(pixels[top * stride : (top + count) * stride])
        strip = Image.frombuffer(mode, (size[0], count), piece, "raw", mode, stride, 1)
        whole.paste(strip.reduce(factor), (0, top // factor))
    return Decoded(_plain(whole), size)


def _pdf(data: bytes) -> Decoded:
    if b"%%EOF" not in data[-2048:]:
        raise Refusal("photo-truncated")
    document = pypdfium2.PdfDocument(data)
    try:
        count = len(document)
        if not 1 <= count <= MAX_PAGES:
            raise Refusal("photo-bomb" if count else "photo-unreadable")
        pages = [_page(document, number, count) for number in range(count)]
    finally:
        document.close()
    whole = pages[0]
    if count > 1:
        # One picture, page under page, so that a part of the form stays one photo.
        height = sum(page.height for page in pages)
        whole = Image.new("RGB", (max(page.width for page in pages), height), "white")
        top = 0
        for page in pages:
            whole.paste(page, (0, top))
            top += page.height
    return Decoded(whole, whole.size, count)


def _page(document: pypdfium2.PdfDocument, number: int, count: int) -> Image.Image:
    page = document[number]
    width, height = page.get_size()
    if min(width, height) < 1 or max(width, height) > MAX_PAGE_POINTS:
        raise Refusal("photo-bomb")
    scale = LONG_SIDE / max(width, height)
    if count > 1:
        scale = min(scale, _STRIP_WIDTH / width)
    bitmap = page.render(scale=scale, may_draw_forms=False)
    try:
        image: Image.Image = bitmap.to_pil().convert("RGB")
        return image
    finally:
        bitmap.close()
        page.close()


def _plain(image: Image.Image) -> Image.Image:
    """RGB without transparency, shrunk by a whole factor before anything else is done to it."""
    if image.mode.startswith(("I", "F")):
        # 16-bit grey: Pillow would cut off instead of scaling.
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in ("P", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
    elif image.mode in ("1", "YCbCr", "LAB", "HSV"):
        image = image.convert("RGB")
    factor = shrink_factor(image.size)
    if factor > 1:
        image = image.reduce(factor)
    if image.mode in ("RGBA", "LA"):
        rgba = image.convert("RGBA")
        paper = Image.new("RGB", rgba.size, "white")
        paper.paste(rgba, mask=rgba.getchannel("A"))
        return paper
    # Converting to the mode it has would copy it.
    return image if image.mode == "RGB" else image.convert("RGB")


def _upright(image: Image.Image, turn: int) -> Image.Image:
    return image.transpose(_UPRIGHT[turn]) if turn in _UPRIGHT else image


_READERS: Mapping[str, Callable[[bytes], Decoded]] = {
    "image/jpeg": _jpeg,
    "image/png": _png,
    "image/webp": _webp,
    "image/heic": _heic,
    "application/pdf": _pdf,
}
