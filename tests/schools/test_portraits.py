"""An archive of portraits is read where it lies; tricks are refused before the first picture."""

import io
import random
import struct
import tracemalloc
import zipfile

import pytest

from casework.portrait_archive import Archive, PieceReader
from rules.refusals import Refusal

PIECE = 1000


def packed(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as target:
        for name, content in entries.items():
            target.writestr(name, content)
    return written.getvalue()


def archive(content: bytes, most: int = 10, unpacked: int = 100_000) -> Archive:
    """Read from pieces, as from the store."""
    reader = PieceReader(len(content), PIECE, lambda n: content[n * PIECE : (n + 1) * PIECE])
    return Archive(io.BufferedReader(reader), most=most, unpacked=unpacked)


def test_pictures_are_found_by_name_whatever_is_around_them() -> None:
    noise = random.Random(1).randbytes(7_000)
    found = archive(
        packed(
            {
                "照片/11010519491231002x.JPG": noise,
                "照片/": b"",
                "__MACOSX/._x.jpg": b"y",
                "照片/Thumbs.db": b"z",
                "王小明.png": b"w",
                "a/same.jpg": b"1",
                "b/same.jpg": b"2",
            }
        )
    )
    assert found.read("11010519491231002X", 10_000) == noise
    assert found.read("11010519491231002x.jpg", 10_000) == noise
    assert found.read("王小明", 10) == b"w"
    assert found.twice("same.jpg") and "same.jpg" not in found
    assert "Thumbs.db" not in found and "nobody" not in found
    with pytest.raises(KeyError):
        found.read("nobody", 10)
    with pytest.raises(Refusal) as refused:
        found.read("11010519491231002X", 6_999)
    assert refused.value.code == "photo-too-large"


def test_names_packed_by_windows_in_china() -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as target:
        target.writestr("AAAAAA.jpg", b"x")
    content = written.getvalue().replace(b"AAAAAA", "王小明".encode("gb18030"))
    assert archive(content).read("王小明", 10) == b"x"


def locked() -> bytes:
    """The same archive, marked as encrypted."""
    content = bytearray(packed({"a.jpg": b"x"}))
    central = content.index(b"PK\x01\x02")
    content[central + 8] |= 1
    return bytes(content)


def lying() -> bytes:
    """An archive that says a picture is small, and packs a large one."""
    content = bytearray(packed({"a.jpg": b"\0" * 50_000}))
    central = content.index(b"PK\x01\x02")
    content[central + 24 : central + 28] = (10).to_bytes(4, "little")
    return bytes(content)


def crowded(entries: int) -> bytes:
    """An archive whose contents name thousands of nothings, of a few bytes each."""
    nothing = struct.pack(
        "<4s4B4HL2L5H2L", b"PK\1\2", *(20, 0, 20, 0), *(0, 0, 0, 0), 0, 0, 0, 2, *(0,) * 6
    )
    contents = b"".join(nothing + f"{n % 100:02}".encode() for n in range(entries))
    count = entries & 0xFFFF
    return contents + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(contents), 0, 0)


def test_contents_are_bounded_before_they_are_unfolded() -> None:
    assert not archive(crowded(0)).twice("00")
    content = crowded(60_000)
    tracemalloc.start()
    try:
        with pytest.raises(Refusal) as refused:
            archive(content)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert refused.value.code == "portraits-bomb" and most < 1_000_000


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"not a zip", "portraits-type"),
        (b"", "portraits-type"),
        (locked(), "portraits-locked"),
        (packed({"../a.jpg": b"x"}), "portraits-path"),
        (packed({"/etc/a.jpg": b"x"}), "portraits-path"),
        (packed({"c:/a.jpg": b"x"}), "portraits-path"),
        (packed({"a.zip": b"x"}), "portraits-nested"),
        (packed({f"{n}.jpg": b"x" for n in range(11)}), "portraits-too-many"),
        (packed({f"{n}.jpg": b"\0" * 60_000 for n in range(2)}), "portraits-bomb"),
        (packed({"a.jpg": b"x"}, zipfile.ZIP_LZMA), "portraits-type"),
    ],
)
def test_tricks_are_refused_by_name(content: bytes, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        archive(content)
    assert refused.value.code == code


def test_a_picture_never_unpacks_to_more_than_the_archive_says() -> None:
    with pytest.raises(Refusal) as refused:
        archive(lying()).read("a.jpg", 1_000_000)
    assert refused.value.code == "photo-truncated"


def test_a_changed_picture_does_not_pass() -> None:
    noise = random.Random(2).randbytes(2_000)
    content = packed({"a.jpg": noise}, zipfile.ZIP_STORED)
    broken = content.replace(noise[500:520], bytes(20))
    with pytest.raises(Refusal) as refused:
        archive(broken).read("a.jpg", 10_000)
    assert refused.value.code == "photo-truncated"
