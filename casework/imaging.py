"""The work of the image processes: open an encrypted upload, check it, make it clean and small.

A process is told its limits when it starts: address space (a picture that wants more is refused),
seconds for one task (a picture that takes longer ends the process), and it ends when the service
does, however that dies.
"""

import builtins
import ctypes
import io
import os
import resource
import signal
import sys
import threading
import time
import warnings
from contextlib import nullcontext
from dataclasses import dataclass
from multiprocessing import connection, parent_process
from multiprocessing.synchronize import Lock

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageStat

from casework.picture_formats import LONG_SIDE, MAX_PIXELS, Decoded, decode, draft_jpeg
from rules.refusals import Refusal

GROWTH_BYTES = 512 * 1024 * 1024
TASK_SECONDS = 20.0
THUMBNAIL_SIDE = 320
SMALLEST_SIDE = 400
PORTRAIT_SIDE = 200
MAX_RESULT = 1_200_000

_QUALITIES = (85, 75, 65, 50)
_LOOK_SIDE = 1000
# Found by trying: text photographed sharply is above 200, blurred by hand below 25.
_BLURRED = 25.0
_BLANK = 4.0
_DARK = 45.0
_SMALL_SIDE = 700
_LIGHT_PIXELS = 5_000_000
_HEAD = 256 * 1024
_LAPLACE = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)
# glibc's malloc.h: blocks from this size on are given back to the system when freed.
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8


@dataclass(frozen=True)
class Sealed:
    """An encrypted upload: where it lies and what opens it."""

    path: str
    key: bytes
    nonce: bytes
    tag: bytes


@dataclass(frozen=True)
class Prepared:
    """A clean JPEG (``full``, ``bytes`` long) with its thumbnail. ``checks`` are warnings to the
    citizen: blurred, dark, small. ``pages`` is above one for a scan of several."""

    media_type: str
    width: int
    height: int
    bytes: int
    full: builtins.bytes
    thumb: builtins.bytes
    pages: int
    checks: tuple[str, ...]


_one_large: Lock | None = None


def start_worker(one_large: Lock) -> None:
    """Called once in each new process."""
    global _one_large
    _one_large = one_large
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    # Answering comes before picture work where both want the same core.
    os.nice(5)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):
            libc.mallopt(_M_MMAP_THRESHOLD, 256 * 1024)
            libc.mallopt(_M_ARENA_MAX, 1)
        with open("/proc/self/statm", encoding="ascii") as statm:
            used = int(statm.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + GROWTH_BYTES, used + GROWTH_BYTES))


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(0)


def warm() -> int:
    """Load the libraries by using them once; gives the process id."""
    picture = Image.effect_noise((1200, 1200), 50)
    _finished(Decoded(picture.convert("RGB"), picture.size))
    # Long enough for the other processes to get a task of their own.
    time.sleep(0.2)
    return os.getpid()


def prepare(sealed: Sealed, smallest: int = SMALLEST_SIDE) -> Prepared:
    """Check and convert one upload, whose sides have ``smallest`` pixels at least.

    Raises Refusal photo-type, photo-truncated, photo-bomb, photo-too-small, photo-unreadable.
    """
    try:
        # Two small pictures may be worked on side by side, but only one that costs much memory;
        # the time it waits for its turn is not its own.
        turn = nullcontext() if _one_large is None or _light(_unsealed_head(sealed)) else _one_large
        with turn:
            signal.setitimer(signal.ITIMER_REAL, TASK_SECONDS)
            return _finished(decode(unsealed(sealed)), smallest)
    except MemoryError:
        raise Refusal("photo-bomb") from None
    except InvalidTag:
        # Someone or something changed the file between the upload and here.
        raise Refusal("photo-unreadable") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _light(head: bytes) -> bool:
    """Whether decoding stays below some 20 MB, as far as the head of the file tells."""
    if not head.startswith(b"\xff\xd8\xff"):
        return False
    try:
        with Image.open(io.BytesIO(head), formats=("JPEG",)) as image:
            draft_jpeg(image)
            return image.width * image.height <= _LIGHT_PIXELS
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False
    except Image.DecompressionBombWarning:
        return False


def _unsealed_head(sealed: Sealed) -> bytes:
    with open(sealed.path, "rb") as spool:
        cipher = Cipher(algorithms.AES(sealed.key), modes.GCM(sealed.nonce))
        return cipher.decryptor().update(spool.read(_HEAD))


def unsealed(sealed: Sealed) -> bytes:
    """The content of a received upload. Raises InvalidTag when it was changed on the disk."""
    with open(sealed.path, "rb") as spool:
        cipher = Cipher(algorithms.AES(sealed.key), modes.GCM(sealed.nonce, sealed.tag))
        decryptor = cipher.decryptor()
        # Its value is handed on without a second copy.
        plain = io.BytesIO()
        while piece := spool.read(_HEAD):
            plain.write(decryptor.update(piece))
        decryptor.finalize()
        return plain.getvalue()


def _finished(decoded: Decoded, smallest: int = SMALLEST_SIDE) -> Prepared:
    if min(decoded.size) < smallest:
        raise Refusal("photo-too-small")
    image = decoded.image
    if decoded.pages == 1 and max(image.size) > LONG_SIDE:
        image.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS)
    if min(image.size) < smallest // 2:
        raise Refusal("photo-too-small")
    checks = _checked(image)
    # Comments, colour profiles and camera data travel in ``info``.
    image.info.clear()
    full = _encoded(image)
    small = _smaller(image, THUMBNAIL_SIDE)
    thumb = io.BytesIO()
    small.save(thumb, "JPEG", quality=80)
    return Prepared(
        media_type="image/jpeg",
        width=image.width,
        height=image.height,
        bytes=len(full),
        full=full,
        thumb=thumb.getvalue(),
        pages=decoded.pages,
        checks=checks,
    )


def _smaller(image: Image.Image, side: int) -> Image.Image:
    """A copy with that long side, without copying it whole on the way."""
    small = image.reduce(max(1, max(image.size) // (2 * side)))
    small.thumbnail((side, side))
    return small


def _encoded(image: Image.Image) -> bytes:
    for quality in _QUALITIES:
        written = io.BytesIO()
        image.save(written, "JPEG", quality=quality)
        if written.tell() <= MAX_RESULT:
            break
    return written.getvalue()


def _checked(image: Image.Image) -> tuple[str, ...]:
    """Warnings about the picture. Raises photo-unreadable when there is nothing on it."""
    grey = _smaller(image, _LOOK_SIDE).convert("L")
    light = ImageStat.Stat(grey)
    if light.stddev[0] < _BLANK:
        raise Refusal("photo-unreadable")
    # Without the rim, where the filter has no neighbours.
    edges = grey.filter(_LAPLACE).crop((1, 1, grey.width - 1, grey.height - 1))
    found = {
        "blurred": ImageStat.Stat(edges).var[0] < _BLURRED,
        "dark": light.mean[0] < _DARK,
        "small": min(image.size) < _SMALL_SIDE,
    }
    return tuple(name for name, is_so in found.items() if is_so)


def watermark(jpeg: bytes, text: str) -> bytes:
    """The picture with ``text`` tiled over it. The built-in font knows only ASCII, so others'
    characters are left out: name officer and office by their codes."""
    shown = "".join(char for char in text if char.isascii() and char.isprintable()).strip()
    if not shown:
        raise ValueError("a watermark needs ASCII text")
    picture = Image.open(io.BytesIO(jpeg), formats=("JPEG",)).convert("RGB")
    font = ImageFont.load_default(max(14, max(picture.size) // 60))
    left, top, right, bottom = font.getbbox(shown)
    tile = Image.new("L", (int(right - left) + 60, int(bottom - top) + 60), 0)
    ImageDraw.Draw(tile).text((30 - left, 30 - top), shown, fill=255, font=font)
    tile = tile.rotate(24, expand=True)
    ink = tile.point(lambda value: value * 110 // 255)
    rim = tile.filter(ImageFilter.MaxFilter(3)).point(lambda value: value * 90 // 255)
    for row, y in enumerate(range(0, picture.height, tile.height)):
        for x in range(-(tile.width // 2) * (row % 2), picture.width, tile.width):
            # Dark rim and light ink: readable on any background.
            picture.paste((30, 30, 30), (x, y), rim)
            picture.paste((255, 255, 255), (x, y), ink)
    picture.info.clear()
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=85)
    return written.getvalue()
