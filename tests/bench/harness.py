"""Runs ours and its floor in turn, round by round, and keeps what was seen."""

import json
import os
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.load import Load, apart, save

ROUNDS = 5


@dataclass(frozen=True)
class Result:
    """One line of the table. ``ratio`` is ours over the floor, the median of the rounds."""

    name: str
    value: float
    unit: str
    floor: float | None
    ratio: float | None
    n: int
    note: str


@dataclass(frozen=True)
class Side:
    """Ours or the floor: a port and the requests of every round, the warm-up first."""

    port: int
    rounds: Sequence[Sequence[bytes]]


async def beside(
    name: str, folder: Path, ours: Side, floor: Side, connections: int, note: str
) -> Result:
    """Answers a second of ours beside the floor, interleaved: ours, floor, ours, floor, …

    Raises RuntimeError when one of them answered anything but 200 or 201: then it measured
    something else.
    """
    pairs: list[tuple[Load, Load]] = []
    for number, both in enumerate(zip(ours.rounds, floor.rounds, strict=True)):
        seen = []
        for side, requests in zip((ours, floor), both, strict=True):
            path = folder / f"{name}.requests"
            save(path, requests)
            load = await apart(side.port, path, connections)
            if load.bad:
                raise RuntimeError(f"{name}: {load.bad} of {load.count} answers were no success")
            seen.append(load)
        if number > 0:
            pairs.append((seen[0], seen[1]))
    p99 = statistics.median(a.p99 for a, _ in pairs)
    return Result(
        name=name,
        value=round(statistics.median(a.per_second for a, _ in pairs), 1),
        unit="answers/s",
        floor=round(statistics.median(b.per_second for _, b in pairs), 1),
        ratio=round(statistics.median(a.per_second / b.per_second for a, b in pairs), 3),
        n=sum(a.count for a, _ in pairs),
        note=f"{note}; p99 {p99:.1f} ms; {connections} connections, {len(pairs)} rounds",
    )


def show(results: Sequence[Result], console: Console) -> None:
    """Print the table and write ``var/bench.json``."""
    table = Table("name", "value", "unit", "floor", "ratio", "n", "note")
    for r in results:
        table.add_row(
            r.name,
            f"{r.value:g}",
            r.unit,
            "" if r.floor is None else f"{r.floor:g}",
            "" if r.ratio is None else f"{r.ratio:.2f}",
            str(r.n),
            r.note,
        )
    console.print(table)
    console.print(f"{os.cpu_count()} cores; load generator on the same machine")
    path = Path("var", "bench.json")
    path.parent.mkdir(exist_ok=True)
    kept = json.loads(path.read_text()) if path.exists() else []
    fresh = {r.name for r in results}
    merged = [k for k in kept if k["name"] not in fresh] + [asdict(r) for r in results]
    path.write_text(json.dumps(merged, ensure_ascii=False, indent=1))
