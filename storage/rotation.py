"""Giving live data a new data key, while everybody works.

A new key is announced, and seals only when every living process can open it. Then every sealed
value is sealed anew, document by document: the write holds only where the value is still the one
that was read, so a concurrent write is never lost, and what it wrote is under the new key already.
Whatever breaks off is taken up by the next run: what is done is known by its key number. Nothing is
unreadable at any time, for every data key stays until it is retired.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import UpdateOne

from storage.changes import swap
from storage.key_census import BATCH, PHOTOS, SCHOOL_FILES, Count, Progress, count_older
from storage.photos import Photos
from storage.presence import LEASE, Beat, Processes
from storage.sealed_places import SEALED, fields_of, sealed_values, with_values
from storage.stores import Stores
from storage.vault import VaultError, key_number

ROTATE = "rotate"
_PASSES = 3
_TRIES = 30
_POLL = 0.2
READERS = timedelta(seconds=30)
"""How long a picture's former pieces stay for who began to read them."""

Tell = Callable[[str], None]
Document = Mapping[str, Any]


class StillInUse(Exception):
    """Something stands in the way; the message says what, and what to do."""


@dataclass(frozen=True)
class Rotated:
    """What a rotation did: the key that seals now, values sealed anew, what is left and where."""

    number: int
    resealed: Mapping[str, int]
    left: Mapping[str, Count]


class Rotation:
    """One run. ``clock`` is the real time; ``checkpoint`` may kill it, for tests."""

    def __init__(
        self,
        stores: Stores,
        clock: Callable[[], datetime],
        *,
        tell: Tell,
        progress: Progress,
        checkpoint: Callable[[str], None],
        readers: timedelta = READERS,
        lease: timedelta = LEASE,
    ) -> None:
        self._stores = stores
        self._photos = {PHOTOS: stores.photos, SCHOOL_FILES: stores.school_files}
        self._database = stores.database
        self._keyring = stores.keyring
        self._vault = stores.vault
        self._upkeep = stores.database["upkeep"]
        self._processes = Processes(stores.database, clock)
        self._clock = clock
        self._tell = tell
        self._progress = progress
        self._checkpoint = checkpoint
        self._readers = readers
        self._lease = lease

    async def rotate(self) -> Rotated:
        """Bring a new data key in and seal everything under it, or finish what an earlier run
        began. Raises StillInUse."""
        await self._alone()
        if any("rewrapped" in d for d in await self._keyring.documents()):
            raise StillInUse(
                "The master key is being changed: set the new one, start every process again and"
                " run `bianmin keys rotate --retire` first."
            )
        number = await self._begin()
        await self._keyring.announce(number)
        self._checkpoint("key-announced")
        await self._until(lambda beat: beat.knows >= number, f"can open data key {number}")
        await self._keyring.seal_with(number)
        await self._keyring.refresh(self._vault)
        self._checkpoint("key-seals")
        await self._until(lambda beat: beat.seals >= number, f"seals with data key {number}")
        await self._note({"phase": "resealing", "sealing_since": self._clock()})
        resealed = await self._reseal_until_done()
        await self._drop_former_pieces()
        left = await count_older(self._stores, number, self._progress)
        counts = {name: vars(count) for name, count in left.items()}
        finished = {"phase": "done", "finished_at": self._clock(), "left": counts}
        await self._note(finished)
        return Rotated(number, resealed, left)

    async def retire(self) -> list[int]:
        """Destroy every data key older than the one that seals, and wrappings under another master
        key than ours. Raises StillInUse while anything is sealed under them or a process needs
        them."""
        await self._alone()
        ours = self._keyring.master_check
        others = [b.name for b in await self._processes.living() if b.master != ours]
        if others:
            raise StillInUse(
                "These run with another master key; start them again: " + ", ".join(others)
            )
        if await self._keyring.drop_other_wraps():
            self._tell("The former master key opens nothing any more.")
        record = await self._upkeep.find_one({"_id": ROTATE})
        if record is not None and record["phase"] != "done":
            raise StillInUse("A rotation was broken off. Finish it with `bianmin keys rotate`.")
        number = (await self._keyring.refresh(self._vault)).sealing
        older = [n for n in self._vault.data_keys if n < number]
        if not older:
            return []
        await self._until(lambda beat: beat.seals >= number, f"seals with data key {number}")
        # Whoever nobody can see has stopped sealing by itself when its lease is over.
        since = record["sealing_since"] if record is not None else self._clock()
        rest = (since + 2 * self._lease - self._clock()).total_seconds()
        if rest > 0:
            self._tell(f"Waiting {rest:.0f} seconds for processes nobody can see.")
            await asyncio.sleep(rest)
        left = await count_older(self._stores, number, self._progress)
        in_use = {n: c for n, c in left.items() if c.older or c.broken}
        if in_use:
            listed = ", ".join(f"{c.older + c.broken} in {n}" for n, c in in_use.items())
            raise StillInUse(
                f"Still sealed under older data keys: {listed}. Run `bianmin keys rotate` first."
            )
        for each in older:
            await self._keyring.retire(each)
        return older

    async def rewrap(self, new_master: bytes) -> int:
        """Wrap every data key under a new master key as well; how many were not yet."""
        await self._alone()
        return await self._keyring.wrap_again(new_master)

    # -- phases -------------------------------------------------------------------------------

    async def _alone(self) -> None:
        """Raise StillInUse while another command works on the keys."""
        mine = self._stores.presence.id
        others = [b for b in await self._processes.living() if b.kind == "keys" and b.id != mine]
        if others:
            raise StillInUse(f"Another command works on the keys: {others[0].name}.")

    async def _begin(self) -> int:
        """The number to bring in: of a rotation that was broken off, else the next one."""
        record = await self._upkeep.find_one({"_id": ROTATE})
        if record is not None and record["phase"] != "done":
            self._tell(f"Going on with data key {record['number']}.")
            return int(record["number"])
        number = (await self._keyring.read()).highest + 1
        await self._upkeep.update_one(
            {"_id": ROTATE},
            {"$set": {"number": number, "phase": "announced", "began_at": self._clock()}},
            upsert=True,
        )
        return number

    async def _note(self, values: Mapping[str, Any]) -> None:
        await self._upkeep.update_one({"_id": ROTATE}, {"$set": dict(values)})

    async def _until(self, ready: Callable[[Beat], bool], what: str) -> None:
        """Wait until every living process is ready. One that no longer beats is not waited for:
        it has stopped sealing, and reads the keys before it goes on."""
        told: set[str] = set()
        await self._stores.presence.beat("keys")
        while True:
            late = [b for b in await self._processes.living() if not ready(b)]
            if not late:
                return
            for beat in late:
                if beat.id not in told:
                    self._tell(f"Waiting until {beat.name} {what}.")
                    told.add(beat.id)
            await asyncio.sleep(_POLL)

    # -- sealing anew -------------------------------------------------------------------------

    async def _reseal_until_done(self) -> dict[str, int]:
        """Pass over everything; again where something was written at each of our tries."""
        resealed: dict[str, int] = {}
        for _ in range(_PASSES):
            missed = 0
            for name in SEALED:
                done, lost = await self._reseal(name)
                resealed[name] = resealed.get(name, 0) + done
                missed += lost
            for name, photos in self._photos.items():
                done = await self._reseal_photos(name, photos)
                resealed[name] = resealed.get(name, 0) + done
            if not missed:
                break
        return resealed

    async def _reseal(self, name: str) -> tuple[int, int]:
        """(documents sealed anew, documents that somebody else wrote each time)."""
        collection = self._database[name]
        total = await collection.estimated_document_count()
        seen = done = missed = 0
        batch: list[Document] = []
        async for document in collection.find({}, fields_of(name)).batch_size(BATCH):
            seen += 1
            if self._changed(name, document) is not None:
                batch.append(document)
            if len(batch) >= BATCH:
                missed += await self._reseal_batch(name, batch)
                done, batch = done + len(batch), []
            if seen % BATCH == 0:
                self._progress(name, seen, total)
        if batch:
            missed += await self._reseal_batch(name, batch)
            done += len(batch)
        self._progress(name, seen, max(seen, total))
        return done - missed, missed

    async def _reseal_batch(self, name: str, batch: Sequence[Document]) -> int:
        """Seal documents anew, reading again what was written meanwhile; how many were left."""
        collection, ids = self._database[name], [d["_id"] for d in batch]
        for _ in range(_TRIES):
            changes = [c for c in (self._changed(name, d) for d in batch) if c is not None]
            if not changes:
                return 0
            await collection.bulk_write(changes, ordered=False)
            self._checkpoint("resealed")
            batch = await collection.find({"_id": {"$in": ids}}, fields_of(name)).to_list()
        return sum(self._changed(name, d) is not None for d in batch)

    def _changed(self, name: str, document: Mapping[str, Any]) -> UpdateOne | None:
        changed = {}
        for value in sealed_values(name, document):
            if key_number(value.blob) != self._vault.sealing:
                try:
                    plain = value.reopened(self._vault)
                except VaultError:
                    continue  # counted and shown at the end
                changed[value.steps] = self._vault.seal(plain, value.context)
        if not changed:
            return None
        fields = with_values(document, changed)
        return UpdateOne(
            {"_id": document["_id"]}, swap({f: (document[f], new) for f, new in fields.items()})
        )

    async def _reseal_photos(self, name: str, photos: Photos) -> int:
        done = 0
        older = await photos.under_older_keys(self._vault.sealing)
        for seen, photo_id in enumerate(older, 1):
            try:
                done += await photos.reseal(photo_id)
            except VaultError:
                self._tell(f"Picture {photo_id} does not open; it is left as it is.")
            self._checkpoint("photo-resealed")
            self._progress(name, seen, len(older))
        return done

    async def _drop_former_pieces(self) -> None:
        former = {n: await p.with_former_pieces() for n, p in self._photos.items()}
        if not any(former.values()):
            return
        self._tell(
            f"Waiting {self._readers.total_seconds():.0f} seconds for who still reads pictures."
        )
        await asyncio.sleep(self._readers.total_seconds())
        for name, photos in self._photos.items():
            for photo_id in former[name]:
                await photos.drop_former_pieces(photo_id)
                self._checkpoint("pieces-dropped")
