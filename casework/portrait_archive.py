"""The archive of portraits: a ZIP read where it lies, sealed in pieces, without unpacking it.

Nothing in it names a place on our disk: a picture is found by the last part of its name. Encrypted
archives, archives in archives, names that climb out of the folder and pictures beyond all measure
are refused before the first one is read.
"""

import io
import unicodedata
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable
from typing import BinaryIO

from rules.refusals import Refusal

_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_NESTED = (".zip", ".rar", ".7z", ".gz", ".bz2", ".xz", ".tar")
_JUNK = frozenset({"thumbs.db", "desktop.ini", ".ds_store"})
_UTF8 = 0x800
_ENCRYPTED = 0x1
_KEPT_PIECES = 4
_ENTRY_BYTES = 1024
"""What the contents of an archive may have for each picture: its name and dates are 200 bytes."""
_CONTENTS_BYTES = 128 * 1024
"""What they may have besides; the end of an archive is looked for in its last 64 kilobytes."""


class PieceReader(io.RawIOBase):
    """A file that lies in pieces of one size, to be read at any place by a thread.

    ``fetch`` gives a piece by its number; the last few are remembered.
    """

    def __init__(self, size: int, piece: int, fetch: Callable[[int], bytes]) -> None:
        super().__init__()
        self._size, self._piece, self._fetch = size, piece, fetch
        self._at = 0
        self._held: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place; beyond the end there is nothing to read."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise OSError("before the beginning")
        self._at = start + offset
        return self._at

    def readinto(self, buffer: object) -> int:
        """Some bytes, at most to the end of a piece."""
        target = memoryview(buffer)  # type: ignore[arg-type]  # what io hands in
        number, offset = divmod(self._at, self._piece)
        if self._at >= self._size or not len(target):
            return 0
        found = self._at_hand(number)[offset : offset + len(target)]
        target[: len(found)] = found
        self._at += len(found)
        return len(found)

    def _at_hand(self, number: int) -> bytes:
        if number not in self._held:
            self._held[number] = self._fetch(number)
            if len(self._held) > _KEPT_PIECES:
                self._held.popitem(last=False)
        self._held.move_to_end(number)
        return self._held[number]


class _Spare:
    """A file that gives no more than ``longest`` bytes at a time while it is set: the contents of
    an archive are read in one piece and unfolded in memory, before anything in them is counted."""

    def __init__(self, file: BinaryIO, longest: int) -> None:
        self._file = file
        self.longest: int | None = longest

    def read(self, size: int = -1, /) -> bytes:
        """So many bytes. Raises Refusal portraits-bomb for more than there may be."""
        if self.longest is not None and size > self.longest:
            raise Refusal("portraits-bomb")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Where the next read begins."""
        return self._file.tell()

    def seekable(self) -> bool:
        """It is."""
        return True


class Archive:
    """The portraits of an archive by name. Raises Refusal when made of what is none."""

    def __init__(self, file: BinaryIO, *, most: int, unpacked: int) -> None:
        """At most ``most`` pictures, ``unpacked`` bytes together.

        Raises portraits-type, portraits-locked, portraits-path, portraits-nested,
        portraits-too-many, portraits-bomb.
        """
        spare = _Spare(file, _CONTENTS_BYTES + most * _ENTRY_BYTES)
        try:
            self._zip = zipfile.ZipFile(spare)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise Refusal("portraits-type") from error
        spare.longest = None
        self._found: dict[str, zipfile.ZipInfo | None] = {}
        total = count = 0
        for entry in self._zip.infolist():
            name = _name(entry)
            _check_entry(entry, name)
            base = name.rsplit("/", 1)[-1]
            if entry.is_dir() or base.startswith("._") or base in _JUNK:
                continue
            total, count = total + entry.file_size, count + 1
            if count > most:
                raise Refusal("portraits-too-many", count=str(most))
            if total > unpacked:
                raise Refusal("portraits-bomb")
            for known in {base, base.rpartition(".")[0] or base}:
                # Two pictures of one name: neither is anybody's.
                self._found[known] = None if known in self._found else entry

    def __contains__(self, name: str) -> bool:
        return self._found.get(_plain(name)) is not None

    def twice(self, name: str) -> bool:
        """Whether there are two pictures of this name."""
        plain = _plain(name)
        return plain in self._found and self._found[plain] is None

    def read(self, name: str, most: int) -> bytes:
        """One picture. Raises KeyError when there is none, Refusal photo-too-large,
        photo-truncated."""
        entry = self._found.get(_plain(name))
        if entry is None:
            raise KeyError(name)
        if entry.file_size > most:
            raise Refusal("photo-too-large", megabytes=str(most // (1024 * 1024)))
        try:
            with self._zip.open(entry) as picture:
                # zipfile gives no more than the size that was checked, whatever is packed.
                return picture.read(most)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            raise Refusal("photo-truncated") from error


def _check_entry(entry: zipfile.ZipInfo, name: str) -> None:
    if entry.flag_bits & _ENCRYPTED:
        raise Refusal("portraits-locked")
    if name.startswith("/") or ":" in name or ".." in name.split("/"):
        raise Refusal("portraits-path")
    if name.endswith(_NESTED):
        raise Refusal("portraits-nested")
    if entry.compress_type not in _METHODS:
        raise Refusal("portraits-type")


def _name(entry: zipfile.ZipInfo) -> str:
    name = entry.filename
    if not entry.flag_bits & _UTF8:
        # Windows in China packs names in its own code page and does not say so.
        try:
            name = name.encode("cp437").decode("gb18030")
        except UnicodeError:
            name = entry.filename
    return _plain(name)


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().replace("\\", "/").casefold()
