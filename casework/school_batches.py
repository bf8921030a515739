"""A driving school's batch file: received, checked as a whole, kept until a worker takes it in.

What can be said at once (no table, a wrong heading, a locked archive) is said at once; what is
wrong with single rows is found by ``casework.school_batch_worker``, row by row.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType

import orjson

from casework.access_log import record_look
from casework.context import Context
from casework.officers import Officer
from casework.photos import Spool
from casework.portrait_archive import Archive, PieceReader
from rules.formats import Format, RowProblem
from rules.masking import groups
from rules.refusals import Refusal
from rules.student_rows import LINE, REASON, StudentRow, read_rows
from storage.file_writer import FileWriter
from storage.pieces import PIECE_BYTES
from storage.school_batches import Batch

LANE = "school-batches"
KIND = "students"
_MEGABYTE = 1024 * 1024
_FETCH_SECONDS = 30.0


@dataclass(frozen=True)
class BatchView:
    """How far a file has come. ``done`` of ``total`` rows; ``taken`` are newly enrolled or
    corrected, ``there`` were enrolled before, ``wrong`` could not be taken."""

    id: str
    created_at: datetime
    clerk: str
    state: str
    total: int
    done: int
    taken: int
    there: int
    wrong: int


class Upload:
    """A table and an archive of portraits as they arrive; nothing of them stays when the block
    ends before ``begin``. The same ``cause`` again gives the same batch."""

    def __init__(self, ctx: Context, clerk: Officer, cause: str) -> None:
        clerk.must("enrol")
        self._ctx, self._clerk = ctx, clerk
        self._name = ctx.stores.vault.index("school-batch", f"{clerk.username}/{cause}")[:22]
        self._held = AsyncExitStack()
        self._table: Spool | None = None
        self._portraits: FileWriter | None = None
        self._portrait_bytes = 0
        self._kept: list[str] = []

    async def __aenter__(self) -> "Upload":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._held.aclose()
        for file_id in self._kept:
            await self._ctx.stores.school_files.delete(file_id)

    async def table(self, content: bytes) -> None:
        """Some more of the table. Raises table-too-large."""
        if self._table is None:
            self._table = await self._held.enter_async_context(self._ctx.lab.spool())
        most = int(self._ctx.figure("school.table_bytes"))
        if self._table.size + len(content) > most:
            raise Refusal("table-too-large", megabytes=str(most // _MEGABYTE))
        await self._table.write(content)

    async def portraits(self, content: bytes) -> None:
        """Some more of the archive. Raises portraits-too-large."""
        if self._portraits is None:
            files = self._ctx.stores.school_files
            self._portraits = await files.begin(matter=self._name, at=self._ctx.now())
            self._kept.append(self._portraits.id)
        most = int(self._ctx.figure("school.portraits_bytes"))
        self._portrait_bytes += len(content)
        if self._portrait_bytes > most:
            raise Refusal("portraits-too-large", megabytes=str(most // _MEGABYTE))
        await self._portraits.write(content)

    async def begin(self) -> BatchView:
        """Both are whole: check them and hand them to the workers.

        Raises the refusals ``table-…`` and ``portraits-…``.
        """
        ctx, now = self._ctx, self._ctx.now()
        rows = await self._rows()
        portraits = await self._archive()
        content = orjson.dumps([[r.line, r.texts, r.problems] for r in rows])
        rows_file = await ctx.stores.school_files.save(_once(content), matter=self._name, at=now)
        self._kept.append(rows_file)
        batch = Batch(
            id=self._name,
            school=self._clerk.office.code,
            clerk=self._clerk.username,
            created_at=now,
            state="waiting",
            total=len(rows),
            next=0,
            taken=0,
            there=0,
            wrong=0,
            rows_file=rows_file,
            portraits=portraits,
            due=now,
            ends=now + timedelta(days=float(ctx.figure("school.batch_days"))),
        )
        if await ctx.stores.school_batches.insert(batch):
            # The sweep would find that the batch names them; this saves it the look.
            for file_id in self._kept:
                await ctx.stores.school_files.confirm(file_id)
            self._kept.clear()
            await ctx.stores.memory.wake(LANE)
        return await batch_view(ctx, self._clerk, self._name)

    async def _rows(self) -> list[StudentRow]:
        if self._table is None or not self._table.size:
            raise Refusal("table-empty")
        most = int(self._ctx.figure("school.batch_rows"))
        table = await self._ctx.lab.read_table(self._table, most)
        layout = self._ctx.book.formats[KIND]
        try:
            return await asyncio.to_thread(read_rows, layout, table.header, table.lines)
        except RowProblem as problem:
            raise Refusal("table-header", column=problem.column, reason=problem.reason) from problem

    async def _archive(self) -> str:
        if self._portraits is None or not self._portrait_bytes:
            return ""
        await self._portraits.done()
        await open_archive(self._ctx, self._portraits.id)
        return self._portraits.id


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def open_archive(ctx: Context, file_id: str) -> Archive:
    """The stored archive of portraits, checked; its reads are for threads. Raises portraits-…,
    and storage's PhotoMissing."""
    files = ctx.stores.school_files
    file, loop = await files.whole(file_id), asyncio.get_running_loop()

    def fetch(number: int) -> bytes:
        coming = asyncio.run_coroutine_threadsafe(files.piece(file, number), loop)
        return coming.result(_FETCH_SECONDS)

    def opened() -> Archive:
        reader = io.BufferedReader(PieceReader(file.size, PIECE_BYTES, fetch))
        return Archive(
            reader,
            most=int(ctx.figure("school.batch_rows")),
            unpacked=int(ctx.figure("school.unpacked_bytes")),
        )

    return await asyncio.to_thread(opened)


async def load_rows(ctx: Context, batch: Batch) -> list[StudentRow]:
    """The rows of a batch as they were read from its table."""
    pieces = [piece async for piece in await ctx.stores.school_files.open(batch.rows_file)]
    return [
        StudentRow(line, texts, tuple((c, r) for c, r in problems))
        for line, texts, problems in orjson.loads(b"".join(pieces))
    ]


# -- what the clerk sees -----------------------------------------------------------------------


async def batches(ctx: Context, clerk: Officer) -> list[BatchView]:
    """The school's latest files, the newest first."""
    clerk.must("enrol")
    most = int(ctx.figure("school.batches_shown"))
    return [_view(b) for b in await ctx.stores.school_batches.of_school(clerk.office.code, most)]


async def batch_view(ctx: Context, clerk: Officer, batch_id: str) -> BatchView:
    """How far one file of the clerk's school has come. Raises not-found."""
    return _view(await _of_school(ctx, clerk, batch_id))


async def error_list(ctx: Context, clerk: Officer, batch_id: str) -> list[tuple[int, str, str]]:
    """What is wrong so far: (line, column, reason) in the file's order. Raises not-found."""
    batch = await _of_school(ctx, clerk, batch_id)
    rows, labels = await load_rows(ctx, batch), _labels(ctx.book.formats[KIND])
    return [
        (rows[wrong.row].line, labels.get(column, ""), reason)
        for wrong in await ctx.stores.school_batches.problems(batch_id)
        for column, reason in wrong.problems
    ]


async def rows_to_correct(ctx: Context, clerk: Officer, batch_id: str) -> list[list[str]]:
    """The rows that were not taken, below the template's heading, with line and reasons beside
    them: to be corrected and uploaded again. The look is recorded first. Raises not-found."""
    batch = await _of_school(ctx, clerk, batch_id)
    seen = groups("school.corrections")
    await record_look(ctx, clerk, "school-corrections", None, None, seen)
    layout = ctx.book.formats[KIND]
    rows, labels = await load_rows(ctx, batch), _labels(layout)
    table = [[*(c.label for c in layout.columns), LINE, REASON]]
    for wrong in await ctx.stores.school_batches.problems(batch_id):
        row = rows[wrong.row]
        reasons = "；".join(f"{labels.get(c, '')}：{r}".lstrip("：") for c, r in wrong.problems)
        table.append([*(row.texts[c.name] for c in layout.columns), str(row.line), reasons])
    return table


def template(layout: Format) -> list[list[str]]:
    """The heading of the file, in Chinese."""
    return [[c.label for c in layout.columns]]


def _labels(layout: Format) -> dict[str, str]:
    return {c.name: c.label for c in layout.columns}


async def _of_school(ctx: Context, clerk: Officer, batch_id: str) -> Batch:
    clerk.must("enrol")
    batch = await ctx.stores.school_batches.get(batch_id)
    if batch is None or batch.school != clerk.office.code:
        raise Refusal("not-found")
    return batch


def _view(batch: Batch) -> BatchView:
    return BatchView(
        id=batch.id,
        created_at=batch.created_at,
        clerk=batch.clerk,
        state=batch.state,
        total=batch.total,
        done=batch.next,
        taken=batch.taken,
        there=batch.there,
        wrong=batch.wrong,
    )


def as_csv_rows(found: Sequence[tuple[int, str, str]], column: str) -> list[list[str]]:
    """An error list as a table; ``column`` heads the middle one."""
    return [[LINE, column, REASON], *([str(line), name, why] for line, name, why in found)]
