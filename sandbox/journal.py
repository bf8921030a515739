"""The sandbox's memory: an append-only list of what happened, kept as JSON lines when a path is
given.

State (people, chats, consents, inboxes) is always derived from these entries, so a restart that
reads them finds it again.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

Entry = dict[str, Any]


class Journal:
    """Entries are numbered from 1: {"n", "at" (seconds since 1970), "kind", ...}."""

    def __init__(self, path: Path | None, now: Callable[[], float]) -> None:
        self._now = now
        self._path = path
        self.entries: list[Entry] = _read(path) if path is not None and path.exists() else []
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            whole = b"".join(orjson.dumps(entry) + b"\n" for entry in self.entries)
            # A kill may have left half a line at the end: start again from what is whole.
            if not path.exists() or path.read_bytes() != whole:
                path.write_bytes(whole)

    def write(self, kind: str, fields: Entry) -> Entry:
        """Append one entry and give it back."""
        entry: Entry = {"n": len(self.entries) + 1, "at": self._now(), "kind": kind, **fields}
        self.entries.append(entry)
        if self._path is not None:
            with self._path.open("ab") as file:
                file.write(orjson.dumps(entry) + b"\n")
        return entry

    def since(self, number: int) -> list[Entry]:
        """Entries after the given number."""
        return self.entries[max(number, 0) :]


def _read(path: Path) -> list[Entry]:
    entries = []
    for line in path.read_bytes().splitlines():
        try:
            entries.append(orjson.loads(line))
        except orjson.JSONDecodeError:
            break
    return entries
