"""WeChat access tokens: one refresh for the whole cluster, shared through a store.

A token lives at most 7200 s. ``stable_token`` gives the same one until five minutes before its
end; a forced refresh is limited to 20 a day, 30 s apart (developers.weixin.qq.com, stable_token).
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

EARLY_SECONDS = 300
FORCED_APART_SECONDS = 30
LOCK_SECONDS = 15


class TokenStore(Protocol):
    """What is needed of the store that all processes share."""

    async def get(self, name: str) -> tuple[str, float] | None:
        """The value and its end (epoch seconds); None when there is none or it has ended."""

    async def put(self, name: str, token: str, expires_at: float) -> None:
        """Keep a value until its end."""

    def lock(self, name: str, seconds: float) -> AbstractAsyncContextManager[object]:
        """Held by one process at a time; others wait. Released by itself after ``seconds``."""


class AccessToken:
    """The token of one app. ``fetch(force)`` asks WeChat and gives (token, seconds to live)."""

    def __init__(
        self,
        name: str,
        store: TokenStore,
        fetch: Callable[[bool], Awaitable[tuple[str, float]]],
        clock: Callable[[], float],
    ) -> None:
        self._name = name
        self._store = store
        self._fetch = fetch
        self._clock = clock

    async def current(self) -> str:
        """A token that should serve. Raises what ``fetch`` raises."""
        return await self._usable(None) or await self._refresh(None)

    async def renewed(self, bad: str) -> str:
        """A token in place of one that WeChat refused: another process's newer one if there is
        one, else a fresh one. The same again when a forced refresh is not allowed yet."""
        return await self._usable(bad) or await self._refresh(bad)

    async def _usable(self, bad: str | None) -> str | None:
        held = await self._store.get(self._name)
        if held is None or held[0] == bad or held[1] - self._clock() < EARLY_SECONDS:
            return None
        return held[0]

    async def _refresh(self, bad: str | None) -> str:
        async with self._store.lock(self._name, LOCK_SECONDS):
            # Whoever held the lock before us may have refreshed it.
            usable = await self._usable(bad)
            if usable is not None:
                return usable
            token, seconds = await self._fetch(False)
            if token == bad and await self._may_force():
                token, seconds = await self._fetch(True)
            await self._store.put(self._name, token, self._clock() + seconds)
            return token

    async def _may_force(self) -> bool:
        mark = f"{self._name}/forced"
        if await self._store.get(mark) is not None:
            return False
        # Marked before the call: an attempt that fails counts at WeChat too.
        await self._store.put(mark, "1", self._clock() + FORCED_APART_SECONDS)
        return True
