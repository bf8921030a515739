"""A multipart body read as a stream: one file, handed on piece by piece, and the field
``material``. Nothing is kept here but the pieces of one chunk."""

from collections.abc import Mapping

from streaming_form_data import ParseFailedException, StreamingFormDataParser
from streaming_form_data.targets import BaseTarget

from rules.refusals import Refusal

_MATERIAL_BYTES = 64


class _Field(BaseTarget):
    """A short text; what is longer is dropped, and so names no material."""

    def __init__(self) -> None:
        super().__init__()
        self.value = b""

    def on_data_received(self, chunk: bytes) -> None:
        self.value = (self.value + chunk)[: _MATERIAL_BYTES + 1]


class _File(BaseTarget):
    """Every part that carries a file name; ``seen`` counts them, ``whole`` says one ended."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []
        self.seen = 0
        self.whole = False

    def on_start(self) -> None:
        # A part without a file name is a text field of the client's own.
        self.seen += self.multipart_filename is not None

    def on_data_received(self, chunk: bytes) -> None:
        if self.multipart_filename is not None:
            self.pieces.append(chunk)

    def on_finish(self) -> None:
        self.whole = self.whole or self.multipart_filename is not None


class UploadForm:
    """The form of one upload. ``wx.uploadFile`` may call the file's part what it likes."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        """Raises photo-type when the body is no multipart form."""
        try:
            self._parser = StreamingFormDataParser(headers)
        except ParseFailedException as error:
            raise Refusal("photo-type") from error
        self._material = _Field()
        self._file = _File()
        self._parser.register("material", self._material)
        self._parser.register("file", self._file, matches=lambda _, name: name != "material")

    def feed(self, chunk: bytes) -> list[bytes]:
        """Pieces of the file in this chunk. Raises bad-request for what is no form of ours."""
        try:
            self._parser.data_received(chunk)
        except ParseFailedException as error:
            raise Refusal("bad-request") from error
        if self._file.seen > 1:
            raise Refusal("bad-request")
        pieces, self._file.pieces = self._file.pieces, []
        return pieces

    def missing(self) -> tuple[str, ...]:
        """The parts that never came."""
        there = {"file": self._file.seen > 0, "material": bool(self._material.value)}
        return tuple(name for name, came in there.items() if not came)

    @property
    def whole(self) -> bool:
        """Whether the file came to its end."""
        return self._file.whole

    @property
    def material(self) -> str:
        """The material the photo is for."""
        return self._material.value.decode("utf-8", "replace")
