"""The access log under a new index key: persons by their new index, chains of new hashes.

Each chain is checked under the old key first, entry by entry, and what was wrong with it stays
wrong: an entry that had been changed keeps a hash that fits nothing. A chain's new hashes are all
written beside the old ones before the first takes its place, so a break-off loses nothing. Anchors
keep their former hash, by which a copy kept elsewhere can still be compared.
"""

import hmac
from collections.abc import Callable, Mapping
from typing import Any

from pymongo import UpdateOne
from pymongo.asynchronous.database import AsyncDatabase

from storage.access_log import START, entry_hash
from storage.changes import Pipeline, literal
from storage.reindex_map import OldAndNew
from storage.vault import Vault

_BATCH = 500

Entry = Mapping[str, Any]


class Rechaining:
    """One change of the index key. ``mark`` tells its chains from those of another one."""

    def __init__(
        self,
        database: AsyncDatabase[dict[str, Any]],
        old: Vault,
        new: Vault,
        pairs: OldAndNew,
        mark: str,
        checkpoint: Callable[[str], None],
    ) -> None:
        self._entries = database["access_log"]
        self._runs = database["access_runs"]
        self._anchors = database["access_anchors"]
        self._old = old
        self._new = new
        self._pairs = pairs
        self._mark = mark
        self._checkpoint = checkpoint

    async def run(self, progress: Callable[[str, int, int], None]) -> int:
        """Make every chain anew; how many entries had been changed or did not follow the one
        before."""
        runs = await self._runs.find({}).to_list()
        faults = 0
        for count, run in enumerate(runs, 1):
            name = run["_id"]
            if run.get("chained") != self._mark and run.get("prepared") != self._mark:
                faults += await self._prepare(name)
                await self._note(name, "prepared")
                self._checkpoint("chain-prepared")
            if run.get("chained") != self._mark:
                await self._flip(name)
                await self._note(name, "chained")
            progress("access_log", count, len(runs))
        return faults

    async def _note(self, run: str, what: str) -> None:
        await self._runs.update_one({"_id": run}, {"$set": {what: self._mark}})

    async def _prepare(self, run: str) -> int:
        """Write what each entry of a chain becomes beside what it is."""
        before, after, expected, faults = START, START, 0, 0
        batch: list[Entry] = []
        async for entry in self._entries.find({"run": run}).sort("seq", 1):
            batch.append(entry)
            if len(batch) == _BATCH:
                before, after, expected, more = await self._write(batch, before, after, expected)
                faults += more
                batch = []
        if batch:
            faults += (await self._write(batch, before, after, expected))[3]
        return faults

    async def _write(
        self, batch: list[Entry], before: bytes, after: bytes, expected: int
    ) -> tuple[bytes, bytes, int, int]:
        subjects = [e["subject"] for e in batch if e["subject"]]
        known = await self._pairs.known(subjects)
        writes, faults = [], 0
        for entry in batch:
            plain = {k: v for k, v in entry.items() if k != "next"}
            follows = entry["seq"] == expected and hmac.compare_digest(entry["prev"], before)
            whole = hmac.compare_digest(entry["hash"], entry_hash(self._old, plain))
            faults += not (follows and whole)
            subject = entry["subject"]
            fresh = {
                **plain,
                "subject": known.get(subject, subject) if subject else subject,
                "prev": after if follows else entry["prev"],
            }
            fresh["hash"] = entry_hash(self._new, fresh) if whole else entry["hash"]
            values = {name: fresh[name] for name in ("subject", "prev", "hash")}
            writes.append(UpdateOne({"_id": entry["_id"]}, {"$set": {"next": values}}))
            before, after, expected = entry["hash"], fresh["hash"], entry["seq"] + 1
        await self._entries.bulk_write(writes, ordered=False)
        return before, after, expected, faults

    async def _flip(self, run: str) -> None:
        """Put what was prepared in place: anchors first, which are found by what entries were."""
        hashes: dict[int, tuple[bytes, bytes]] = {}
        change: Pipeline
        async for entry in self._entries.find({"run": run}):
            if "next" in entry:
                hashes[entry["seq"]] = (entry["hash"], entry["next"]["hash"])
        async for anchor in self._anchors.find({"run": run}):
            was, becomes = hashes.get(anchor["seq"], (b"", b""))
            if anchor["hash"] == was:
                former = {"$concatArrays": [{"$ifNull": ["$former", []]}, [literal(was)]]}
                change = [{"$set": {"hash": literal(becomes), "former": former}}]
                await self._anchors.update_one({"_id": anchor["_id"]}, change)
        self._checkpoint("anchors-moved")
        names = ("subject", "prev", "hash")
        change = [
            {"$set": {n: {"$ifNull": [f"$next.{n}", f"${n}"]} for n in names}},
            {"$unset": "next"},
        ]
        ids = [e["_id"] async for e in self._entries.find({"run": run}, {"_id": 1})]
        for start in range(0, len(ids), _BATCH):
            writes = [UpdateOne({"_id": i}, change) for i in ids[start : start + _BATCH]]
            await self._entries.bulk_write(writes, ordered=False)
            self._checkpoint("chain-moved")
