"""The people of the story: a citizen with phone and WeChat, and officers at a browser's other end.

They reach the service the way real ones do: pushes from WeChat, JSON from the mini-program, HTML
forms of the desk. Nothing here knows the inside of the house.
"""

import asyncio
import html
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import orjson
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPResponse
from tornado.httputil import HTTPHeaders


@dataclass(frozen=True)
class Answer:
    """An HTTP answer with its JSON body, if it is one."""

    status: int
    body: Any
    raw: bytes
    headers: HTTPHeaders


class Wire:
    """A plain HTTP client with time-outs that hands every status back."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._client = AsyncHTTPClient(force_instance=True, max_clients=50)

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = 40,
    ) -> Answer:
        """One request. Raises OSError when nobody answers."""
        try:
            response: HTTPResponse = await self._client.fetch(
                self.base + path,
                method=method,
                body=body if body is not None else (b"" if method in ("POST", "PATCH") else None),
                headers=dict(headers or {}),
                request_timeout=seconds,
                follow_redirects=False,
                raise_error=False,
            )
        except HTTPClientError as error:
            raise OSError(str(error)) from error
        kind = response.headers.get("Content-Type", "")
        parsed = orjson.loads(response.body) if "json" in kind and response.body else None
        return Answer(response.code, parsed, response.body or b"", response.headers)

    async def json(self, method: str, path: str, value: Any = None, **headers: str) -> Answer:
        """A request with a JSON body."""
        body = None if value is None else orjson.dumps(value)
        names = {k.replace("_", "-"): v for k, v in headers.items()}
        if body is not None:
            names["Content-Type"] = "application/json"
        return await self.ask(method, path, body, names)


@dataclass(frozen=True)
class Upload:
    """A file put into a form: its name, its content, what it says it is."""

    name: str
    content: bytes
    kind: str = "application/octet-stream"


def multipart(fields: Mapping[str, str], files: Mapping[str, Upload]) -> tuple[bytes, str]:
    """A multipart body, as ``wx.uploadFile`` and browsers send it: (body, content type)."""
    boundary = secrets.token_hex(12)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode()
        for k, v in fields.items()
    ]
    for field_name, file in files.items():
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{field_name}"; '
            f'filename="{file.name}"\r\nContent-Type: {file.kind}\r\n\r\n'
        )
        parts += [head.encode(), file.content, b"\r\n"]
    body = b"".join(parts) + f"--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"


@dataclass
class Person:
    """A citizen: his WeChat at the sandbox, his phone, his mini-program."""

    sandbox: Wire
    service: Wire
    id: str
    phone: str
    token: str = ""
    keys: int = field(default=0)
    codes_read: dict[str, int] = field(default_factory=dict)

    async def say(self, text: str) -> str:
        """Write to the official account; the passive reply, if one came."""
        return _said(
            await self.sandbox.json("POST", f"/sandbox/people/{self.id}/say", {"text": text})
        )

    async def event(self, name: str, key: str = "") -> str:
        """Follow, unfollow, tap a menu."""
        path = f"/sandbox/people/{self.id}/event"
        return _said(await self.sandbox.json("POST", path, {"event": name, "key": key}))

    async def show(self, picture: bytes, kind: str = "image/jpeg") -> str:
        """Send a photo in the chat."""
        path = f"/sandbox/people/{self.id}/image"
        return _said(await self.sandbox.ask("POST", path, picture, {"Content-Type": kind}))

    async def chat(self) -> list[dict[str, Any]]:
        """Everything in the chat so far."""
        found = (await self.sandbox.json("GET", f"/sandbox/people/{self.id}/chat")).body
        return list(found)

    async def sms(self) -> list[dict[str, Any]]:
        """The SMS inbox."""
        return list((await self.sandbox.json("GET", f"/sandbox/phones/{self.phone}/sms")).body)

    async def code(self) -> str:
        """The next verification code on the phone: the newest, once there is one not yet read.

        Raises RuntimeError when none comes within ten seconds.
        """
        read = self.codes_read.get(self.phone, 0)
        for _ in range(100):
            found = [s for s in await self.sms() if s["template"] == "SMS_LOGIN_CODE"]
            if len(found) > read:
                self.codes_read[self.phone] = len(found)
                return str(found[-1]["params"]["code"])
            await asyncio.sleep(0.1)
        raise RuntimeError("no verification code came")

    async def wx_login(self) -> str:
        """The one-time code of ``wx.login``."""
        path = f"/sandbox/people/{self.id}/login-code"
        return str((await self.sandbox.json("POST", path, {})).body["code"])

    async def consent(self, template: str) -> None:
        """Tap "allow" for one message, and let the mini-program report it."""
        path = f"/sandbox/people/{self.id}/consent"
        await self.sandbox.json("POST", path, {"template_id": template, "accept": True})
        await self.call("POST", "/consents", {"template_id": template, "result": "accept"})

    async def call(
        self, method: str, path: str, value: Any = None, key: str | None = None
    ) -> Answer:
        """A request of the mini-program; a write gets an Idempotency-Key of its own."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if method != "GET":
            headers["Idempotency-Key"] = key or secrets.token_urlsafe(12)
        if value is None and method == "POST":
            value = {}
        return await self.service.json(method, f"/api/v1{path}", value, **headers)

    async def upload(self, number: str, material: str, picture: bytes, kind: str) -> Answer:
        """A photo through the mini-program."""
        photo = Upload("photo", picture, kind)
        body, content_type = multipart({"material": material}, {"file": photo})
        headers = {
            "Content-Type": content_type,
            "Authorization": f"Bearer {self.token}",
            "Idempotency-Key": secrets.token_urlsafe(12),
        }
        return await self.service.ask("POST", f"/api/v1/matters/{number}/photos", body, headers)


def _said(answer: Answer) -> str:
    if answer.status != 200:
        raise RuntimeError(f"the sandbox answered {answer.status}: {answer.body}")
    return "\n".join(str(r.get("text", "")) for r in answer.body["replies"])


async def new_person(sandbox: Wire, service: Wire, name: str, phone: str) -> Person:
    """A new WeChat user with that phone, following nothing yet."""
    wish = {"name": name, "phone": phone, "follow": False}
    found = await sandbox.json("POST", "/sandbox/people", wish)
    return Person(sandbox, service, str(found.body.get("person") or found.body["id"]), phone)


@dataclass
class OfficerAtDesk:
    """An officer at the desk: a browser's cookies and the forms he fills in."""

    service: Wire
    cookies: dict[str, str] = field(default_factory=dict)
    address: str = ""
    """Where the browser is."""

    async def page(self, path: str) -> Answer:
        """Open a page, or the one it leads to."""
        self.address = path
        return await self._led(
            self._keep(await self.service.ask("GET", path, None, self._cookie()))
        )

    async def form(self, path: str, fields: Mapping[str, str | list[str]]) -> Answer:
        """Send a form with the page's CSRF token; gives the page it leads to."""
        body = urlencode({**fields, "_xsrf": self.cookies.get("_xsrf", "")}, doseq=True).encode()
        return await self._send(path, body, "application/x-www-form-urlencoded")

    async def upload(
        self, path: str, fields: Mapping[str, str], files: Mapping[str, Upload]
    ) -> Answer:
        """Send a form with files; gives the page it leads to."""
        body, kind = multipart({"_xsrf": self.cookies.get("_xsrf", ""), **fields}, files)
        return await self._send(path, body, kind)

    async def _send(self, path: str, body: bytes, kind: str) -> Answer:
        headers = {**self._cookie(), "Content-Type": kind}
        return await self._led(self._keep(await self.service.ask("POST", path, body, headers)))

    async def _led(self, answer: Answer) -> Answer:
        leads = answer.status in (302, 303)
        return await self.page(answer.headers["Location"]) if leads else answer

    def _cookie(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}

    def _keep(self, answer: Answer) -> Answer:
        for line in answer.headers.get_list("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer


def hidden(page: Answer, name: str) -> str:
    """The value of a hidden field of a page."""
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page.raw.decode())
    if found is None:
        raise RuntimeError(f"the page has no field {name}")
    return html.unescape(found[1])
