"""What every HTTP door stands on: who may come in, request ids, headers, errors, the access log.

A door's handler says ``access``; the application does not start when one does not. Errors go one
way: an exception becomes a ``Problem`` (``handlers.problems``) and ``show_problem`` gives it the
door's shape: plain text here, problem+json in ``JsonHandler``, a page at the desk.
"""

import hashlib
import re
from collections.abc import Awaitable, Iterable, Mapping
from enum import Enum
from functools import cached_property
from typing import Any, ClassVar, TypeVar

import orjson
import structlog
from prometheus_client import REGISTRY, CollectorRegistry
from pydantic import BaseModel
from tornado.iostream import StreamClosedError
from tornado.routing import URLSpec
from tornado.web import RequestHandler

from casework import logins
from casework.context import Context
from handlers.metrics import RequestMetrics
from handlers.problems import Problem, problem_of, refusal_of
from rules.people import Citizen
from rules.refusals import Refusal

JSON_LIMIT = 64 * 1024
"""Bytes a JSON body may have."""
SERVER_BODY_LIMIT = 1024 * 1024
"""``max_body_size`` for the HTTP server: what is buffered whole, at most. Streams set their own."""

_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_KEY = re.compile(r"[\x21-\x7e]{8,128}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
JSON_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS
"""Times as ``2026-11-23T21:24:42Z``: the database keeps milliseconds, so a finer answer would
differ from its own repetition."""
_log = structlog.get_logger("http")

Model = TypeVar("Model", bound=BaseModel)


class Access(Enum):
    """Who a handler is for, and so how the caller is known."""

    PUBLIC = "anyone"
    CITIZEN = "bearer token of a citizen"
    OFFICER = "desk cookie of an officer"
    EXCHANGE = "signed by an internal system"
    WECHAT = "signed by WeChat"
    CALLBACK = "secret address of a gateway"


class UndeclaredAccess(Exception):
    """A handler says nowhere who may use it."""


def check_access_declared(routes: Iterable[URLSpec]) -> None:
    """Refuse to start when a handler declares no access rule. Raises UndeclaredAccess."""
    for route in routes:
        if not isinstance(getattr(route.handler_class, "access", None), Access):
            name = f"{route.handler_class.__module__}.{route.handler_class.__qualname__}"
            raise UndeclaredAccess(f"{name} ({route.regex.pattern}) declares no access rule")


def application_settings(
    routes: list[URLSpec], registry: CollectorRegistry = REGISTRY
) -> dict[str, Any]:
    """The settings of ``tornado.web.Application`` this module needs, after checking the routes."""
    check_access_declared(routes)
    return {
        "default_handler_class": NotFoundHandler,
        "log_function": AccessLog(routes, RequestMetrics(registry)),
    }


class AccessLog:
    """One line a request: method, route pattern, status, milliseconds, id. Never the address."""

    def __init__(self, routes: list[URLSpec], metrics: RequestMetrics) -> None:
        self._patterns = {r.handler_class: r.regex.pattern.rstrip("$") for r in routes}
        self._names = {c: f"{c.__module__}.{c.__name__}" for c in self._patterns}
        self._metrics = metrics

    def __call__(self, handler: RequestHandler) -> None:
        request, kind = handler.request, type(handler)
        seconds, status = request.request_time(), handler.get_status()
        method = request.method or ""
        if method not in handler.SUPPORTED_METHODS:
            method = "other"
        self._metrics.observe(self._names.get(kind, kind.__name__), method, status, seconds)
        _log.info(
            "request",
            method=method,
            route=self._patterns.get(kind, "-"),
            status=status,
            ms=round(seconds * 1000, 1),
            request_id=handler.request_id if isinstance(handler, BaseHandler) else "-",
        )


class BaseHandler(RequestHandler):
    """The common ground of every handler."""

    access: ClassVar[Access]
    policy: ClassVar[str] = (
        "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    """Content-Security-Policy."""
    page_headers: ClassVar[Mapping[str, str]] = {
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
    }
    """What only a page that a browser shows needs."""

    @property
    def ctx(self) -> Context:
        """What casework's verbs are given."""
        context: Context = self.application.settings["ctx"]
        return context

    @cached_property
    def request_id(self) -> str:
        """The caller's request id if it is harmless, else a new one."""
        given = self.request.headers.get("X-Request-Id", "")
        return given if _REQUEST_ID.fullmatch(given) else self.ctx.ids.token()[:22]

    def set_default_headers(self) -> None:
        """Every answer is private, unsniffed, and carries its id."""
        headers = self._headers
        del headers["Server"]
        headers["X-Request-Id"] = self.request_id
        headers["Content-Security-Policy"] = self.policy
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Cache-Control"] = "no-store"
        for name, value in self.page_headers.items():
            headers[name] = value
        if self.ctx.settings.environment == "production":
            headers["Strict-Transport-Security"] = "max-age=31536000"

    def check_xsrf_cookie(self) -> None:
        """Needed only where a browser's own cookie says who asks, or will after a login form."""
        if self.access in (Access.PUBLIC, Access.OFFICER):
            super().check_xsrf_cookie()

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        """One line for what nobody expected: where, not with which values."""
        if value is None or isinstance(value, StreamClosedError):
            return  # the caller went away
        if refusal_of(value, self.ctx.book.texts) is not None:
            return
        frames = []
        while tb is not None:
            code = tb.tb_frame.f_code
            frames.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{tb.tb_lineno} {code.co_name}")
            tb = tb.tb_next
        _log.error(
            "unexpected-error",
            error=f"{type(value).__module__}.{type(value).__name__}",
            where=frames[-8:],
            method=self.request.method,
            handler=type(self).__name__,
            request_id=self.request_id,
        )

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Every error of every door comes through here."""
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        problem = problem_of(error, self.ctx.book.texts)
        self.set_status(problem.status)
        if problem.status == 401:
            self.set_header("WWW-Authenticate", "Bearer")
        if problem.status == 405:
            self.set_header("Allow", ", ".join(self._methods()))
        self.show_problem(problem)

    def show_problem(self, problem: Problem) -> None:
        """The problem in the door's shape; a door overrides this."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{problem.detail}\n{problem.next}\n")

    def _methods(self) -> list[str]:
        plain = RequestHandler._unimplemented_method
        return [
            name
            for name in self.SUPPORTED_METHODS
            if getattr(type(self), name.lower(), plain) is not plain
        ]


class JsonHandler(BaseHandler):
    """JSON in and out, problem+json for errors, a citizen known by his bearer token."""

    policy: ClassVar[str] = "default-src 'none'; frame-ancestors 'none'"
    page_headers: ClassVar[Mapping[str, str]] = {}
    citizen: Citizen
    """Who asks; set before the method runs when ``access`` is CITIZEN."""

    def prepare(self) -> Awaitable[None] | None:
        """Know the caller before anything of the request is used."""
        if len(self.request.body or b"") > JSON_LIMIT:
            raise Refusal("body-too-large")
        return self._authenticate() if self.access is Access.CITIZEN else None

    async def _authenticate(self) -> None:
        self.citizen = await logins.authenticate(self.ctx, self.token)

    @property
    def token(self) -> str | None:
        """The bearer token, if one was sent."""
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" and token.strip() else None

    def check_xsrf_cookie(self) -> None:
        """Nothing to check: a browser never sends a bearer token by itself."""

    @property
    def cause(self) -> str:
        """The Idempotency-Key as the cause of an event. Raises ``idempotency-key-missing``.

        It is bound to caller, address and body, so that one citizen's key never meets another's,
        nor that of another step, and a key used again for something else does not pass for its
        repetition. Where nobody is logged in, whoever repeats a registration must so know all of
        it, the SMS code included.
        """
        key = self.request.headers.get("Idempotency-Key", "")
        if not _KEY.fullmatch(key):
            raise Refusal("idempotency-key-missing")
        who = self.citizen.key if self.access is Access.CITIZEN else ""
        asked = f"{self.request.method} {self.request.path} {key} {who}\n".encode()
        return f"mini:{hashlib.sha256(asked + self.request.body).hexdigest()[:40]}"

    @property
    def writes(self) -> bool:
        """Whether the method changes something, and so needs an Idempotency-Key."""
        return self.request.method in _WRITES

    def read_body(self, model: type[Model]) -> Model:
        """The JSON body as a model. Raises pydantic's ValidationError, answered with 4xx."""
        return model.model_validate_json(self.request.body)

    def send_json(self, value: Any, status: int = 200) -> None:
        """Answer with a dataclass, dict or list; times are UTC with ``Z``."""
        self.set_status(status)
        self.send_bytes(orjson.dumps(value, option=JSON_OPTIONS))

    def send_bytes(self, body: bytes, media_type: str = "application/json") -> None:
        """Answer with bytes that are encoded already."""
        self._headers["Content-Type"] = media_type
        self.finish(body)

    def show_problem(self, problem: Problem) -> None:
        """RFC 9457."""
        self.set_header("Content-Type", "application/problem+json")
        self.finish(orjson.dumps(problem.body(self.request_id), default=str))


class NotFoundHandler(JsonHandler):
    """Answers every address that no door has."""

    access = Access.PUBLIC

    def prepare(self) -> None:
        """Refuse at once."""
        raise Refusal("not-found")
