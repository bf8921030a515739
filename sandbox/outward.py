"""Calls to the service that may go unanswered."""

from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPResponse
from tornado.iostream import StreamClosedError


async def answer_of(client: AsyncHTTPClient, address: str, **how: Any) -> HTTPResponse | None:
    """The answer, whatever its status; None when the service is away, too slow or hung up."""
    try:
        return await client.fetch(address, raise_error=False, **how)
    except (HTTPClientError, StreamClosedError, OSError):
        return None
