"""A crowd at its phones: every wish is sent to some service process, and again with the same key
until it has a definite answer, however often connections break or a house fails."""

import asyncio
import random
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import orjson

_LENGTH = re.compile(rb"\r\n[Cc]ontent-[Ll]ength: (\d+)")
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")
_PAUSE = 0.2
_PATIENCE = 180.0
_LATE = 20.0
"""Seconds after which a process that says nothing is taken for dead."""


@dataclass(frozen=True)
class Wish:
    """A student's request for a place in a plan; ``key`` is its Idempotency-Key."""

    token: str
    plan: str
    key: str
    path: str = "/api/v1/bookings"

    def request(self) -> bytes:
        """What goes over the wire."""
        body = orjson.dumps({"plan": self.plan})
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: crowd\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {self.token}\r\nIdempotency-Key: {self.key}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


@dataclass(frozen=True)
class Answer:
    """The definite answer to a wish: ``code`` of a refusal or ``number`` of a booking; seconds
    from its first sending, and how often it was sent."""

    status: int
    code: str
    number: str
    seconds: float
    tries: int


@dataclass
class Crowd:
    """Sends wishes over so many kept-alive connections, spread over the processes at ``ports``."""

    ports: Sequence[int]
    connections: int
    answers: dict[Wish, Answer] = field(default_factory=dict)
    broken: int = 0
    """How often a connection broke or a house failed before an answer."""

    async def ask(self, wishes: Sequence[Wish]) -> None:
        """Have every wish answered. Raises TimeoutError when one is not, however often sent."""
        queue = iter(wishes)
        await asyncio.gather(*(self._phone(n, queue) for n in range(self.connections)))

    async def _phone(self, number: int, queue: Iterator[Wish]) -> None:
        line = _Line(self.ports, number)
        for wish in queue:
            self.answers[wish] = await self._answered(line, wish)
        line.hang_up()

    async def _answered(self, line: "_Line", wish: Wish) -> Answer:
        start, tries, request = time.monotonic(), 0, wish.request()
        while time.monotonic() - start < _PATIENCE:
            tries += 1
            try:
                status, body = await asyncio.wait_for(line.send(request), _LATE)
            except (OSError, asyncio.IncompleteReadError, TimeoutError):
                status, body = 0, b""
            if 0 < status < 500:
                told = orjson.loads(body)
                took = time.monotonic() - start
                return Answer(status, told.get("code", ""), told.get("number", ""), took, tries)
            self.broken += 1
            line.hang_up()
            await asyncio.sleep(_PAUSE * min(tries, 5) * random.uniform(0.5, 1.5))
        raise TimeoutError(f"no definite answer after {tries} tries, the last one {status}")


class _Line:
    """One connection, to another process whenever it was hung up."""

    def __init__(self, ports: Sequence[int], number: int) -> None:
        self._ports, self._next = ports, number
        self._open: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        if self._open is None:
            port = self._ports[self._next % len(self._ports)]
            self._next += 1
            self._open = await asyncio.open_connection("127.0.0.1", port)
        reader, writer = self._open
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        status, length = _STATUS.match(head), _LENGTH.search(head)
        assert status is not None
        body = await reader.readexactly(int(length[1])) if length else b""
        return int(status[1]), body

    def hang_up(self) -> None:
        """Close it; the next request opens another."""
        if self._open is not None:
            self._open[1].close()
        self._open = None
