"""Temporary media: kept three days, in memory and, beside a journal, as files."""

import secrets
from dataclasses import dataclass
from pathlib import Path

LIFETIME = 3 * 86400.0


@dataclass(frozen=True, slots=True)
class Medium:
    """Bytes with their content type."""

    content_type: str
    data: bytes
    at: float


class MediaStore:
    """Media by id."""

    def __init__(self, folder: Path | None) -> None:
        self._media: dict[str, Medium] = {}
        self._folder = folder
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def add(self, data: bytes, content_type: str, now: float) -> str:
        """Keep bytes; gives the media id."""
        media_id = secrets.token_urlsafe(48)
        self._media[media_id] = Medium(content_type, data, now)
        if self._folder is not None:
            head = f"{content_type}\n{now}\n".encode()
            (self._folder / media_id).write_bytes(head + data)
        return media_id

    def get(self, media_id: str, now: float) -> Medium | None:
        """The medium, or None when unknown or older than three days."""
        medium = self._media.get(media_id) or self._read(media_id)
        return medium if medium is not None and medium.at + LIFETIME > now else None

    def _read(self, media_id: str) -> Medium | None:
        if self._folder is None or not media_id.replace("-", "").replace("_", "").isalnum():
            return None
        path = self._folder / media_id
        if not path.is_file():
            return None
        content_type, at, data = path.read_bytes().split(b"\n", 2)
        self._media[media_id] = medium = Medium(content_type.decode(), data, float(at))
        return medium
