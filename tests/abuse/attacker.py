"""Somebody with many network addresses and no rights: what he asks, and what answers tell him."""

import http.client
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.support.web import SECONDS, Reply

Seen = tuple[int, str]
"""All an answer tells: its status, and its body without what is random in every answer."""


def address(n: int) -> str:
    """One of sixteen million addresses of this very machine, other than its usual one."""
    return f"127.{1 + n // 65_025 % 250}.{n // 255 % 255}.{1 + n % 255 % 254}"


@dataclass
class Attacker:
    """Keeps a connection for each source address; counts what he asked."""

    base: str
    asked: int = 0
    _connections: dict[str, http.client.HTTPConnection] = field(default_factory=dict)

    def ask(
        self,
        method: str,
        path: str,
        value: Any = None,
        *,
        source: str = "127.0.0.1",
        token: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """A request of the mini-program from one of his addresses."""
        given = {"Content-Type": "application/json", **(headers or {})}
        if token:
            given["Authorization"] = f"Bearer {token}"
        if method != "GET":
            given["Idempotency-Key"] = secrets.token_urlsafe(12)
        body = None if value is None else json.dumps(value).encode()
        connection = self._from(source)
        connection.request(method, f"/api/v1{path}", body, given)
        response = connection.getresponse()
        self.asked += 1
        return Reply(response.status, dict(response.getheaders()), response.read())

    def close(self) -> None:
        """Hang up everywhere."""
        for connection in self._connections.values():
            connection.close()

    def _from(self, source: str) -> http.client.HTTPConnection:
        if source not in self._connections:
            self._connections[source] = http.client.HTTPConnection(
                urlsplit(self.base).netloc, timeout=SECONDS, source_address=(source, 0)
            )
        return self._connections[source]


def seen(reply: Reply) -> Seen:
    """What an answer tells. Random members count by their length."""
    if not reply.body:
        return reply.status, ""
    value = json.loads(reply.body)
    for name in ("request_id", "challenge"):
        if name in value:
            value[name] = len(value[name])
    return reply.status, json.dumps(value, ensure_ascii=False)
