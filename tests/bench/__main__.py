"""``make bench [ONLY=name]``: run the benches, print a table, write var/bench.json."""

import asyncio
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from tests.bench.benches import BENCHES
from tests.bench.harness import Result, show
from tests.bench.town import town


async def main(only: str) -> int:
    """Run all benches, or the one named; 2 when there is none of that name."""
    console = Console()
    if only and only not in BENCHES:
        console.print(f"There is no bench {only}. There are: {', '.join(BENCHES)}")
        return 2
    results: list[Result] = []
    for name, bench in BENCHES.items():
        if only in ("", name):
            console.print(f"{name} …")
            with tempfile.TemporaryDirectory(prefix="bianmin-bench-") as folder:
                async with town(Path(folder)) as here:
                    results.append(await bench(here))
    show(results, console)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "")))
