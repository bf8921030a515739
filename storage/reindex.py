"""A new index key, offline: every person under a new index, while nobody works with the data.

Three steps, each taken up again where it was broken off: learn what each index becomes
(``storage/reindex_map.py``), write every document that holds one anew and only then delete the old
one, make the chains of the access log anew (``storage/reindex_chain.py``). Only at the very end the
keys say that the new index key fits; until then neither the old nor the new one starts a process.
"""

import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import DeleteOne, ReplaceOne
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError, DuplicateKeyError

from storage.access_log import AccessLog
from storage.key_census import Progress
from storage.keyring import index_check, unwrapped_keys
from storage.presence import REINDEX, Processes, is_dead
from storage.reindex_chain import Rechaining
from storage.reindex_map import MAP, Document, OldAndNew
from storage.rotation import StillInUse, Tell
from storage.sealed_places import SEALED
from storage.vault import KEY_BYTES, Vault, VaultError
from storage.wechat_bindings import UNION

_BATCH = 200
_DUPLICATE = 11000
_HOLDER_LEASE = timedelta(seconds=60)

PERSONS = ("sessions", "registry_population", "registry_licences", "registry_vehicles")
"""Collections whose ``_id`` is a blind index: who is not found there any more is lost."""
BINDINGS = "wechat_bindings"
_APART = frozenset(
    {
        *("keys", "processes", "upkeep", MAP),
        *("access_log", "access_runs", "access_anchors"),
        *("photos.files", "photos.chunks", "school.files", "school.chunks"),
    }
)
"""Collections that hold no index of a person, or are seen to apart."""


@dataclass(frozen=True)
class Keys:
    """The keys of a change: base and goal."""

    master: bytes
    old_index: bytes
    new_index: bytes


@dataclass(frozen=True)
class Reindexed:
    """What was done: documents written anew by collection, faults found in the access log."""

    moved: Mapping[str, int]
    faults: int


class Reindexing:
    """One run. ``clock`` is the real time; ``checkpoint`` may kill it, for tests."""

    def __init__(
        self,
        database: AsyncDatabase[Document],
        keys: Keys,
        appids: Sequence[str],
        clock: Callable[[], datetime],
        *,
        tell: Tell,
        progress: Progress,
        checkpoint: Callable[[str], None],
    ) -> None:
        self._database = database
        self._upkeep = database["upkeep"]
        self._keys = keys
        self._appids = appids
        self._clock = clock
        self._tell = tell
        self._progress = progress
        self._checkpoint = checkpoint
        self._mark = index_check(keys.new_index).hex()[:16]

    async def run(self, *, forget_unknown: bool) -> Reindexed:
        """Do it, or finish it. Raises StillInUse while a process works with the data or somebody
        would be lost, and VaultError when a key does not fit."""
        old, new = await self._vaults()
        begun = await self._begin()
        pairs = OldAndNew(self._database, old, new, (*self._appids, UNION))
        if not await self._done("checked"):
            await self._learn(pairs)
            await self._nobody_lost(pairs, forget_unknown, begun)
            await self._note("checked")
        moved = {}
        for name in sorted(await self._database.list_collection_names()):
            if name not in _APART:
                moved[name] = await self._move(name, pairs)
        chains = Rechaining(self._database, old, new, pairs, self._mark, self._checkpoint)
        faults = await chains.run(self._progress)
        report = await AccessLog(self._database, new).verify()
        if len(report.faults) != faults and not await self._done("chained"):
            self._tell(f"The access log has {len(report.faults)} faults; see the decision record.")
        await self._finish()
        return Reindexed({n: c for n, c in moved.items() if c}, faults)

    # -- keys, and nobody else ----------------------------------------------------------------

    async def _vaults(self) -> tuple[Vault, Vault]:
        keys = self._keys
        for name, key in (
            ("BIANMIN_INDEX_KEY", keys.old_index),
            ("BIANMIN_NEW_INDEX_KEY", keys.new_index),
        ):
            if len(key) != KEY_BYTES:
                raise VaultError(f"{name} 必须是 {KEY_BYTES} 字节")
        documents = await self._database["keys"].find({}).to_list()
        if not documents:
            raise StillInUse("There is no data here yet.")
        checks = {bytes(d["index_check"]) for d in documents}
        marker = await self._upkeep.find_one({"_id": REINDEX})
        if marker is not None and marker["mark"] != self._mark:
            raise StillInUse("A change to another index key was broken off; finish that one.")
        if marker is None and checks == {index_check(keys.new_index)}:
            raise StillInUse("This data is under the new index key already.")
        if not checks <= {index_check(keys.old_index), index_check(keys.new_index)}:
            raise VaultError("索引密钥与数据不符（BIANMIN_INDEX_KEY）")
        data_keys = unwrapped_keys(documents, keys.master)
        sealing = max(int(d["number"]) for d in documents if d.get("sealing", True))
        return Vault(data_keys, keys.old_index, sealing), Vault(data_keys, keys.new_index, sealing)

    async def _begin(self) -> bool:
        """Shut everybody else out; whether this run is the first. Raises StillInUse."""
        marker = await self._upkeep.find_one({"_id": REINDEX})
        if marker is not None:
            holder = marker["holder"]
            age = self._clock() - holder["seen_at"]
            if not is_dead(holder["host"], holder["pid"]) and age < _HOLDER_LEASE:
                raise StillInUse(f"Process {holder['pid']} on {holder['host']} is at it.")
            self._tell("Going on with what was broken off.")
            await self._hold()
            return False
        try:
            await self._upkeep.insert_one(
                {"_id": REINDEX, "mark": self._mark, "done": [], "holder": self._holder()}
            )
        except DuplicateKeyError as error:
            raise StillInUse("Another command has just begun to reindex.") from error
        # The marker first: whoever starts now stops by himself, whoever runs is seen.
        living = await Processes(self._database, self._clock).living()
        if living:
            await self._upkeep.delete_one({"_id": REINDEX})
            raise StillInUse(
                "These work with the data; stop them first: " + ", ".join(b.name for b in living)
            )
        return True

    def _holder(self) -> dict[str, Any]:
        return {"host": socket.gethostname(), "pid": os.getpid(), "seen_at": self._clock()}

    async def _hold(self) -> None:
        await self._upkeep.update_one({"_id": REINDEX}, {"$set": {"holder": self._holder()}})

    async def _done(self, step: str) -> bool:
        marker = await self._upkeep.find_one({"_id": REINDEX})
        return marker is not None and step in marker["done"]

    async def _note(self, step: str) -> None:
        await self._upkeep.update_one({"_id": REINDEX}, {"$addToSet": {"done": step}})

    # -- steps --------------------------------------------------------------------------------

    async def _learn(self, pairs: OldAndNew) -> None:
        for name in SEALED:
            async for batch in self._batches(name):
                broken = await pairs.learn(name, batch)
                if broken:
                    self._tell(f"{broken} values in {name} do not open; they stay as they are.")
                self._checkpoint("learned")
        async for batch in self._batches("mandates"):
            await pairs.learn_mandates(batch)

    async def _nobody_lost(self, pairs: OldAndNew, forget: bool, begun: bool) -> None:
        """Everybody's new index is known, or he is to be forgotten."""
        lost: dict[str, list[str]] = {}
        for name in (*PERSONS, BINDINGS):
            async for batch in self._batches(name):
                # What is left of an account that was closed long ago names nobody.
                named = name != "sessions"
                ids = [d["_id"] for d in batch if named or "person" in d]
                known = await pairs.known(ids)
                lost.setdefault(name, []).extend(i for i in ids if i not in known)
        found = {name: ids for name, ids in lost.items() if ids}
        # A WeChat account that nobody's session names speaks for nobody: it may be bound again.
        persons = {name: ids for name, ids in found.items() if name != BINDINGS}
        if persons and not forget:
            if begun:
                await self._database.drop_collection(MAP)
                await self._upkeep.delete_one({"_id": REINDEX})
            listed = ", ".join(f"{len(ids)} in {name}" for name, ids in persons.items())
            raise StillInUse(
                f"Nothing tells whose these are: {listed}. Import the registries again, or let"
                " them go with --forget-unknown. Nothing was changed."
            )
        for name, ids in found.items():
            for start in range(0, len(ids), _BATCH):
                writes = [DeleteOne({"_id": i}) for i in ids[start : start + _BATCH]]
                await self._database[name].bulk_write(writes, ordered=False)
            self._tell(f"{len(ids)} were deleted from {name}.")

    async def _move(self, name: str, pairs: OldAndNew) -> int:
        """Write every document of a collection that holds an old index anew; how many."""
        collection = self._database[name]
        if name == "visitors":
            # Nobody knows which WeChat account a visitor's talk belongs to: he begins again.
            await collection.delete_many({})
            return 0
        count, found = 0, 1
        while found:
            # Documents written anew may be met again in the same pass: they hold nothing old.
            found = 0
            async for batch in self._batches(name):
                anew = await pairs.moved(name, batch)
                changed = [(d, m) for d, m in zip(batch, anew, strict=True) if m is not None]
                if changed:
                    await self._write(name, changed)
                    found += len(changed)
                    self._checkpoint("moved")
            count += found
        return count

    async def _write(self, name: str, changed: Sequence[tuple[Document, Document]]) -> None:
        collection = self._database[name]
        there = [ReplaceOne({"_id": m["_id"]}, m) for d, m in changed if d["_id"] == m["_id"]]
        elsewhere = [(d, m) for d, m in changed if d["_id"] != m["_id"]]
        if there:
            await collection.bulk_write(there, ordered=False)
        if elsewhere:
            fresh = [_settled(name, m) for _, m in elsewhere]
            try:
                await collection.insert_many(fresh, ordered=False)
            except BulkWriteError as error:
                # Written by a run that was broken off before it deleted the old one.
                if any(e["code"] != _DUPLICATE for e in error.details["writeErrors"]):
                    raise
            self._checkpoint("copied")
            gone = [DeleteOne({"_id": d["_id"]}) for d, _ in elsewhere]
            await collection.bulk_write(gone, ordered=False)

    async def _batches(self, name: str) -> AsyncIterator[list[Document]]:
        collection = self._database[name]
        total = await collection.estimated_document_count()
        batch: list[Document] = []
        seen = 0
        async for document in collection.find({}).batch_size(_BATCH):
            batch.append(document)
            if len(batch) == _BATCH:
                seen += len(batch)
                yield batch
                self._progress(name, seen, total)
                await self._hold()
                batch = []
        if batch:
            yield batch
        self._progress(name, seen + len(batch), max(total, seen + len(batch)))

    async def _finish(self) -> None:
        """From here on the new key fits; the pairs, which tie old to new, are destroyed."""
        self._checkpoint("before-new-key")
        fits = {"$set": {"index_check": index_check(self._keys.new_index)}}
        for document in await self._database["keys"].find({}, {"_id": 1}).to_list():
            await self._database["keys"].update_one({"_id": document["_id"]}, fits)
            self._checkpoint("key-fits")
        await self._database.drop_collection(MAP)
        await self._upkeep.delete_one({"_id": REINDEX})


def _settled(name: str, document: Document) -> Document:
    """What cannot go along: tokens name the old index, so every device logs in again; answers to
    messages are known by an index whose message nobody has."""
    if name != "sessions":
        return document
    kept = {k: v for k, v in document.items() if k not in ("devices", "tokens", "askers")}
    if "talk" in kept:
        kept["talk"] = {**kept["talk"], "replies": []}
    return kept
