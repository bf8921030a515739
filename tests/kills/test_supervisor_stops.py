"""The supervisor leaves a check under way alone, and ends although it never does."""

import asyncio
import sys
from pathlib import Path

from bianmin.supervisor import Child, Supervisor

PATIENCE_SECONDS = 10


def test_a_check_that_never_ends(tmp_path: Path) -> None:
    cancelled = False
    checking = asyncio.Event()
    ended = False

    async def ready() -> None:
        nonlocal cancelled
        if not checking.is_set():
            checking.set()
            return
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            # Only the end of the loop may do this: a cancelled client leaves its socket open.
            cancelled = not ended
            raise

    async def story() -> None:
        nonlocal ended
        async with asyncio.timeout(PATIENCE_SECONDS), Supervisor(print) as supervisor:
            code = "import time; time.sleep(600)"
            await supervisor.start(
                Child(
                    name="one",
                    command=(sys.executable, "-c", code),
                    log=tmp_path / "one.log",
                    ready=ready,
                    check_seconds=0.05,
                )
            )
            await asyncio.sleep(0.5)
        ended = True

    asyncio.run(story())
    assert ended and not cancelled
