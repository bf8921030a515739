"""What is shared by all processes and may be lost: Redis.

Codes, limits, remembered logins, whose turn it is, wake-up calls. Every key is a blind index of
what the caller names, and nothing personal is stored in clear. Steps that must not be torn apart
are Lua scripts.
"""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Literal

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from storage.outbox import CodeOutbox
from storage.vault import Vault

log = structlog.get_logger()

CodeAnswer = Literal["ok", "wrong", "expired", "too_many"]

_POLL = 0.05
_LONGEST_WAIT = 3.0
_WAKES = 16
# A waiting message that nobody asks for any more is passed over; so is one that takes too long.
_WAITING_MS, _SPEAKING_MS = 2_000, 12_000

# Tries are counted before comparing; the last one allowed may still be right. A right code belongs
# to the claim that used it: only that claim may repeat it, and only that repetition is not counted.
_CHECK_CODE = """
local held, user, tried = unpack(redis.call('HMGET', KEYS[1], 'code', 'user', 'tries'))
if not held then return 'expired' end
local most, right = tonumber(ARGV[2]), held == ARGV[1]
if right and user == ARGV[3] and tonumber(tried) <= most then return 'ok' end
if redis.call('HINCRBY', KEYS[1], 'tries', 1) > most then return 'too_many' end
if user then return 'expired' end
if not right then return 'wrong' end
if ARGV[4] == '0' then
  redis.call('DEL', KEYS[1])
else
  redis.call('HSET', KEYS[1], 'user', ARGV[3])
  redis.call('EXPIRE', KEYS[1], ARGV[4])
end
return 'ok'
"""

_HIT = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
if count > tonumber(ARGV[1]) then return 0 end
return 1
"""

# All or none: the number of the first counter that is full, 0 when each counted one.
_TAKE = """
for i, key in ipairs(KEYS) do
  if tonumber(redis.call('GET', key) or '0') >= tonumber(ARGV[2 * i - 1]) then return i end
end
for i, key in ipairs(KEYS) do
  if redis.call('INCR', key) == 1 then redis.call('PEXPIRE', key, ARGV[2 * i]) end
end
return 0
"""

# 1: places in order of arrival, 2: until when each is believed alive (milliseconds).
_TAKE_PLACE = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  redis.call('ZADD', KEYS[1], t[1] * 1000000 + t[2], ARGV[1])
end
redis.call('HSET', KEYS[2], ARGV[1], now + ARGV[2])
local head = redis.call('ZRANGE', KEYS[1], 0, 0)[1]
while head ~= ARGV[1] and tonumber(redis.call('HGET', KEYS[2], head) or '0') < now do
  redis.call('ZREM', KEYS[1], head)
  redis.call('HDEL', KEYS[2], head)
  head = redis.call('ZRANGE', KEYS[1], 0, 0)[1]
end
local first = head == ARGV[1]
if first then redis.call('HSET', KEYS[2], ARGV[1], now + ARGV[3]) end
redis.call('EXPIRE', KEYS[1], 60)
redis.call('EXPIRE', KEYS[2], 60)
return first and 1 or 0
"""

_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


class Memory:
    """Raises redis' errors when the engine does not answer. ``prefix`` keeps databases apart."""

    def __init__(self, redis: Redis, vault: Vault, prefix: str) -> None:
        self._redis = redis
        self._vault = vault
        self._prefix = prefix
        self._process = uuid.uuid4().hex
        self._check_code = redis.register_script(_CHECK_CODE)
        self._hit = redis.register_script(_HIT)
        self._take = redis.register_script(_TAKE)
        self._take_place = redis.register_script(_TAKE_PLACE)
        self._release = redis.register_script(_RELEASE)
        self.tokens = SharedTokens(self)
        self.outbox = CodeOutbox(redis, vault, prefix)

    def _key(self, kind: str, name: str) -> str:
        return f"{self._prefix}:{kind}:{self._vault.index(f'memory/{kind}', name)}"

    # -- SMS codes ----------------------------------------------------------------------------

    async def put_code(self, key: str, code: str, seconds: int) -> None:
        """Keep a code, hashed, in place of a former one."""
        name = self._key("code", key)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.delete(name)
            pipe.hset(name, "code", self._code(key, code))
            pipe.expire(name, seconds)
            await pipe.execute()

    async def check_code(
        self, key: str, code: str, most: int, *, claim: str = "", again: int = 0
    ) -> CodeAnswer:
        """Try a code; the right one is used up, and after ``most`` tries even it is refused.

        For ``again`` seconds after its use it still serves the very ``claim`` it proved.
        """
        answer = await self._check_code(
            keys=[self._key("code", key)],
            args=[
                *(self._code(key, code), most),
                *(self._vault.index("sms-code-claim", f"{key}/{claim}"), again),
            ],
        )
        return _ANSWERS[answer]

    def _code(self, key: str, code: str) -> str:
        return self._vault.index("sms-code", f"{key}/{code}")

    # -- limits -------------------------------------------------------------------------------

    async def hit(self, key: str, limit: int, seconds: int) -> bool:
        """Count one; False when there were ``limit`` before it within the window, which begins
        with its first."""
        return bool(await self._hit(keys=[self._key("hit", key)], args=[limit, seconds * 1000]))

    async def take(self, limits: Sequence[tuple[str, int, int]]) -> str:
        """Count one under each name (name, limit, seconds of its window), unless one is full:
        then nothing is counted and its name is given, else an empty one."""
        names = [self._key("hit", name) for name, _, _ in limits]
        args = [value for _, most, seconds in limits for value in (most, seconds * 1000)]
        full = int(await self._take(keys=names, args=args))
        return limits[full - 1][0] if full else ""

    # -- logins -------------------------------------------------------------------------------

    async def put_desk_session(self, session: str, login: str, idle: int) -> None:
        """Keep an officer's login until it has been idle for so many seconds."""
        await self._redis.set(self._key("desk", session), login, ex=idle)

    async def get_desk_session(self, session: str, idle: int) -> str | None:
        """The login as it was kept; the look keeps it alive."""
        held = _bytes(await self._redis.getex(self._key("desk", session), ex=idle))
        return held.decode() if held else None

    async def drop_desk_session(self, session: str) -> None:
        """End an officer's login."""
        await self._redis.delete(self._key("desk", session))

    # -- one message of a person at a time ----------------------------------------------------

    async def take_place(self, person: str, message_id: str) -> bool:
        """Stand in line behind the person's earlier messages; True when it is this one's turn.

        Ask again until it is: who no longer asks loses his place. A retry that reaches another
        process stands behind its first attempt.
        """
        first = await self._take_place(
            keys=self._places(person),
            args=[self._member(message_id), _WAITING_MS, _SPEAKING_MS],
        )
        return bool(first)

    async def leave_place(self, person: str, message_id: str) -> None:
        """Let the next message of the person pass."""
        order, _ = self._places(person)
        await self._redis.zrem(order, self._member(message_id))

    def _places(self, person: str) -> list[str]:
        return [self._key("turn", person), self._key("turn-alive", person)]

    def _member(self, message_id: str) -> str:
        return self._vault.index("message", f"{self._process}/{message_id}")

    # -- waking workers -----------------------------------------------------------------------

    async def wake(self, lane: str) -> None:
        """Tell one waiting worker that there is something to do. He looks by himself every second,
        so an engine that does not answer is no reason to fail what was done already."""
        name = f"{self._prefix}:lane:{lane}"
        try:
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.lpush(name, "1")
                pipe.ltrim(name, 0, _WAKES - 1)
                await pipe.execute()
        except RedisError as error:
            log.warning("worker-not-woken", error=type(error).__name__)

    async def wait(self, lane: str, timeout: float) -> bool:
        """Wait to be woken, at most so many seconds (3 at most); whether somebody did."""
        name = f"{self._prefix}:lane:{lane}"
        woken = await self._redis.blpop([name], timeout=min(timeout, _LONGEST_WAIT))
        return woken is not None

    # -- locks --------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def lock(self, name: str, seconds: float) -> AsyncIterator[None]:
        """Held by one process at a time; others wait. Ends by itself after ``seconds``."""
        key, mine = self._key("lock", name), uuid.uuid4().hex
        # Polled: a holder that dies wakes nobody, its key just ends.
        while True:
            if await self._redis.set(key, mine, nx=True, px=int(seconds * 1000)):
                break
            await asyncio.sleep(_POLL)
        try:
            yield
        finally:
            await self._release(keys=[key], args=[mine])

    # -- what is under way at a counter, sealed ------------------------------------------------

    async def put_kept(self, name: str, value: Mapping[str, Any], seconds: int) -> None:
        """Keep a value for so many seconds."""
        sealed = self._vault.seal(value, f"kept/{name}")
        await self._redis.set(self._key("kept", name), sealed, ex=seconds)

    async def get_kept(self, name: str) -> dict[str, Any] | None:
        """A kept value; None when there is none or its time is over."""
        sealed = _bytes(await self._redis.get(self._key("kept", name)))
        return dict(self._vault.open_json(sealed, f"kept/{name}")) if sealed else None

    # -- values of other programs, sealed -----------------------------------------------------

    async def put_shared(self, name: str, value: str, expires_at: float) -> None:
        """Keep a secret value until a moment (epoch seconds)."""
        sealed = self._vault.seal({"value": value, "until": expires_at}, f"shared/{name}")
        await self._redis.set(self._key("shared", name), sealed, pxat=int(expires_at * 1000))

    async def get_shared(self, name: str) -> tuple[str, float] | None:
        """The value and its end; None when there is none or it has ended."""
        sealed = _bytes(await self._redis.get(self._key("shared", name)))
        if sealed is None:
            return None
        held = self._vault.open_json(sealed, f"shared/{name}")
        return held["value"], held["until"]


class SharedTokens:
    """WeChat's access tokens, shared by all processes: what notify asks to be kept."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def get(self, name: str) -> tuple[str, float] | None:
        """The token and its end (epoch seconds)."""
        return await self._memory.get_shared(name)

    async def put(self, name: str, token: str, expires_at: float) -> None:
        """Keep a token until its end."""
        await self._memory.put_shared(name, token, expires_at)

    def lock(self, name: str, seconds: float) -> contextlib.AbstractAsyncContextManager[None]:
        """Held by one process at a time."""
        return self._memory.lock(f"tokens/{name}", seconds)


def _bytes(held: bytes | str | None) -> bytes | None:
    # The client is typed for both; only an address with decode_responses=true would give str.
    return held.encode() if isinstance(held, str) else held


_ANSWERS: dict[bytes, CodeAnswer] = {
    b"ok": "ok",
    b"wrong": "wrong",
    b"expired": "expired",
    b"too_many": "too_many",
}
