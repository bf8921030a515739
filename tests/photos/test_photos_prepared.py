"""Real files of every kind come out as clean, upright, bounded JPEGs."""

import io

import pytest
from PIL import Image, ImageFilter, ImageStat

from casework.photos import Prepared
from tests.photos.pictures import camera_jpeg, card, heic, red_corner, saved, scan_pdf


def opened(prepared: Prepared) -> Image.Image:
    image = Image.open(io.BytesIO(prepared.full))
    assert (image.format, image.mode) == ("JPEG", "RGB")
    assert image.size == (prepared.width, prepared.height)
    assert prepared.media_type == "image/jpeg"
    assert prepared.bytes == len(prepared.full)
    small = Image.open(io.BytesIO(prepared.thumb))
    assert small.format == "JPEG" and max(small.size) <= 320
    for written in (image, small):
        assert not written.getexif()
        assert not {"exif", "icc_profile", "comment", "xmp", "photoshop"} & set(written.info)
    assert b"Secret" not in prepared.full + prepared.thumb
    return image


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_camera_jpeg_is_turned_upright_and_freed_of_exif(develop, orientation: int) -> None:
    image = opened(develop(camera_jpeg(orientation)))
    assert image.size == (1200, 800)
    assert red_corner(image)


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_camera_jpeg_is_bounded_and_upright(develop, orientation: int) -> None:
    image = opened(develop(camera_jpeg(orientation, 4000, 3000)))
    assert 1600 <= max(image.size) <= 2400
    assert image.width > image.height
    assert red_corner(image)


@pytest.mark.parametrize("size", [(1201, 803), (3203, 1203)])
def test_heic(develop, size: tuple[int, int]) -> None:
    image = opened(develop(heic(card(*size))))
    assert max(image.size) <= 2400
    assert red_corner(image)


def test_png_with_alpha_lies_on_white_paper(develop) -> None:
    picture = card(mode="RGBA")
    picture.paste((0, 0, 0, 0), (600, 0, 1200, 200))
    image = opened(develop(saved(picture, "PNG")))
    assert red_corner(image)
    assert min(image.getpixel((900, 100))) > 245


@pytest.mark.parametrize("mode", ["L", "P", "1", "LA", "I;16"])
def test_other_kinds_of_png_keep_their_brightness(develop, mode: str) -> None:
    picture = card(mode="L" if mode == "I;16" else mode)
    if mode == "I;16":
        wide = picture.convert("I").point(lambda value: value * 257)
        picture = Image.frombytes("I;16", wide.size, wide.convert("I;16").tobytes())
    image = opened(develop(saved(picture, "PNG"))).convert("L")
    # A patch, for black-and-white paper is made of dots.
    assert 215 < ImageStat.Stat(image.crop((1000, 20, 1180, 140))).mean[0] <= 255


def test_webp(develop) -> None:
    assert red_corner(opened(develop(saved(card(), "WEBP", quality=90))))


def test_cmyk_jpeg(develop) -> None:
    assert red_corner(opened(develop(saved(card(mode="CMYK"), "JPEG", quality=90))))


def test_a_pdf_scan_becomes_a_picture(develop) -> None:
    prepared = develop(scan_pdf(1))
    assert red_corner(opened(prepared))
    assert prepared.pages == 1
    assert max(prepared.width, prepared.height) <= 2400


def test_the_pages_of_a_pdf_scan_come_one_below_the_other(develop) -> None:
    prepared = develop(scan_pdf(3))
    assert prepared.pages == 3
    assert prepared.height > 3.5 * prepared.width
    image = opened(prepared)
    for page in range(3):
        red = image.getpixel((20, page * prepared.height // 3 + 20))
        assert red[0] > 150 and red[1] < 90


def test_what_hangs_behind_the_picture_is_gone(develop) -> None:
    prepared = develop(camera_jpeg(1) + b"PK\x03\x04" + b"<script>Secret</script>" * 50)
    opened(prepared)


def test_warnings(develop) -> None:
    assert develop(camera_jpeg(1)).checks == ()
    blurred = card().filter(ImageFilter.GaussianBlur(9))
    assert "blurred" in develop(saved(blurred, "JPEG")).checks
    dark = card().point(lambda value: value // 8)
    assert "dark" in develop(saved(dark, "JPEG")).checks
    assert develop(saved(card(640, 420), "PNG")).checks == ("small",)


def test_a_noisy_picture_stays_near_a_megabyte(develop) -> None:
    noise = Image.effect_noise((2400, 2400), 90).convert("RGB")
    assert develop(saved(noise, "JPEG", quality=95)).bytes < 3_000_000


def test_the_watermark_is_seen_and_the_picture_stays(develop, bench) -> None:
    prepared = develop(camera_jpeg(1))
    marked = bench.run(bench.lab.watermark(prepared.full, "officer01 410100 2026-11-23 09:30 张"))
    before, after = opened(prepared), Image.open(io.BytesIO(marked))
    assert before.size == after.size
    assert not after.getexif()
    changed = [
        sum(a != b for a, b in zip(x.tobytes(), y.tobytes(), strict=True))
        for x, y in [(before.crop(box), after.convert("RGB").crop(box)) for box in quarters(before)]
    ]
    assert all(count > 2000 for count in changed)


def quarters(image: Image.Image) -> list[tuple[int, int, int, int]]:
    w, h = image.width // 2, image.height // 2
    return [(x, y, x + w, y + h) for x in (0, w) for y in (0, h)]
