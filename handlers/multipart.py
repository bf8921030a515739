"""A form with one file, read as a stream: pieces of the file are handed on as they come, and only
short texts are kept."""

from collections.abc import Mapping

from streaming_form_data import ParseFailedException, StreamingFormDataParser
from streaming_form_data.targets import BaseTarget

from rules.refusals import Refusal


class _Text(BaseTarget):
    """A field of the form; what is longer than it may be is remembered as too long."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.value = b""
        self._most = most

    def on_data_received(self, chunk: bytes) -> None:
        self.value = (self.value + chunk)[: self._most + 1]

    @property
    def too_long(self) -> bool:
        """Whether more came than may."""
        return len(self.value) > self._most


class _File(BaseTarget):
    """The file; ``seen`` counts its parts, ``whole`` says one ended, ``size`` what came of it."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []
        self.seen = 0
        self.size = 0
        self.whole = False

    def on_start(self) -> None:
        self.seen += 1

    def on_data_received(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self.pieces.append(chunk)

    def on_finish(self) -> None:
        self.whole = True


class FormWithFile:
    """The form of one page: ``texts`` are the names of its fields with the bytes each may have,
    ``file`` is the name of its file. What the page has no field for is passed over."""

    def __init__(self, headers: Mapping[str, str], texts: Mapping[str, int], file: str) -> None:
        """Raises bad-request when the body is no multipart form."""
        try:
            self._parser = StreamingFormDataParser(headers)
        except ParseFailedException as error:
            raise Refusal("bad-request") from error
        self._texts = {name: _Text(most) for name, most in texts.items()}
        self._file = _File()
        for name, target in self._texts.items():
            self._parser.register(name, target)
        self._parser.register(file, self._file)

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

    def texts(self) -> dict[str, list[bytes]]:
        """The fields as Tornado keeps those of an ordinary form. Raises bad-request for one that
        is too long."""
        if any(text.too_long for text in self._texts.values()):
            raise Refusal("bad-request")
        return {name: [text.value] for name, text in self._texts.items() if text.value}

    @property
    def chosen(self) -> bool:
        """Whether a file was chosen: a browser sends an empty one when none was."""
        return self._file.size > 0

    @property
    def whole(self) -> bool:
        """Whether the file came to its end."""
        return self._file.whole
