"""The phone page and the way from its mini-program to the service: a streaming proxy, so the
browser stays on one origin.
"""

import asyncio
import csv
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import orjson
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httputil import HTTPHeaders, parse_response_start_line
from tornado.web import RequestHandler, StaticFileHandler, stream_request_body

from sandbox.outward import answer_of
from sandbox.templates import Templates

STATIC = Path(__file__).with_name("static")
REGISTRY = Path(__file__).with_name("registry")
FORWARDED = ("Authorization", "Idempotency-Key", "Content-Type", "Content-Length", "Accept")
RETURNED = ("Content-Type", "Cache-Control", "Retry-After", "X-Request-Id", "Location")
# The platform ends a mini-program's request after a minute.
REQUEST_SECONDS = 60.0


class PhoneHandler(RequestHandler):
    """The page itself."""

    def get(self) -> None:
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-cache")
        self.finish((STATIC / "phone.html").read_bytes())


def demo_people(folder: Path = REGISTRY) -> list[dict[str, Any]]:
    """The demo registry's people as the page offers them: id_number, name, phone (empty when none
    is on file), about, and which one to begin with. Reads the files the service imports.
    """

    def rows(name: str) -> list[dict[str, str]]:
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as source:
            return list(csv.DictReader(source))

    cities = {
        row["code"]: row["name"].removesuffix("市公安局车辆管理所") for row in rows("offices")
    }
    learners = {row["id_number"]: row for row in rows("learners")}
    licences = {row["id_number"]: row for row in rows("licences")}
    vehicles = {row["owner_id_number"]: row for row in rows("vehicles")}
    people: list[dict[str, Any]] = []
    for row in rows("population"):
        key = row["id_number"]
        about, phone = [], ""
        if licence := licences.get(key):
            phone = licence["phone"]
            end = "注销" if licence["status"] == "注销" else f"至{licence['valid_until']}"
            city = cities[licence["issuing_office"]]
            about.append(f"{city}{licence['vehicle_class']}驾驶证，{end}")
        if learner := learners.get(key):
            phone = learner["phone"]
            about.append(learner["about"])
        if vehicle := vehicles.get(key):
            phone = phone or vehicle["owner_phone"]
            about.append(f"机动车{vehicle['plate']}")
        people.append(
            {
                "id_number": key,
                "name": row["name"],
                "phone": phone,
                "about": "；".join(about) or "没有驾驶证和机动车",
                "first": not people,
            }
        )
    return people


class DemoHandler(RequestHandler):
    """What the page shows somebody who comes with empty hands: people to be, where the service is,
    what the subscribe messages are called.
    """

    def initialize(self, service: str, templates: Templates) -> None:
        self.service = service
        self.templates = templates

    def get(self) -> None:
        self.set_header("Content-Type", "application/json; charset=utf-8")
        titles = {one.id: one.title for one in self.templates.subscribe.values()}
        self.finish(
            orjson.dumps({"people": demo_people(), "service": self.service, "templates": titles})
        )


class PageFileHandler(StaticFileHandler):
    """The page's files. Browsers ask each time, so a page is never half old and half new."""

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", "no-cache")


@stream_request_body
class MiniProxyHandler(RequestHandler):
    """/mini/* goes to the service's /api/v1/*; bodies are passed on as they come."""

    def initialize(self, service: str, client: AsyncHTTPClient) -> None:
        self.service = service
        self.client = client
        self.chunks: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=4)
        self.call: asyncio.Future[HTTPResponse | None] | None = None

    def prepare(self) -> None:
        address = f"{self.service}/api/v1/{self.path_args[0]}"
        if self.request.query:
            address += f"?{self.request.query}"
        headers = HTTPHeaders()
        for name in FORWARDED:
            if name in self.request.headers:
                headers[name] = self.request.headers[name]
        has_body = "Content-Length" in headers or "Transfer-Encoding" in self.request.headers
        self.call = asyncio.ensure_future(
            answer_of(
                self.client,
                address,
                method=self.request.method or "GET",
                headers=headers,
                body_producer=self._produce if has_body else None,
                allow_nonstandard_methods=True,
                header_callback=self._head,
                streaming_callback=self._body,
                follow_redirects=False,
                request_timeout=REQUEST_SECONDS,
            )
        )

    async def _produce(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        while (chunk := await self.chunks.get()) is not None:
            await write(chunk)

    def _head(self, line: str) -> None:
        text = line.strip()
        if text.startswith("HTTP/"):
            self.set_status(parse_response_start_line(text).code)
        elif ":" in text:
            name, value = text.split(":", 1)
            if name.title() in RETURNED:
                self.set_header(name.title(), value.strip())

    def _body(self, chunk: bytes) -> None:
        self.write(chunk)
        self.flush()

    async def data_received(self, chunk: bytes) -> None:
        # When the service answered before the body was read, nobody takes chunks any more.
        if self.call is not None and not self.call.done():
            await self._before_answer(self.chunks.put(chunk))

    async def _before_answer(self, put: Coroutine[Any, Any, None]) -> None:
        """Wait until the chunk is taken, or the answer is there and none will be."""
        waiting = asyncio.ensure_future(put)
        ends: set[asyncio.Future[Any]] = {waiting}
        if self.call is not None:
            ends.add(self.call)
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            waiting.cancel()

    def on_connection_close(self) -> None:
        if self.call is not None:
            self.call.cancel()

    async def _serve(self, path: str) -> None:
        if self.call is None:
            raise RuntimeError("prepare starts the call")
        if not self.call.done():
            await self._before_answer(self.chunks.put(None))
            await asyncio.wait({self.call})
        if self.call.result() is None and not self._headers_written:
            self.set_status(502)
            self.set_header("Content-Type", "application/problem+json")
            self.write(
                orjson.dumps(
                    {
                        "status": 502,
                        "code": "no-answer",
                        "detail": "网络连接失败",
                        "next": "请稍后重试",
                    }
                )
            )
        self.finish()

    get = post = patch = put = delete = _serve
