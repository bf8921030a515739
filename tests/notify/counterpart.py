"""A counterpart on a real socket that answers as it is told, and a store of tokens in memory."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerRequest
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

Reply = tuple[int, str, bytes]
Script = Callable[[HTTPServerRequest], Awaitable[Reply | None]]


class _Handler(RequestHandler):
    def initialize(self, counterpart: "Counterpart") -> None:
        self.counterpart = counterpart

    async def prepare(self) -> None:
        self.counterpart.requests.append(self.request)
        reply = await self.counterpart.script(self.request)
        if reply is None:
            self.detach().close()
            return
        status, content_type, body = reply
        self.set_status(status)
        self.set_header("Content-Type", content_type)
        self.finish(body)


@dataclass
class Counterpart:
    """Keeps what it was asked; ``script`` gives the reply, or None to hang up without one."""

    script: Script
    requests: list[HTTPServerRequest] = field(default_factory=list)
    address: str = ""

    def paths(self) -> list[str]:
        """The paths asked for, in order."""
        return [request.path for request in self.requests]


@asynccontextmanager
async def counterpart(script: Script) -> AsyncIterator[Counterpart]:
    """A counterpart listening on a free port."""
    made = Counterpart(script)
    sockets = bind_sockets(0, "127.0.0.1")
    made.address = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    server = HTTPServer(Application([(r"/.*", _Handler, {"counterpart": made})]))
    server.add_sockets(sockets)
    try:
        yield made
    finally:
        server.stop()
        await server.close_all_connections()


class LocalTokens:
    """A TokenStore for one process; several clients may share it, as processes share Redis."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[str, float]] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def get(self, name: str) -> tuple[str, float] | None:
        await asyncio.sleep(0)
        return self.kept.get(name)

    async def put(self, name: str, token: str, expires_at: float) -> None:
        await asyncio.sleep(0)
        self.kept[name] = (token, expires_at)

    def lock(self, name: str, seconds: float) -> asyncio.Lock:
        return self._locks.setdefault(name, asyncio.Lock())
