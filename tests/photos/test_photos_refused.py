"""Files that are no pictures, not whole, or meant to harm are refused by name."""

import random

import pytest
from PIL import Image

from rules.refusals import Refusal
from tests.photos.pictures import camera_jpeg, card, heic, png_bomb, saved, scan_pdf


def refused(develop, data: bytes) -> str:
    with pytest.raises(Refusal) as caught:
        develop(data)
    return caught.value.code


@pytest.mark.parametrize(
    "data",
    [
        b"<!DOCTYPE html><html><script>alert(1)</script></html>",
        b"PK\x03\x04" + b"\0" * 5000,
        b"MZ\x90\x00" + b"\0" * 5000,
        b"GIF89a" + b"\0" * 100,
        b"BM" + b"\0" * 100,
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\0\0\0\x20ftypisom" + b"\0" * 100,
        b"\0\0\0\x20ftypavif" + b"\0" * 100,
        b"RIFF\0\0\0\0WAVE" + b"\0" * 100,
        b" %PDF-1.7",
        "身份证照片".encode(),
    ],
)
def test_disguised_files(develop, data: bytes) -> None:
    assert refused(develop, data) == "photo-type"


def test_real_gif_and_tiff(develop) -> None:
    assert refused(develop, saved(card(mode="P"), "GIF")) == "photo-type"
    assert refused(develop, saved(card(), "TIFF")) == "photo-type"


def test_empty(develop) -> None:
    assert refused(develop, b"") == "photo-truncated"


@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
@pytest.mark.parametrize(
    "data",
    [
        camera_jpeg(1),
        camera_jpeg(1, 4000, 3000),
        saved(card(), "PNG"),
        saved(card(), "WEBP"),
        heic(card()),
        scan_pdf(1),
    ],
    ids=["jpeg", "large-jpeg", "png", "webp", "heic", "pdf"],
)
def test_files_that_end_too_early(develop, data: bytes, share: float) -> None:
    assert refused(develop, data[: int(len(data) * share)]) == "photo-truncated"


@pytest.mark.parametrize("magic", [b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"%PDF-1.7\n"])
def test_rubbish_behind_a_good_beginning(develop, magic: bytes) -> None:
    rubbish = random.Random(1).randbytes(20_000)
    assert refused(develop, magic + rubbish) in ("photo-unreadable", "photo-truncated")


def test_bombs(develop) -> None:
    bomb = png_bomb(30_000)
    assert len(bomb) < 200_000
    assert refused(develop, bomb) == "photo-bomb"
    assert refused(develop, scan_pdf(6, 400, 500)) == "photo-bomb"
    assert refused(develop, saved(card(4000, 4000), "PDF", resolution=20)) == "photo-bomb"


def test_too_small(develop) -> None:
    assert refused(develop, saved(card(399, 900), "JPEG")) == "photo-too-small"
    assert refused(develop, saved(card(9000, 450), "JPEG")) == "photo-too-small"


@pytest.mark.parametrize("colour", ["white", "black", (120, 130, 125)])
def test_nothing_to_be_seen(develop, colour: object) -> None:
    blank = saved(Image.new("RGB", (1200, 900), colour), "JPEG")
    assert refused(develop, blank) == "photo-unreadable"


def test_a_locked_pdf(develop) -> None:
    keys = f"/O<{'41' * 32}>/U<{'42' * 32}>/P -4".encode()
    lock = b"/ID[<41><41>]/Encrypt<</Filter/Standard/V 1/R 2" + keys + b">>/Root"
    locked = lock.join(scan_pdf(1).rsplit(b"/Root", 1))
    assert refused(develop, locked) == "photo-unreadable"
