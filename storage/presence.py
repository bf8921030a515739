"""The collection ``processes``: who works with this data now, and which keys each of them knows.

Every process of the house beats here every few seconds and reads the keys as often. Rotating waits
for all that live; reindexing refuses while one does. A process that could not read the keys for
``LEASE`` stops sealing and indexing until it has, so that one asleep or cut off, which nobody can
wait for, does no harm when it wakes.
"""

import asyncio
import os
import socket
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from storage.keyring import Keyring
from storage.vault import Vault, VaultError

log = structlog.get_logger()

BEAT = timedelta(seconds=2)
LEASE = timedelta(seconds=30)
_FORGOTTEN = timedelta(days=1)
REINDEX = "reindex"


class ReindexUnderWay(VaultError):
    """Every index of a person is being replaced: nobody may work with the data now."""


@dataclass(frozen=True)
class Beat:
    """A process as last heard of. ``knows`` and ``seals`` are numbers of data keys."""

    id: str
    kind: str
    host: str
    pid: int
    seen_at: datetime
    knows: int
    seals: int
    master: str

    @property
    def name(self) -> str:
        """How an operator finds it."""
        return f"{self.kind} (process {self.pid} on {self.host})"


class Processes:
    """Reads who lives. ``clock`` is the real time, the same for all, whatever the house's is."""

    def __init__(
        self, database: AsyncDatabase[dict[str, Any]], clock: Callable[[], datetime]
    ) -> None:
        self._processes = database["processes"]
        self._clock = clock

    async def living(self) -> list[Beat]:
        """Every process that beat within the lease and is not known to be dead."""
        beats = []
        async for document in self._processes.find({}):
            beat = Beat(id=document.pop("_id"), **document)
            age = self._clock() - beat.seen_at
            if age > _FORGOTTEN:
                await self._processes.delete_one({"_id": beat.id})
            elif age <= LEASE and not is_dead(beat.host, beat.pid):
                beats.append(beat)
        return sorted(beats, key=lambda b: (b.kind, b.pid))


class Presence:
    """This process among the others, with its vault kept up to date."""

    def __init__(
        self,
        database: AsyncDatabase[dict[str, Any]],
        keyring: Keyring,
        vault: Vault,
        clock: Callable[[], datetime],
    ) -> None:
        self._processes = database["processes"]
        self._upkeep = database["upkeep"]
        self._keyring = keyring
        self._vault = vault
        self._clock = clock
        self.id = uuid.uuid4().hex

    @asynccontextmanager
    async def kept(self, kind: str) -> AsyncIterator[None]:
        """Be present until the end of the block. Raises ReindexUnderWay, and VaultError when the
        keys changed since they were read."""
        # Seen first, then the marker and the keys: whoever set them before saw nobody is read
        # here, and whoever sets them later sees this process.
        await self.seen(kind)
        try:
            await self._refresh()
            await self.seen(kind)
            beating = asyncio.create_task(self._keep(kind), name="presence")
            try:
                yield
            finally:
                beating.cancel()
                await asyncio.gather(beating, return_exceptions=True)
        finally:
            await self._leave()

    async def beat(self, kind: str) -> None:
        """Read the keys, then say so. Raises pymongo's errors and VaultError."""
        await self._refresh()
        await self.seen(kind)

    async def _keep(self, kind: str) -> None:
        while True:
            await asyncio.sleep(BEAT.total_seconds())
            try:
                await self.beat(kind)
            except (PyMongoError, OSError, VaultError) as error:
                # The vault stops by itself when this lasts; the next round tries again.
                log.warning("keys-not-read", error=str(error) or type(error).__name__)

    async def _refresh(self) -> None:
        if await self._upkeep.find_one({"_id": REINDEX}):
            raise ReindexUnderWay("正在更换索引密钥，请等待完成")
        await self._keyring.refresh(self._vault)
        self._vault.believe(LEASE.total_seconds())

    async def seen(self, kind: str) -> None:
        """Say which keys this process knows. Raises pymongo's errors."""
        values = {
            "kind": kind,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "seen_at": self._clock(),
            "knows": max(self._vault.data_keys),
            "seals": self._vault.sealing,
            "master": self._keyring.master_check,
        }
        await self._processes.update_one({"_id": self.id}, {"$set": values}, upsert=True)

    async def _leave(self) -> None:
        try:
            await self._processes.delete_one({"_id": self.id})
        except (PyMongoError, OSError) as error:
            log.info("presence-not-withdrawn", error=type(error).__name__)


def is_dead(host: str, pid: int) -> bool:
    """Whether a process of this very machine has ended without saying so."""
    if host != socket.gethostname():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
