"""The photo laboratory: uploads spooled encrypted, pictures worked on in processes of their own.

At most two pictures are worked on at a time, whatever arrives, so memory stays bounded; a picture
that breaks its process costs that process and not the service.
"""

import asyncio
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TypeVar

from casework import imaging, tables
from casework.imaging import Prepared
from casework.spooling import Spool, sweep
from casework.tables import TableContent
from rules.refusals import Refusal

__all__ = ["PhotoLab", "Prepared", "Spool"]

WORKERS = 2
TASKS_PER_WORKER = 200

Result = TypeVar("Result")


class PhotoLab:
    """Spools below ``folder``; processes begin with ``start`` or the first picture."""

    def __init__(self, folder: Path, workers: int = WORKERS) -> None:
        self._folder = folder
        self._workers = workers
        self._slots = asyncio.Semaphore(workers)
        self._pool: ProcessPoolExecutor | None = None

    async def start(self) -> None:
        """Sweep what earlier runs left and have the processes ready."""
        await asyncio.to_thread(sweep, self._made_folder())
        await asyncio.gather(*(self._run(imaging.warm) for _ in range(self._workers)))

    async def stop(self) -> None:
        """End the processes after what they are at."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await asyncio.to_thread(pool.shutdown, wait=True, cancel_futures=True)

    def spool(self) -> Spool:
        """An upload about to be received; enter it to begin."""
        return Spool(self._made_folder())

    async def prepare(self, spool: Spool, smallest: int = imaging.SMALLEST_SIDE) -> Prepared:
        """A clean, upright, bounded JPEG and its thumbnail from a received upload, whose sides
        must have ``smallest`` pixels at least.

        Raises Refusal photo-type, photo-truncated, photo-bomb, photo-too-small, photo-unreadable;
        busy-try-again when its process broke.
        """
        return await self._run(imaging.prepare, await spool.sealed(), smallest)

    async def read_table(self, spool: Spool, most: int) -> TableContent:
        """A received table (CSV or XLSX) of at most so many lines.

        Raises Refusal as ``casework.tables.read`` does; busy-try-again when its process broke.
        """
        return await self._run(tables.read, await spool.sealed(), most)

    async def watermark(self, jpeg: bytes, text: str) -> bytes:
        """The JPEG with ASCII text tiled over it, for officers' eyes."""
        return await self._run(imaging.watermark, jpeg, text)

    async def _run(self, work: Callable[..., Result], *given: object) -> Result:
        async with self._slots:
            pool, working = self._submit(work, *given)
            try:
                return await working
            except BrokenProcessPool:
                self._give_up(pool)
                raise Refusal("busy-try-again") from None

    def _submit(
        self, work: Callable[..., Result], *given: object
    ) -> tuple[ProcessPoolExecutor, asyncio.Future[Result]]:
        loop = asyncio.get_running_loop()
        pool = self._current_pool()
        try:
            return pool, loop.run_in_executor(pool, work, *given)
        except BrokenProcessPool:
            # It broke while idle or with another's picture: nothing of this one was begun.
            self._give_up(pool)
            pool = self._current_pool()
            return pool, loop.run_in_executor(pool, work, *given)

    def _current_pool(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = self._new_pool()
        return self._pool

    def _give_up(self, pool: ProcessPoolExecutor) -> None:
        if self._pool is pool:
            self._pool = None
        pool.shutdown(wait=False, cancel_futures=True)

    def _new_pool(self) -> ProcessPoolExecutor:
        # Spawned, not forked: a fork would take along the loop, its sockets and its memory.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(
            self._workers,
            mp_context=context,
            initializer=imaging.start_worker,
            initargs=(context.Lock(),),
            max_tasks_per_child=TASKS_PER_WORKER,
        )

    def _made_folder(self) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._folder
