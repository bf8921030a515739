"""Calls to the outside, with time-outs, that say whether a request was sent before it failed.

What was never sent may be sent again without fear; what was sent and not answered may have been
done. Addresses carry tokens and secrets, so they are in no log line and no error text.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.httputil import HTTPInputError
from tornado.iostream import UnsatisfiableReadError

CONNECT_SECONDS = 2.0
REQUEST_SECONDS = 5.0
MAX_CLIENTS = 64
MAX_BODY = 12 * 1024 * 1024


# What a fetch raises when there is no whole answer; a status of 400 and more is an answer.
_BROKEN = (HTTPClientError, OSError, HTTPInputError, UnsatisfiableReadError)


class NotSent(Exception):
    """The request never left: no connection, or no free place in the queue in time."""


class Unanswered(Exception):
    """The request left and no whole answer came back."""


class AnswerTooLarge(Exception):
    """The answer's body is larger than the caller's limit."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, read whole."""

    status: int
    content_type: str
    body: bytes

    def json_object(self) -> dict[str, Any] | None:
        """The body as a JSON object; None when it is anything else."""
        try:
            value = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None
        return value if isinstance(value, dict) else None


class HttpClient:
    """A pool of outward connections; made on first use, on the loop that uses it."""

    def __init__(
        self,
        connect_seconds: float = CONNECT_SECONDS,
        request_seconds: float = REQUEST_SECONDS,
        max_clients: int = MAX_CLIENTS,
    ) -> None:
        self._connect_seconds = connect_seconds
        self._request_seconds = request_seconds
        self._max_clients = max_clients
        self._client: AsyncHTTPClient | None = None

    async def post(self, url: str, body: bytes, content_type: str) -> Answer:
        """Send a body; any HTTP status is an answer. Raises NotSent, Unanswered."""
        sent = False

        def produce(write: Callable[[bytes], Any]) -> "asyncio.Future[None]":
            # Tornado asks for the body once the connection stands: from here on the other side
            # may have acted, whatever we hear of it.
            nonlocal sent
            sent = True
            writing: asyncio.Future[None] = write(body)
            return writing

        request = HTTPRequest(
            url,
            method="POST",
            headers={"Content-Type": content_type, "Content-Length": str(len(body))},
            body_producer=produce,
            connect_timeout=self._connect_seconds,
            request_timeout=self._request_seconds,
            follow_redirects=False,
            decompress_response=False,
        )
        try:
            response = await self._fetch(request)
        except _BROKEN as error:
            reason = type(error).__name__
            raise (Unanswered(reason) if sent else NotSent(reason)) from None
        return _answer(response, response.body)

    async def get(self, url: str, limit: int = 1024 * 1024) -> Answer:
        """Fetch an address. Raises AnswerTooLarge beyond ``limit`` bytes, Unanswered."""
        pieces: list[bytes] = []
        size = 0
        too_large: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def take(piece: bytes) -> None:
            nonlocal size
            size += len(piece)
            if size <= limit:
                pieces.append(piece)
            elif not too_large.done():
                pieces.clear()
                too_large.set_result(None)

        def look(line: str) -> None:
            name, _, value = line.partition(":")
            announced = name.lower() == "content-length" and value.strip().isdigit()
            if announced and int(value) > limit and not too_large.done():
                too_large.set_result(None)

        request = HTTPRequest(
            url,
            connect_timeout=self._connect_seconds,
            request_timeout=self._request_seconds,
            follow_redirects=False,
            decompress_response=False,
            header_callback=look,
            streaming_callback=take,
        )
        fetching = asyncio.ensure_future(self._fetch(request))
        try:
            either: list[asyncio.Future[Any]] = [fetching, too_large]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if too_large.done():
                raise AnswerTooLarge(limit)
            response = await fetching
        except _BROKEN as error:
            raise Unanswered(type(error).__name__) from None
        finally:
            fetching.cancel()
            too_large.cancel()
        return _answer(response, b"".join(pieces))

    async def _fetch(self, request: HTTPRequest) -> HTTPResponse:
        if self._client is None:
            # The largest answer is bounded for every call, for a counterpart may be anything.
            self._client = AsyncHTTPClient(
                force_instance=True, max_clients=self._max_clients, max_body_size=MAX_BODY
            )
        return await self._client.fetch(request, raise_error=False)

    def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None


def _answer(response: HTTPResponse, body: bytes) -> Answer:
    return Answer(response.code, response.headers.get("Content-Type", ""), body)
