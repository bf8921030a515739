"""Forms with files, read as they come: fields are kept, a file is handed on chunk by chunk.

The fields stand before the files, as browsers send them, so that officer, XSRF token and cause are
known before the first byte of a file is taken. A refusal found while the body still comes is kept
and answered at its end: whoever closes a connection with unread data makes the browser show a
broken network instead of the reason.
"""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import ClassVar

from streaming_form_data import ParseFailedException, StreamingFormDataParser
from streaming_form_data.targets import BaseTarget
from tornado.http1connection import HTTP1Connection
from tornado.ioloop import IOLoop
from tornado.web import HTTPError, stream_request_body

from handlers.desk.base import DeskHandler
from rules.refusals import Refusal

_FIELD_BYTES = 4096
_MEGABYTE = 1024 * 1024
_FORM_BYTES = 256 * 1024
_SWALLOWED = 32
"""Megabytes read and thrown away so that a refusal arrives; beyond it the connection is closed."""


class _Part(BaseTarget):
    """One part of the form; what comes of it goes into the list all parts share."""

    def __init__(self, name: str, came: list[tuple[str, bytes]]) -> None:
        super().__init__()
        self._name, self._came = name, came

    def on_data_received(self, chunk: bytes) -> None:
        self._came.append((self._name, chunk))


class Form:
    """The parts of a multipart body in the order they come. Others than those named are dropped."""

    def __init__(self, headers: Mapping[str, str], names: tuple[str, ...]) -> None:
        """Raises bad-request when the body is no multipart form."""
        try:
            self._parser = StreamingFormDataParser(headers)
        except ParseFailedException as error:
            raise Refusal("bad-request") from error
        self._came: list[tuple[str, bytes]] = []
        for name in names:
            self._parser.register(name, _Part(name, self._came))

    def feed(self, chunk: bytes) -> list[tuple[str, bytes]]:
        """(part, piece) of what this chunk holds. Raises bad-request for a broken body."""
        try:
            self._parser.data_received(chunk)
        except ParseFailedException as error:
            raise Refusal("bad-request") from error
        came, self._came[:] = list(self._came), []
        return came


@stream_request_body
class FileFormHandler(DeskHandler):
    """A page whose form carries files. A subclass takes pieces in ``take_file`` and acts in
    ``send``; ``held`` closes whatever it opened for them, however the request ends."""

    fields: ClassVar[tuple[str, ...]] = ()
    files: ClassVar[tuple[str, ...]] = ()
    seconds: ClassVar[float] = 120
    """For the body to arrive."""
    _form: Form
    _refused: Refusal | HTTPError | None = None
    _login_ended: bool | None = None
    _checked = False

    def initialize(self) -> None:
        """Nothing is held yet."""
        self.held = AsyncExitStack()
        self.typed: dict[str, bytes] = {}
        # One at a time: taking a piece, acting, or letting go when the connection is cut.
        self._turn = asyncio.Lock()

    def most_megabytes(self) -> int:
        """What a body may have; beyond it the connection is closed."""
        return 11

    async def take_file(self, name: str, chunk: bytes) -> None:
        """A piece of a file."""
        raise NotImplementedError

    async def send(self) -> None:
        """The form is whole: act on it and answer."""
        raise NotImplementedError

    async def show_refused(self, refusal: Refusal) -> None:
        """The form again, with what is wrong; by default the error page."""
        raise refusal

    def check_xsrf_cookie(self) -> None:
        """The token is in the body, which has not come yet: ``_check_form`` compares it."""

    async def prepare(self) -> None:
        """Know the officer before the first byte of a file is taken."""
        if self.request.method != "POST":
            await super().prepare()
            return
        try:
            await super().prepare()
            self._form = Form(self.request.headers, ("_xsrf", *self.fields, *self.files))
        except Refusal as refusal:
            self._refused = refusal
        connection = self.request.connection
        if isinstance(connection, HTTP1Connection):
            # From who may not send it, only as much is read as lets the reason arrive.
            taken = self.most_megabytes() if self._refused is None else _SWALLOWED
            connection.set_max_body_size(taken * _MEGABYTE + _FORM_BYTES)
            connection.set_body_timeout(self.seconds)

    def _lead_to_login(self, had_session: bool) -> None:
        if self.request.method == "POST":
            self._login_ended = had_session
            self._refused = Refusal("not-logged-in")
        else:
            super()._lead_to_login(had_session)

    async def data_received(self, chunk: bytes) -> None:
        """Keep fields, hand on files."""
        async with self._turn:
            if self._refused is not None:
                return
            try:
                for name, piece in self._form.feed(chunk):
                    if name in self.files:
                        self._check_form()
                        await self.take_file(name, piece)
                    else:
                        self._keep(name, piece)
            except (Refusal, HTTPError) as error:
                self._refused = error
                await self.held.aclose()

    def _keep(self, name: str, piece: bytes) -> None:
        self.typed[name] = self.typed.get(name, b"") + piece
        if len(self.typed[name]) > _FIELD_BYTES or self._checked:
            raise Refusal("bad-request")
        self.request.body_arguments[name] = self.request.arguments[name] = [self.typed[name]]

    def _check_form(self) -> None:
        """This browser's own form: its XSRF token fits. Raises Tornado's 403."""
        if not self._checked:
            self._checked = True
            super().check_xsrf_cookie()

    async def post(self, **_: str) -> None:
        """Answer, now that the body is whole."""
        async with self._turn, self.held:
            if self._login_ended is not None:
                super()._lead_to_login(self._login_ended)
                return
            try:
                if self._refused is not None:
                    raise self._refused
                self._check_form()
                await self.send()
            except Refusal as refusal:
                officer = self._officer
                if officer is None or officer.must_change or not officer.may(self.needs):
                    raise
                await self.show_refused(refusal)

    def on_finish(self) -> None:
        """Whatever happened, nothing stays spooled."""
        IOLoop.current().spawn_callback(self._let_go)

    def on_connection_close(self) -> None:
        """The connection was cut: nothing of the upload stays."""
        super().on_connection_close()
        IOLoop.current().spawn_callback(self._let_go)

    async def _let_go(self) -> None:
        async with self._turn:
            self._refused = self._refused or Refusal("bad-request")
            await self.held.aclose()
