"""A plain, blocking HTTP client for tests that talk to processes of their own."""

import http.client
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

SECONDS = 60.0


@dataclass(frozen=True)
class Reply:
    """An answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of a problem."""
        return str(self.json()["code"])


def fetch(
    base: str,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    source: str = "",
) -> Reply:
    """One request on a connection of its own; ``source``: the address it comes from."""
    connection = http.client.HTTPConnection(
        urlsplit(base).netloc, timeout=SECONDS, source_address=(source, 0) if source else None
    )
    try:
        connection.request(method, path, body, dict(headers or {}))
        response = connection.getresponse()
        found = http.client.HTTPMessage()
        for name, value in response.getheaders():
            found[name] = value
        return Reply(response.status, found, response.read())  # type: ignore[arg-type]  # maps
    finally:
        connection.close()


def fetch_json(base: str, method: str, path: str, value: Any = None) -> Reply:
    """One request with a JSON body."""
    body = None if value is None else json.dumps(value).encode()
    return fetch(base, method, path, body, {"Content-Type": "application/json"})


def multipart(parts: Mapping[str, str | bytes], name: str = "photo.jpg") -> tuple[bytes, str]:
    """A form as ``wx.uploadFile`` sends it, text parts as str and files as bytes, with its type."""
    boundary = secrets.token_hex(12)
    body = b""
    for part, value in parts.items():
        as_file = f'; filename="{name}"' if isinstance(value, bytes) else ""
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{part}"{as_file}\r\n\r\n'
        body += head.encode() + (value if isinstance(value, bytes) else value.encode()) + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


@dataclass
class Browser:
    """Keeps cookies, sends forms with the XSRF token, follows redirects."""

    base: str
    cookies: dict[str, str] = field(default_factory=dict)
    source: str = ""

    def open(self, path: str) -> Reply:
        """A page."""
        return self._kept(fetch(self.base, "GET", path, None, self._headers(), self.source))

    def send(self, path: str, fields: Mapping[str, str | list[str]]) -> Reply:
        """A form; gives the page it leads to."""
        given = {**fields, "_xsrf": self.cookies.get("_xsrf", "")}
        body = urlencode(given, doseq=True).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        headers = {**self._headers(), **kind}
        return self._kept(fetch(self.base, "POST", path, body, headers, self.source))

    def send_file(self, path: str, name: str, content: bytes, **fields: str) -> Reply:
        """A form with a file; gives the page it leads to."""
        given = {"_xsrf": self.cookies.get("_xsrf", ""), **fields, name: content}
        body, kind = multipart(given)
        headers = {**self._headers(), "Content-Type": kind}
        return self._kept(fetch(self.base, "POST", path, body, headers))

    def _headers(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}

    def _kept(self, reply: Reply) -> Reply:
        for line in reply.headers.get_all("Set-Cookie") or []:  # type: ignore[attr-defined]
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        if reply.status in (302, 303):
            return self.open(reply.headers["Location"])
        return reply
