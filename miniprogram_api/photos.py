"""Photos of a matter: uploaded as a stream into an encrypted spool, given back decrypted.

A refusal found while the body still comes is kept and answered at its end: whoever closes a
connection with unread data makes the client see a broken network instead of the reason.
"""

import asyncio
from contextlib import AsyncExitStack

from pydantic import Field
from tornado.http1connection import HTTP1Connection
from tornado.ioloop import IOLoop
from tornado.web import stream_request_body

from casework import matters, thumbnails
from casework.photos import Spool
from casework.views import MatterView, PhotoFile
from handlers.base import Access
from miniprogram_api.operations import ApiHandler, FileForm, Query, operation
from miniprogram_api.upload import UploadForm
from rules.refusals import Refusal

_LIMIT = 10 * 1024 * 1024 + 64 * 1024
"""Bytes of a whole request: the largest file and the form around it."""
_SWALLOWED = 32 * 1024 * 1024
"""Bytes read and thrown away so that a refusal arrives; beyond it the connection is closed."""
_SECONDS = 90
"""For the body; a mini-program gives up after 60."""

_STEP = (
    "not-found",
    "step-not-possible",
    "part-not-open",
    "too-many-changes",
    *("mandate-not-live", "mandate-not-covering"),
)
PHOTO_REFUSALS = (
    "photo-unreadable",
    "photo-too-large",
    "photo-type",
    "photo-too-small",
    "photo-bomb",
    "photo-truncated",
    "photo-limit",
)


@stream_request_body
class PhotosHandler(ApiHandler):
    """``/matters/{number}/photos``."""

    access = Access.CITIZEN
    _spool: Spool
    _form: UploadForm

    def initialize(self) -> None:
        """Nothing is held yet."""
        self._held = AsyncExitStack()
        # One at a time: writing a piece, attaching, or letting go when the connection is cut.
        self._turn = asyncio.Lock()

    async def prepare(self) -> None:
        """Know the citizen and open the spool before the first byte is read."""
        length = self.request.headers.get("Content-Length", "0")
        size = int(length) if length.isdigit() else 0
        if size > _SWALLOWED:
            raise Refusal("photo-too-large")
        connection = self.request.connection
        if isinstance(connection, HTTP1Connection):
            connection.set_max_body_size(_SWALLOWED)
            connection.set_body_timeout(_SECONDS)
        try:
            await self._authenticate()
            _ = self.cause
            if size > _LIMIT:
                raise Refusal("photo-too-large")
            self._form = UploadForm(self.request.headers)
            self._spool = await self._held.enter_async_context(self.ctx.lab.spool())
        except Refusal as refusal:
            self.refused = refusal

    async def data_received(self, chunk: bytes) -> None:
        """Encrypt the pieces of the file as they come."""
        async with self._turn:
            if self.refused is not None:
                return
            try:
                for piece in self._form.feed(chunk):
                    await self._spool.write(piece)
            except Refusal as refusal:
                self.refused = refusal
                await self._held.aclose()

    @operation(
        "Add a photo or scan to a material",
        form=FileForm(
            fields={"material": "Name of the material, as in the service guide"},
            file="JPEG, PNG, HEIC, WebP or PDF, at most 10 MB; the part may have any name",
        ),
        gives=MatterView,
        status=201,
        refusals=(*_STEP, *PHOTO_REFUSALS),
    )
    async def post(self, number: str) -> MatterView:
        """The same key again gives the same photo, not a second one."""
        async with self._turn, self._held:
            missing = self._form.missing()
            if missing:
                reason = self.ctx.book.texts.say("api.invalid.missing")
                fields = [{"part": name, "label": name, "reason": reason} for name in missing]
                raise Refusal("form-incomplete", fields=fields)
            if not self._form.whole:
                raise Refusal("photo-truncated")
            material = self._form.material
            cause = f"{self.cause}/{material}"
            return await matters.attach(
                self.ctx, self.citizen, number, material, self._spool, cause
            )

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


class PhotoHandler(ApiHandler):
    """``/matters/{number}/photos/{photo}``."""

    access = Access.CITIZEN

    @operation("The photo, upright and without EXIF", gives=PhotoFile, refusals=("not-found",))
    async def get(self, number: str, photo: str) -> PhotoFile:
        """Streamed as it is decrypted."""
        return await matters.photo(self.ctx, self.citizen, number, photo)

    @operation(
        "Take a photo away",
        gives=MatterView,
        refusals=_STEP,
    )
    async def delete(self, number: str, photo: str) -> MatterView:
        """While its material is open."""
        return await matters.detach(self.ctx, self.citizen, number, photo, self.cause)


class Signed(Query):
    """The two halves of a signed address, as the matter gave them."""

    expires: int = Field(ge=0, le=2**53)
    signature: str = Field(pattern=r"^[0-9a-f]{32}$")


class ThumbnailHandler(ApiHandler):
    """``/thumbnails/{number}/{photo}``."""

    access = Access.PUBLIC

    @operation(
        "A thumbnail by the signed address found in the matter",
        gives=PhotoFile,
        query=Signed,
        refusals=("signature-invalid", "not-found"),
    )
    async def get(self, number: str, photo: str, query: Signed) -> PhotoFile:
        """Good for five to ten minutes, without a token."""
        self.set_header("Cache-Control", "private, max-age=300")
        return await thumbnails.open_thumbnail(
            self.ctx, number, photo, query.expires, query.signature
        )
