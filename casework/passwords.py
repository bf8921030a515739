"""Checking officers' passwords without letting a flood of them take the machine.

An argon2id check takes tens of milliseconds of a core and 64 MB. So few run at once in a process,
a bounded number waits, and whoever comes on top of that is asked to come again.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from rules.refusals import Refusal

_TOGETHER, _WAITING = 2, 20
# Verified when there is no such officer, so that both take the same time.
_NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$JvNTPwrVxSEG05hWebl"
    "XcQ$H56R8e8T76CLny7cW6sBHA/3/dA7wrtSwnTfDuulBYs"
)

Result = TypeVar("Result")


class Passwords:
    """One for each process, built in bianmin/app.py. ``busiest``: the most checks that ever ran at
    once."""

    def __init__(self, together: int = _TOGETHER, waiting: int = _WAITING) -> None:
        self._hasher = PasswordHasher()
        self._places = asyncio.Semaphore(together)
        self._most = together + waiting
        self._here = 0
        self._running = 0
        self.busiest = 0

    async def matches(self, known: str | None, password: str) -> bool:
        """Whether a password is the one of a hash; None takes as long and never does. Raises
        busy-try-again."""
        return await self._in_turn(lambda: self._verified(known or _NOBODY, password))

    async def hashed(self, password: str) -> str:
        """An argon2id hash. Raises busy-try-again."""
        return await self._in_turn(lambda: self._hasher.hash(password))

    def _verified(self, known: str, password: str) -> bool:
        try:
            return self._hasher.verify(known, password)
        except (VerifyMismatchError, InvalidHashError):
            return False

    async def _in_turn(self, work: Callable[[], Result]) -> Result:
        if self._here >= self._most:
            raise Refusal("busy-try-again")
        self._here += 1
        try:
            async with self._places:
                self._running += 1
                self.busiest = max(self.busiest, self._running)
                try:
                    return await asyncio.to_thread(work)
                finally:
                    self._running -= 1
        finally:
            self._here -= 1
