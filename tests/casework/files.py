"""Exchange files written and read in one go."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from casework import exchange
from casework.context import Context


async def imported(
    ctx: Context, folder: Path, kind: str, rows: Sequence[Mapping[str, Any]]
) -> exchange.ImportReport:
    """What became of a file of these rows, with every column of its kind."""
    path = folder / f"{kind}.csv"
    with path.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, [c.name for c in ctx.book.formats[kind].columns])
        writer.writeheader()
        writer.writerows(rows)
    return await exchange.import_file(ctx, kind, path, lambda rows: None)
