"""Starts child processes in order, keeps them running, stops them in the opposite order.

A child is ready when its own check says so; it is started again with growing pauses when it dies or
when its check keeps failing; and it ends with this process, however this one ends (`tether.py`).
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bianmin.errors import EngineError

TETHER = Path(__file__).with_name("tether.py")
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
STEADY_SECONDS = 60.0
"""A child that ran this long has recovered: its next failure is a first one."""
FAILED_CHECKS = 3
RETRY_READY = 0.05
LAST_CHECK_SECONDS = 5.0
LOG_TAIL_BYTES = 1500


@dataclass(frozen=True)
class Child:
    """One process to keep alive."""

    name: str
    command: Sequence[str]
    log: Path
    ready: Callable[[], Awaitable[None]]
    """Returns when the child works; raises anything while it does not yet."""
    env: Mapping[str, str] = field(default_factory=dict)
    start_seconds: float = 30.0
    stop_seconds: float = 15.0
    check_seconds: float | None = 5.0
    """Pause between checks while it runs; None: only its death counts."""
    keep_open: tuple[int, ...] = ()
    """Descriptors the child inherits, such as a lock it is to hold as long as it lives."""


class Supervisor:
    """Children of this process; use as an async context manager, which stops them at the end."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        """`tell` hears one line for each death and restart."""
        self._tell = tell
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    async def start(self, child: Child) -> "Running":
        """Start a child and return once it is ready. Raises EngineError when it does not get so."""
        running = Running(child, self._tell)
        await running.begin()
        self._stack.push_async_callback(running.end)
        return running


class Running:
    """A child that was started: its present process and the task that watches it."""

    def __init__(self, child: Child, tell: Callable[[str], None]) -> None:
        self.child = child
        self.restarts = 0
        self._tell = tell
        self._process: Process | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._checks: set[asyncio.Task[bool]] = set()

    @property
    def pid(self) -> int | None:
        """The process id now; None between two lives."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def begin(self) -> None:
        """Start and wait until ready, then watch. Raises EngineError and leaves nothing behind."""
        try:
            await self._launch()
        except BaseException:
            await self._checks_ended()
            await self._stop_process()
            raise
        self._watcher = asyncio.create_task(self._watch(), name=f"watch {self.child.name}")

    async def end(self) -> None:
        """Stop watching, then the process: SIGTERM, and SIGKILL when that is not heard."""
        if self._watcher is not None:
            await _cancelled(self._watcher)
        await self._checks_ended()
        await self._stop_process()

    async def _launch(self) -> None:
        child = self.child
        child.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with child.log.open("ab") as log:
            # A session of its own: Ctrl-C in a terminal reaches only the supervisor, which then
            # stops the children in order instead of all at once.
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), *child.command),
                stdin=DEVNULL if sys.platform == "linux" else PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, **child.env},
                start_new_session=True,
                pass_fds=child.keep_open,
            )
        died = asyncio.create_task(self._process.wait())
        ready = asyncio.create_task(self._until_ready())
        try:
            await asyncio.wait(
                (died, ready), timeout=child.start_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if died.done():
                raise EngineError(
                    f"{child.name} ended with code {self._process.returncode} instead of starting."
                    f" End of {child.log}:\n{tail(child.log)}"
                )
            if not ready.done():
                raise EngineError(
                    f"{child.name} was not ready within {child.start_seconds:.0f} seconds."
                    f" End of {child.log}:\n{tail(child.log)}"
                )
        finally:
            await _cancelled(died, ready)

    async def _until_ready(self) -> None:
        while True:
            if await self._works():
                return
            await asyncio.sleep(RETRY_READY)

    async def _works(self) -> bool:
        # Never cancelled half way: a database client that is leaves its socket open.
        check = asyncio.create_task(self._checked())
        self._checks.add(check)
        check.add_done_callback(self._checks.discard)
        return await asyncio.shield(check)

    async def _checked(self) -> bool:
        try:
            await self.child.ready()
        except Exception:
            # Whatever a check raises means the same: not now. Deadlines elsewhere judge it.
            return False
        return True

    async def _checks_ended(self) -> None:
        """Wait for a check that was left alone, but not for one that never ends."""
        if self._checks:
            await asyncio.wait(self._checks, timeout=LAST_CHECK_SECONDS)

    async def _watch(self) -> None:
        pause = FIRST_PAUSE
        loop = asyncio.get_running_loop()
        while True:
            since = loop.time()
            await self._until_broken()
            if loop.time() - since > STEADY_SECONDS:
                pause = FIRST_PAUSE
            started = False
            while not started:
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                started = await self._start_again()

    async def _start_again(self) -> bool:
        self.restarts += 1
        try:
            await self._launch()
        except (EngineError, OSError) as error:
            self._tell(str(error))
            await self._stop_process()
            return False
        self._tell(f"{self.child.name} runs again")
        return True

    async def _until_broken(self) -> None:
        process = self._process
        if process is None:
            raise AssertionError("watched before it was started")
        failed = 0
        while process.returncode is None:
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), self.child.check_seconds)
                break
            failed = 0 if await self._works() else failed + 1
            if failed >= FAILED_CHECKS:
                self._tell(f"{self.child.name} does not answer; starting it again")
                process.kill()
                await process.wait()
                return
        self._tell(f"{self.child.name} ended with code {process.returncode}; starting it again")

    async def _stop_process(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), self.child.stop_seconds)
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _cancelled(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait until they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def tail(log: Path) -> str:
    """The last lines of a log, for an error message."""
    text = log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace").strip()
    return "\n".join(f"  {line}" for line in text.splitlines()[-10:]) or "  (empty)"
