"""What every kind of file that is taken in shares: its rows, and what became of them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from casework.context import Context


@dataclass
class ImportReport:
    """What became of a file: rows read, taken, and (line, column, what is wrong) of the others."""

    rows: int = 0
    accepted: int = 0
    errors: list[tuple[int, str, str]] = field(default_factory=list)


Chunk = list[tuple[int, Mapping[str, Any]]]
"""Rows as ``rules.formats`` reads them, each with its line in the file."""

Take = Callable[[Context, Chunk, ImportReport], Awaitable[None]]
"""Takes in some rows of a kind, and says in the report what became of them."""
