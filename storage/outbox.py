"""SMS codes on their way from the service to the worker, through Redis.

Every job is sealed and has the same size, and where there is nobody to send to there is a job all
the same: neither the request's answer nor its work tells whether a code is really sent. A job is
taken once; what a dying worker had in hand is lost, as an SMS may be, and asked for again.
"""

from dataclasses import asdict, dataclass
from typing import Any

import orjson
from redis.asyncio import Redis

from storage.vault import Vault

_SIZE = 320
_LONGEST_LANE = 10_000
_CONTEXT = "outbox/code"


@dataclass(frozen=True)
class CodeJob:
    """A code to be sent; an empty ``phone`` means that there is nobody to send it to. ``until``:
    epoch seconds after which it is worth nothing."""

    phone: str
    purpose: str
    code: str
    minutes: int
    until: float


class CodeOutbox:
    """Raises redis' errors when the engine does not answer."""

    def __init__(self, redis: Redis, vault: Vault, prefix: str) -> None:
        self._redis = redis
        self._vault = vault
        self._name = f"{prefix}:outbox:codes"

    async def put(self, job: CodeJob) -> None:
        """Hand a job to the workers. Of a lane no worker empties the oldest jobs fall out."""
        plain = orjson.dumps(asdict(job)).ljust(_SIZE)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.rpush(self._name, self._vault.seal(plain, _CONTEXT))
            pipe.ltrim(self._name, -_LONGEST_LANE, -1)
            await pipe.execute()

    async def take(self, most: int, timeout: float) -> list[CodeJob]:
        """Up to ``most`` jobs, oldest first; waits for the first one at most ``timeout`` s."""
        first: Any = await self._redis.blpop([self._name], timeout=timeout)
        if first is None:
            return []
        more: Any = await self._redis.lpop(self._name, most - 1) if most > 1 else None
        return [self._opened(sealed) for sealed in (first[1], *(more or ()))]

    def _opened(self, sealed: bytes) -> CodeJob:
        return CodeJob(**orjson.loads(self._vault.open_bytes(sealed, _CONTEXT)))
