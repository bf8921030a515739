"""The supervisor ends although a check swallows its cancellation, as a closing driver does."""

import asyncio
import sys
from pathlib import Path

from bianmin.supervisor import Child, Supervisor

PATIENCE_SECONDS = 10


def test_a_check_that_swallows_a_cancellation(tmp_path: Path) -> None:
    swallowed = 0
    checking = asyncio.Event()

    async def ready() -> None:
        nonlocal swallowed
        if not checking.is_set():
            checking.set()
            return
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            swallowed += 1
            if swallowed > 2:
                raise

    async def story() -> None:
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

    asyncio.run(story())
    assert swallowed >= 1
