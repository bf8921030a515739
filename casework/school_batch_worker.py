"""The worker's loop over batch files of driving schools: row by row, each row at most once.

A slice of seconds of one batch, then the next batch's turn. How far it came is committed together
with what became of the rows; rows done after the last commit are done again by whoever takes over,
under the same cause, and so change nothing and count the same.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from casework import enrolments, steps
from casework.context import Context
from casework.officers import Officer
from casework.portrait_archive import Archive
from casework.school_batches import load_rows, open_archive
from casework.spooling import MAX_BYTES
from rules.refusals import Refusal
from rules.student_rows import StudentRow
from storage.photos import PhotoMissing
from storage.school_batches import Batch, BatchState, Progress, RowProblems
from storage.vault import VaultError

log = structlog.get_logger()

_AT_ONCE = 10
_SIDE_BY_SIDE = 4
_BUSY_TRIES = 5
_BUSY_SECONDS = 0.5
_PORTRAIT = "portrait"

Problems = Sequence[tuple[str, str]]


@dataclass
class _Tally:
    """What became of the rows since the last commit."""

    taken: int = 0
    there: int = 0
    wrong: list[RowProblems] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    @property
    def rows(self) -> int:
        return self.taken + self.there + len(self.wrong)


async def work_batches(ctx: Context) -> int:
    """One slice of one batch, if any waits; then what was kept long enough goes. How many."""
    for batch in await ctx.stores.school_batches.with_due(ctx.now(), _AT_ONCE):
        lease = ctx.ids.token()
        if await ctx.stores.school_batches.take(batch, lease, _lease_end(ctx)):
            await _Slice(ctx, batch, lease).run()
            return 1
    return await _retire(ctx)


def _lease_end(ctx: Context) -> datetime:
    return ctx.now() + ctx.seconds("school.lease_seconds")


class _Slice:
    """One worker's turn at one batch."""

    def __init__(self, ctx: Context, batch: Batch, lease: str) -> None:
        self._ctx, self._batch, self._lease = ctx, batch, lease
        self._next = batch.next
        self._tally = _Tally()
        self._until = time.monotonic() + float(ctx.figure("school.slice_seconds"))
        self._rows_a_commit = int(ctx.figure("school.commit_rows"))
        self._seconds_a_commit = float(ctx.figure("school.commit_seconds"))

    async def run(self) -> None:
        """Rows until the time is over or there is none left."""
        ctx, batch = self._ctx, self._batch
        office = await ctx.office(batch.school)
        if office is None:
            # Its registry row went; nobody may enrol for it any more.
            await self._commit("failed")
            return
        login = await ctx.stores.officers.get(batch.clerk)
        if login is not None and login.disabled:
            # Shut out, perhaps because somebody else had got at his login.
            await self._commit("failed")
            return
        clerk = Officer(batch.clerk, "", "clerk", office)
        try:
            rows = await load_rows(ctx, batch)
            archive = await open_archive(ctx, batch.portraits) if batch.portraits else None
        except (PhotoMissing, VaultError):
            log.exception("school-batch-without-its-files", batch=batch.id)
            await self._commit("failed")
            return
        while self._next < len(rows):
            # Some side by side: while one waits for the disk, another's picture is worked on.
            some = rows[self._next : self._next + _SIDE_BY_SIDE]
            for problems in await asyncio.gather(*(self._row(clerk, r, archive) for r in some)):
                if problems:
                    self._tally.wrong.append(RowProblems(self._next, tuple(problems)))
                self._next += 1
            if self._next < len(rows) and not await self._paced():
                return
        if await self._commit("done") and batch.portraits:
            await ctx.stores.school_batches.drop_portraits(batch.id)
            await ctx.stores.school_files.delete(batch.portraits)
        log.info("school-batch-done", batch=batch.id, rows=len(rows))

    async def _paced(self) -> bool:
        """Commit when it is time; False when this turn is over or the lease was lost."""
        now = time.monotonic()
        if now >= self._until:
            await self._commit("waiting")
            return False
        enough = self._tally.rows >= self._rows_a_commit
        if enough or now - self._tally.began >= self._seconds_a_commit:
            return await self._commit("running")
        return True

    async def _commit(self, state: BatchState) -> bool:
        tally, self._tally = self._tally, _Tally()
        ended = state in ("done", "failed")
        due = _lease_end(self._ctx) if state == "running" else self._ctx.now()
        progress = Progress(
            next=self._next,
            taken=tally.taken,
            there=tally.there,
            problems=tally.wrong,
            state=state,
            due=None if ended else due,
        )
        return await self._ctx.stores.school_batches.commit(self._batch.id, self._lease, progress)

    async def _row(self, clerk: Officer, row: StudentRow, archive: Archive | None) -> Problems:
        """Take one row in and count it, or say what is wrong with it."""
        if row.problems:
            return row.problems
        try:
            fresh = await self._enrol(clerk, row, archive)
        except Refusal as refusal:
            return _problems(self._ctx, refusal)
        except Exception:
            # One row that nobody expected must not hold up the others for ever.
            log.exception("school-row-failed", batch=self._batch.id, line=row.line)
            return _problems(self._ctx, Refusal("busy-try-again"))
        self._tally.taken += fresh
        self._tally.there += not fresh
        self._ctx.checkpoint("after-batch-row")
        return ()

    async def _enrol(self, clerk: Officer, row: StudentRow, archive: Archive | None) -> bool:
        ctx = self._ctx
        entry = {name: text for name, text in row.texts.items() if name != _PORTRAIT}
        cause = self._cause(row)
        for attempt in range(_BUSY_TRIES):
            try:
                async with ctx.lab.spool() as spool:
                    content = await _portrait(row, archive)
                    if content is not None:
                        await spool.write(content)
                    given = None if content is None else spool
                    done = await enrolments.enrol(ctx, clerk, entry, given, cause)
            except Refusal as refusal:
                if refusal.code != "busy-try-again" or attempt == _BUSY_TRIES - 1:
                    raise
                await asyncio.sleep(_BUSY_SECONDS * 2**attempt)
            else:
                return done.fresh or await self._ours(done.number, cause)
        raise AssertionError("the last attempt raises")

    def _cause(self, row: StudentRow) -> str:
        """Of batch, row and content: the same row again is the same request."""
        content = "\n".join(f"{name}={text}" for name, text in sorted(row.texts.items()))
        digest = self._ctx.stores.vault.index("school-row", content)
        return f"batch:{self._batch.id}:{row.line}:{digest[:22]}"

    async def _ours(self, number: str, cause: str) -> bool:
        """Whether this very row brought it about, before its worker was killed."""
        matter = (await steps.load(self._ctx, number)).matter
        return any(e.cause.endswith(cause) for e in matter.timeline)


async def _portrait(row: StudentRow, archive: Archive | None) -> bytes | None:
    """The picture of a row from the archive: by the name it gives, else by its ID number."""
    if archive is None:
        return None
    name = row.texts[_PORTRAIT] or row.texts["id_number"]
    if archive.twice(name):
        raise Refusal("portrait-twice")
    if name not in archive:
        if row.texts[_PORTRAIT]:
            raise Refusal("portrait-not-there")
        return None
    return await asyncio.to_thread(archive.read, name, MAX_BYTES)


def _problems(ctx: Context, refusal: Refusal) -> Problems:
    """A refusal as what is wrong with columns; "" stands for the row as a whole."""
    fields = refusal.params.get("fields", ())
    if fields:
        return [(str(f["part"]).partition(":")[2], str(f["reason"])) for f in fields]
    worded = ctx.book.texts.refusal(refusal)
    column = _PORTRAIT if refusal.code.startswith(("photo-", "portrait-")) else ""
    return [(column, f"{worded.detail}{worded.next}")]


async def _retire(ctx: Context) -> int:
    """Batches kept long enough, and files that no batch names."""
    stores, now = ctx.stores, ctx.now()
    ended = await stores.school_batches.with_end(now, _AT_ONCE)
    for batch in ended:
        for file_id in filter(None, (batch.rows_file, batch.portraits)):
            await stores.school_files.delete(file_id)
        await stores.school_batches.delete(batch.id)
    day = now - timedelta(hours=float(ctx.figure("sweep.orphan_photo_hours")))
    lost = await stores.school_files.unconfirmed(day, _AT_ONCE)
    for file in lost:
        await _settle_file(ctx, file.id, file.matter)
    return len(ended) + len(lost)


async def _settle_file(ctx: Context, file_id: str, batch_id: str) -> None:
    """A file whose process died: its batch names it, or it goes."""
    batch = await ctx.stores.school_batches.get(batch_id)
    if batch is not None and file_id in (batch.rows_file, batch.portraits):
        await ctx.stores.school_files.confirm(file_id)
    else:
        await ctx.stores.school_files.delete(file_id)
