"""An operation of the API: one declaration that is obeyed at run time and printed as OpenAPI.

``@operation`` stands on each handler method. It asks for the Idempotency-Key, reads query and body
by their models, encodes what the method gives, and notes a refusal that was not declared. The
document is made from the very same declarations (``openapi.py``), so it cannot drift.
"""

import functools
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import orjson
import structlog
from pydantic import BaseModel, ConfigDict

from casework.views import PhotoFile
from handlers.base import JSON_OPTIONS, Access, JsonHandler
from rules.refusals import Refusal

_log = structlog.get_logger("http")


class Body(BaseModel):
    """A JSON body; a member nobody knows is refused, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid")


class Query(BaseModel):
    """The query of an address; unknown names are ignored, as everywhere on the web."""


@dataclass(frozen=True)
class FileForm:
    """A multipart body: text fields by name, and one file."""

    fields: Mapping[str, str]
    file: str


@dataclass(frozen=True)
class Encoded:
    """A JSON answer encoded already, with its ETag."""

    body: bytes
    etag: str

    @classmethod
    def of(cls, value: Any) -> "Encoded":
        """Encode a value once for many answers."""
        body = orjson.dumps(value, option=JSON_OPTIONS)
        return cls(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


@dataclass(frozen=True)
class Operation:
    """What is declared of one method of one address."""

    summary: str
    gives: Any
    status: int
    body: type[Body] | None
    query: type[Query] | None
    form: FileForm | None
    refusals: frozenset[str]
    cached: bool
    writes: bool

    def all_refusals(self, access: Access) -> frozenset[str]:
        """The declared refusals and those that follow from the declaration itself."""
        found = set(self.refusals) | {"busy-try-again", "internal-error", "method-not-allowed"}
        if access is Access.CITIZEN:
            found.add("not-logged-in")
        if self.writes:
            found |= {"idempotency-key-missing", "body-too-large"}
        if self.body is not None or self.query is not None or self.form is not None:
            found |= {"bad-request", "form-incomplete"}
        return frozenset(found)


class ApiHandler(JsonHandler):
    """A handler of ``/api/v1``. Its operations are found on the class."""

    operations: ClassVar[Mapping[str, Operation]] = {}
    refused: Refusal | None = None
    """What was found wrong with a body while it was read as a stream."""
    _etag: str | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # The decorator cannot see the class, so methods are gathered when it is made.
        cls.operations = {
            name: getattr(cls, name).operation
            for name in ("get", "post", "patch", "delete")
            if hasattr(getattr(cls, name), "operation")
        }

    def compute_etag(self) -> str | None:
        """Only answers encoded once have one; the others are nobody's to keep."""
        return self._etag

    def send_encoded(self, answer: Encoded) -> None:
        """Answer with what was encoded before; 304 where the caller has it already."""
        self._etag = answer.etag
        self.set_header("Cache-Control", "public, max-age=60")
        self.send_bytes(answer.body)

    def read_query(self, model: type[Query]) -> Query:
        """The query as a model, each name given once. Raises ValidationError."""
        names = self.request.query_arguments
        return model.model_validate({name: self.get_query_argument(name) for name in names})


Method = Callable[..., Awaitable[Any]]


def operation(
    summary: str,
    *,
    gives: Any = None,
    status: Literal[200, 201, 204] = 200,
    body: type[Body] | None = None,
    query: type[Query] | None = None,
    form: FileForm | None = None,
    refusals: tuple[str, ...] = (),
    cached: bool = False,
) -> Callable[[Method], Method]:
    """Declare a method. It is called with path arguments, then query, then body, and returns what
    ``gives`` names (a dataclass or a PhotoFile), an ``Encoded`` of it when ``cached``, or None."""
    codes = frozenset(refusals)
    declared = Operation(summary, gives, status, body, query, form, codes, cached, True)

    def decorate(method: Method) -> Method:
        mine = replace(declared, writes=method.__name__ != "get")

        @functools.wraps(method)
        async def run(self: ApiHandler, *path: str) -> None:
            extra: list[Any] = []
            if self.refused is not None:
                raise self.refused
            if mine.writes:
                _ = self.cause
            if query is not None:
                extra.append(self.read_query(query))
            if body is not None:
                extra.append(self.read_body(body))
            try:
                value = await method(self, *path, *extra)
            except Refusal as refusal:
                if refusal.code not in mine.all_refusals(self.access):
                    _log.warning("refusal-undeclared", code=refusal.code, operation=summary)
                raise
            await _answer(self, mine, value)

        vars(run)["operation"] = mine
        return run

    return decorate


async def _answer(handler: ApiHandler, declared: Operation, value: Any) -> None:
    if declared.cached:
        handler.send_encoded(value)
    elif isinstance(value, PhotoFile):
        await _stream(handler, value)
    elif declared.gives is None:
        handler.set_status(204)
        handler.finish()
    else:
        handler.send_json(value, declared.status)


async def _stream(handler: ApiHandler, photo: PhotoFile) -> None:
    handler.set_header("Content-Type", photo.media_type)
    async for chunk in photo.stream:
        handler.write(chunk)
        await handler.flush()
    handler.finish()
