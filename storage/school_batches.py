"""The collection ``school_batches``: files of students that a worker takes in row by row.

A batch's rows and portraits lie beside it as sealed files (``school.files``, ``school.chunks``).
How far it has come, what became of its rows and whose turn it is are one document, changed by one
conditional update: a worker that was killed is followed by another at the row after the last one
committed, and one that lost its lease commits nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from storage.changes import literal
from storage.indexes import EPOCH
from storage.vault import Vault

BatchState = Literal["waiting", "running", "done", "failed"]


@dataclass(frozen=True)
class RowProblems:
    """What was wrong with one row: its place in the file, and (column, reason) each."""

    row: int
    problems: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Batch:
    """One uploaded file. ``next`` is the first row not yet committed; ``rows_file`` and
    ``portraits`` are ids of sealed files, empty where there is none (any more)."""

    id: str
    school: str
    clerk: str
    created_at: datetime
    state: BatchState
    total: int
    next: int
    taken: int
    there: int
    wrong: int
    rows_file: str
    portraits: str
    due: datetime | None
    ends: datetime


@dataclass(frozen=True)
class Progress:
    """What a worker commits: how many rows more, and what became of them."""

    next: int
    taken: int
    there: int
    problems: Sequence[RowProblems]
    state: BatchState
    due: datetime | None


class SchoolBatches:
    """Reads and writes batches. Raises pymongo's errors when the engine does not answer."""

    def __init__(self, collection: AsyncCollection[dict[str, Any]], vault: Vault) -> None:
        self._batches = collection
        self._vault = vault

    async def insert(self, batch: Batch) -> bool:
        """Add a batch; False when one of this id is there already."""
        document = {k: v for k, v in vars(batch).items() if k not in ("id", "due")}
        if batch.due is not None:
            document["due"] = batch.due
        try:
            await self._batches.insert_one({"_id": batch.id, **document, "problems": []})
        except DuplicateKeyError:
            return False
        return True

    async def get(self, batch_id: str) -> Batch | None:
        """A batch without its problems."""
        found = await self._batches.find_one({"_id": batch_id}, {"problems": 0})
        return _batch(found) if found else None

    async def problems(self, batch_id: str) -> list[RowProblems]:
        """What was wrong with its rows so far, in the file's order."""
        found = await self._batches.find_one({"_id": batch_id}, {"problems": 1})
        return [
            RowProblems(row, tuple((c, r) for c, r in wrong))
            for blob in (found["problems"] if found else [])
            for row, wrong in self._vault.open_json(blob, _context(batch_id))["rows"]
        ]

    async def of_school(self, school: str, limit: int) -> list[Batch]:
        """A school's batches, the newest first."""
        cursor = (
            self._batches.find({"school": school}, {"problems": 0})
            .sort([("school", 1), ("created_at", -1)])
            .limit(limit)
        )
        return [_batch(d) async for d in cursor]

    async def with_due(self, now: datetime, limit: int) -> list[Batch]:
        """Batches to go on with: waiting ones, and those whose worker's lease has ended."""
        return await self._until("due", now, limit)

    async def with_end(self, now: datetime, limit: int) -> list[Batch]:
        """Batches kept long enough."""
        return await self._until("ends", now, limit)

    async def _until(self, field: str, until: datetime, limit: int) -> list[Batch]:
        # Both ends are given: the embedded engine reads the whole collection for an open range.
        within = {field: {"$gt": EPOCH, "$lte": until}}
        cursor = self._batches.find(within, {"problems": 0}).sort(field, 1).limit(limit)
        return [_batch(d) async for d in cursor]

    async def take(self, batch: Batch, lease: str, until: datetime) -> bool:
        """Take a batch in hand until ``until``; False when another worker was faster."""
        assert batch.due is not None  # only one that is due is taken
        free = {"$eq": ["$due", batch.due]}
        mine = {"due": until, "lease": lease, "state": "running"}
        return await self._change(batch.id, free, {k: literal(v) for k, v in mine.items()})

    async def commit(self, batch_id: str, lease: str, progress: Progress) -> bool:
        """Write how far a worker came, with what was wrong on the way; False when its lease is no
        longer its own."""
        values: dict[str, Any] = {
            "next": progress.next,
            "state": literal(progress.state),
            "due": "$$REMOVE" if progress.due is None else literal(progress.due),
            "taken": {"$add": ["$taken", progress.taken]},
            "there": {"$add": ["$there", progress.there]},
            "wrong": {"$add": ["$wrong", len(progress.problems)]},
        }
        if progress.problems:
            rows = {"rows": [[p.row, p.problems] for p in progress.problems]}
            blob = self._vault.seal(rows, _context(batch_id))
            values["problems"] = {"$concatArrays": ["$problems", [literal(blob)]]}
        return await self._change(batch_id, {"$eq": ["$lease", literal(lease)]}, values)

    async def _change(
        self, batch_id: str, fits: Mapping[str, Any], values: Mapping[str, Any]
    ) -> bool:
        decided = {name: {"$cond": [fits, value, f"${name}"]} for name, value in values.items()}
        # The lease decides every one of them, so it is compared before any of them changes.
        result = await self._batches.update_one({"_id": batch_id}, [{"$set": decided}])
        return bool(result.modified_count)

    async def drop_portraits(self, batch_id: str) -> None:
        """Its portraits are deleted."""
        await self._batches.update_one({"_id": batch_id}, {"$set": {"portraits": ""}})

    async def delete(self, batch_id: str) -> None:
        """Forget a batch."""
        await self._batches.delete_one({"_id": batch_id})


def _batch(document: Mapping[str, Any]) -> Batch:
    names = set(Batch.__dataclass_fields__) - {"id", "due"}
    return Batch(
        id=document["_id"], due=document.get("due"), **{name: document[name] for name in names}
    )


def _context(batch_id: str) -> str:
    return f"school_batches/{batch_id}/problems"
