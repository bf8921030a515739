"""The collection ``access_log``: which officer looked at whom, written before he sees anything.

Append-only. Each process run writes one hash chain: an entry holds the keyed hash of the one
before it, so that removing or changing one shows. The heads of the running chains are anchored
hourly in ``access_anchors``: what was cut off before an anchor shows too. Persons appear by their
ID-number key only.
"""

import asyncio
import hmac
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError, PyMongoError

from storage.indexes import EPOCH
from storage.vault import Vault

_RUN_LIFE = timedelta(hours=24)
START = b"\0" * 32


@dataclass(frozen=True)
class ChainFault:
    """What is wrong with a chain, at the entry that does not fit."""

    run: str
    seq: int
    problem: str


@dataclass(frozen=True)
class Look:
    """A look at a person: when, from which office, doing what, at which field groups."""

    at: datetime
    office: str
    action: str
    matter: str | None
    fields: tuple[str, ...]


@dataclass(frozen=True)
class ChainReport:
    """What checking the whole log found."""

    runs: int
    entries: int
    faults: tuple[ChainFault, ...]


class AccessLog:
    """Appends to this process's chain. Raises pymongo's errors when the engine does not answer,
    and then nothing may be shown."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]], vault: Vault) -> None:
        self._entries = database["access_log"]
        self._runs = database["access_runs"]
        self._anchors = database["access_anchors"]
        self._vault = vault
        self._lock = asyncio.Lock()
        self._run: str | None = None
        self._began: datetime | None = None
        self._seq = 0
        self._head = START

    async def append(
        self,
        *,
        officer: str,
        office: str,
        action: str,
        subject_key: str | None,
        matter: str | None,
        fields: Sequence[str],
        at: datetime,
    ) -> None:
        """Write one look. ``fields`` names what is about to be shown."""
        async with self._lock:
            run = await self._current_run(at)
            entry: dict[str, Any] = {
                "_id": f"{run}/{self._seq}",
                "run": run,
                "seq": self._seq,
                "at": at,
                "officer": officer,
                "office": office,
                "action": action,
                "subject": subject_key,
                "matter": matter,
                "fields": list(fields),
                "prev": self._head,
            }
            entry["hash"] = self._hash(entry)
            try:
                await self._entries.insert_one(entry)
            except PyMongoError:
                # Whether it was written is unknown: this chain ends, the next look begins another.
                self._run = None
                raise
            self._seq += 1
            self._head = entry["hash"]

    async def of_subject(self, key: str, limit: int) -> list[Look]:
        """The latest looks at a person, newest first; the officer's name is not among it."""
        cursor = (
            self._entries.find({"subject": key}).sort([("subject", -1), ("at", -1)]).limit(limit)
        )
        return [
            Look(e["at"], e["office"], e["action"], e["matter"], tuple(e["fields"]))
            async for e in cursor
        ]

    async def old_runs(self, before: datetime) -> list[str]:
        """Runs that were closed and whose last entry is older than ``before``."""
        margin = before - 2 * _RUN_LIFE
        return [r["_id"] async for r in self._runs.find({}) if _over(r, margin)]

    async def delete_run(self, run: str) -> None:
        """Delete a whole chain: what is left of the log can still be checked."""
        # The run goes last: were the process to die in between, it is found again.
        await self._entries.delete_many({"run": run})
        await self._anchors.delete_many({"run": run})
        await self._runs.delete_one({"_id": run})

    async def anchor(self, now: datetime) -> int:
        """Write down the heads of every running chain; how many moved since the last time."""
        moved = 0
        async for run in self._runs.find({"open": True}):
            last = await self._last(run["_id"], run.get("anchored", -1))
            if last is not None:
                moved += await self._write_anchor(last, now)
            elif run["since"] < now - 2 * _RUN_LIFE:
                await self._runs.update_one({"_id": run["_id"]}, {"$unset": {"open": ""}})
        return moved

    async def verify(self) -> ChainReport:
        """Check every chain from its first entry, and every anchor against it."""
        faults: list[ChainFault] = []
        runs = entries = 0
        async for run in self._runs.find({}):
            runs += 1
            hashes: dict[int, bytes] = {}
            async for fault in self._check(run["_id"], hashes):
                faults.append(fault)
            entries += len(hashes)
        return ChainReport(runs, entries, tuple(faults))

    # -- inside -------------------------------------------------------------------------------

    async def _current_run(self, at: datetime) -> str:
        # A run ends after a day so that an old one can be closed for good.
        if self._run is None or self._began is None or at - self._began > _RUN_LIFE:
            run = uuid.uuid4().hex
            await self._runs.insert_one({"_id": run, "since": at, "open": True})
            self._run, self._began, self._seq, self._head = run, at, 0, START
        return self._run

    async def _last(self, run: str, after: int) -> dict[str, Any] | None:
        # Read forward from the last anchor: sorting a whole chain to take its end costs more.
        last = None
        async for entry in self._entries.find({"run": run, "seq": {"$gt": after}}).sort("seq", 1):
            last = entry
        return last

    async def _write_anchor(self, last: Mapping[str, Any], now: datetime) -> int:
        anchor = {"run": last["run"], "seq": last["seq"], "hash": last["hash"], "at": now}
        try:
            await self._anchors.insert_one({"_id": last["_id"], **anchor})
        except DuplicateKeyError:
            return 0  # another worker anchored the same head
        await self._runs.update_one({"_id": last["run"]}, {"$max": {"anchored": last["seq"]}})
        return 1

    async def _check(self, run: str, hashes: dict[int, bytes]) -> AsyncIterator[ChainFault]:
        head, expected = START, 0
        async for entry in self._entries.find({"run": run}).sort("seq", 1):
            seq = entry["seq"]
            if seq != expected or not hmac.compare_digest(entry["prev"], head):
                yield ChainFault(run, expected, "missing")
            elif not hmac.compare_digest(entry["hash"], self._hash(entry)):
                yield ChainFault(run, seq, "changed")
            head, expected = entry["hash"], seq + 1
            hashes[seq] = head
        async for anchor in self._anchors.find({"run": run}):
            if hashes.get(anchor["seq"]) != anchor["hash"]:
                yield ChainFault(run, anchor["seq"], "anchor")

    def _hash(self, entry: Mapping[str, Any]) -> bytes:
        return entry_hash(self._vault, entry)


def entry_hash(vault: Vault, entry: Mapping[str, Any]) -> bytes:
    """The keyed hash of an entry with what it says of the one before it."""
    # Times are kept to the millisecond, so only that much is hashed.
    values = {
        **{k: v for k, v in entry.items() if k not in ("hash", "at", "prev")},
        "at": (entry["at"] - EPOCH) // timedelta(milliseconds=1),
        "prev": entry["prev"].hex(),
    }
    content = orjson.dumps(values, option=orjson.OPT_SORT_KEYS)
    return vault.digest("access-log", content)


def _over(run: Mapping[str, Any], before: datetime) -> bool:
    # A run takes entries for a day after it began.
    return not run.get("open") and bool(run["since"] < before)
