"""Pages of the desk that take a picture: streamed into an encrypted spool, never kept whole.

The body is a stream, so the fields of the form are known only at its end; the XSRF token is one of
them and is checked before anything is done.
"""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import ClassVar

from tornado.http1connection import HTTP1Connection
from tornado.ioloop import IOLoop
from tornado.web import stream_request_body

from casework.photos import Spool
from handlers.desk.base import DeskHandler
from handlers.multipart import FormWithFile
from rules.refusals import Refusal

_LIMIT = 10 * 1024 * 1024 + 64 * 1024
"""Bytes of a whole request: the largest file and the form around it."""
_SWALLOWED = 32 * 1024 * 1024
"""Bytes read and thrown away so that a refusal arrives; beyond it the connection is closed."""
_SECONDS = 90
_TOKEN_BYTES = 256


@stream_request_body
class DeskUpload(DeskHandler):
    """A page whose form has one picture, in the field ``picture``.

    A subclass answers ``received`` and names its other fields in ``texts``.
    """

    texts: ClassVar[Mapping[str, int]] = {}
    """The other fields, with the bytes each may have."""
    refused: Refusal | None = None
    _had_session = False
    _spool: Spool
    _form: FormWithFile

    def initialize(self) -> None:
        """Nothing is held yet."""
        self._held = AsyncExitStack()
        self._turn = asyncio.Lock()

    def check_xsrf_cookie(self) -> None:
        """Put off to the end of the body, where the token is known."""

    async def prepare(self) -> None:
        """Know the officer and open the spool before the first byte is read."""
        length = self.request.headers.get("Content-Length", "0")
        size = int(length) if length.isdigit() else 0
        if size > _SWALLOWED:
            raise Refusal("photo-too-large")
        connection = self.request.connection
        if isinstance(connection, HTTP1Connection):
            connection.set_max_body_size(_SWALLOWED)
            connection.set_body_timeout(_SECONDS)
        try:
            await super().prepare()
            if self.request.method != "POST":
                return
            if size > _LIMIT:
                raise Refusal("photo-too-large")
            fields = {"_xsrf": _TOKEN_BYTES, "cause": 64, **self.texts}
            self._form = FormWithFile(self.request.headers, fields, "picture")
            self._spool = await self._held.enter_async_context(self.ctx.lab.spool())
        except Refusal as refusal:
            if self.request.method != "POST":
                raise
            self.refused = refusal

    def _lead_to_login(self, had_session: bool) -> None:
        # Not before the body was read: a browser cut off while sending shows a broken network.
        self._had_session = had_session
        raise Refusal("not-logged-in")

    async def data_received(self, chunk: bytes) -> None:
        """Encrypt the pieces of the file as they come."""
        async with self._turn:
            if self.refused is not None or not hasattr(self, "_form"):
                return
            try:
                for piece in self._form.feed(chunk):
                    await self._spool.write(piece)
            except Refusal as refusal:
                self.refused = refusal

    async def post(self, *path: str) -> None:
        """Check the form, then hand the picture on."""
        async with self._turn, self._held:
            if self._officer is None:
                super()._lead_to_login(self._had_session)
                return
            if not hasattr(self, "_form"):
                raise self.refused or Refusal("bad-request")
            fields = self._form.texts()
            self.request.body_arguments.update(fields)
            self.request.arguments.update(fields)
            super().check_xsrf_cookie()
            if self.refused is None and not self._form.chosen:
                self.refused = Refusal("picture-missing")
            if self.refused is None and not self._form.whole:
                self.refused = Refusal("photo-truncated")
            await self.received(*path, spool=self._spool, refused=self.refused)

    async def received(self, *path: str, spool: Spool, refused: Refusal | None) -> None:
        """Answer: ``spool`` holds the picture, ``refused`` says what was found wrong with it."""
        raise NotImplementedError

    def on_finish(self) -> None:
        """Whatever happened, nothing stays spooled."""
        IOLoop.current().spawn_callback(self._let_go)

    def on_connection_close(self) -> None:
        """The connection was cut: nothing of the upload stays."""
        super().on_connection_close()
        IOLoop.current().spawn_callback(self._let_go)

    async def _let_go(self) -> None:
        async with self._turn:
            self.refused = self.refused or Refusal("photo-truncated")
            await self._held.aclose()
