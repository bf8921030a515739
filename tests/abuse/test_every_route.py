"""Every route of the running application says who it is for, and keeps everybody else out."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.routing import URLSpec
from tornado.web import Application, RequestHandler

from bianmin.app import make_application
from casework.conversations import Conversations
from handlers.base import Access, UndeclaredAccess, check_access_declared
from storage.engines import EngineUrls
from tests.casework.inside import house, settings_of, silent

PUBLIC = {
    *("HomeHandler", "GuidesHandler", "GuideHandler", "SiteStatic"),
    *("HealthHandler", "ReadyHandler", "MetricsHandler"),
    *("ServicesHandler", "ServiceHandler", "OfficesHandler", "OpenApiHandler", "DocsHandler"),
    *("SmsCodesHandler", "RegistrationsHandler", "IdNumberLoginHandler", "RefreshHandler"),
    "PrivacyHandler",
    *("ExamPlansHandler", "ExamPlanHandler", "ExamSummaryHandler", "ExamSitesHandler"),
    *("ExamsHandler", "ExamSiteHandler"),
    *("miniprogram_api.login.LoginHandler", "ThumbnailHandler"),
    *("handlers.desk.login.LoginHandler", "LogoutHandler", "RootHandler", "DeskStatic"),
}
"""Who may be called by anyone, by name: a new one is added here on purpose, and by nobody else."""

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_GROUP = re.compile(r"\((?:\?P<\w+>)?((?:[^()\\]|\\.)*)\)")
_SAMPLES = ("x1", "100000000001", "1", *("a" * n for n in range(2, 65)))
_XSRF = "2|00000000|00000000000000000000000000000000|1"
NOTHING: Mapping[str, str] = {}
FALSE = {
    "Authorization": f"Bearer {'A' * 43}.{'B' * 43}",
    "Cookie": f"desk_session={'C' * 43}; desk_device=x; _xsrf={_XSRF}",
    "X-Xsrftoken": _XSRF,
    "X-Real-Ip": "127.0.0.1",
}


class Undeclared(RequestHandler):
    """A page somebody forgot to say for whom it is."""


class Declared(RequestHandler):
    """A page for everyone."""

    access = Access.PUBLIC


def test_the_service_does_not_start_with_a_route_that_declares_nothing() -> None:
    check_access_declared([URLSpec("/a", Declared)])
    with pytest.raises(UndeclaredAccess, match="Undeclared"):
        check_access_declared([URLSpec("/a", Declared), URLSpec("/b", Undeclared)])


def sample(route: URLSpec) -> str:
    """An address the route takes."""

    def fill(group: re.Match[str]) -> str:
        wishes = (*_SAMPLES, *group[1].split("|"))
        return next((s for s in wishes if re.fullmatch(group[1], s)), "no sample fits")

    path = re.sub(r"\\(.)", r"\1", _GROUP.sub(fill, route.regex.pattern.rstrip("$")))
    assert route.regex.match(path), (route.regex.pattern, path)
    return path


def name_of(route: URLSpec) -> str:
    kind = route.handler_class
    whole = f"{kind.__module__}.{kind.__qualname__}"
    return whole if whole in PUBLIC else kind.__qualname__


def methods_of(route: URLSpec) -> list[str]:
    """What the handler does something for."""
    nothing = RequestHandler._unimplemented_method
    kind = route.handler_class
    return [m for m in _METHODS if getattr(kind, m.lower(), nothing) is not nothing]


def kept_out(access: Access, method: str, answer: HTTPResponse) -> bool:
    """Whether an answer is what its declared access says to a caller without any right."""
    leads = answer.headers.get("Location", "")
    match access:
        case Access.CITIZEN:
            return answer.code == 401 and b'"not-logged-in"' in answer.body
        case Access.OFFICER if method in ("GET", "HEAD"):
            return answer.code == 303 and leads.startswith("/desk/login?")
        case Access.OFFICER:
            # Without this browser's token, or with it and without a login.
            return answer.code == 403 or (answer.code == 303 and leads.startswith("/desk/login?"))
        case Access.WECHAT | Access.EXCHANGE:
            return answer.code in (400, 401, 403)
        case Access.CALLBACK:
            return answer.code in (403, 404)
        case _:
            return answer.code < 500


@asynccontextmanager
async def served(application: Application) -> AsyncIterator[str]:
    """The application on a port of its own: its base address."""
    server = HTTPServer(application)
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    try:
        yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    finally:
        server.stop()
        await server.close_all_connections()


@pytest.mark.gen_test(timeout=120)
async def test_no_route_lets_anyone_in_it_is_not_for(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        settings = settings_of(mongo_database, tmp_path)
        conversations, registry = Conversations(silent), CollectorRegistry()
        application = make_application(ctx, settings, conversations, registry)
        routes = [r for r in application.wildcard_router.rules if isinstance(r, URLSpec)]
        routes = [r for r in routes if hasattr(r.handler_class, "access")]
        assert len(routes) > 40
        wrong: list[str] = []
        tried = 0
        client = AsyncHTTPClient(force_instance=True)
        async with served(application) as base:
            for route in routes:
                access = route.handler_class.access
                name = name_of(route)
                if (access is Access.PUBLIC) is not (name in PUBLIC):
                    wrong.append(f"{name}: public or not? It says {access.name}")
                for method in methods_of(route):
                    for credentials in (NOTHING, FALSE):
                        answer = await client.fetch(
                            base + sample(route),
                            method=method,
                            body=b"{}" if method in ("POST", "PUT", "PATCH") else None,
                            headers={
                                **credentials,
                                "Idempotency-Key": "0123456789",
                                "Content-Type": "application/json",
                            },
                            follow_redirects=False,
                            raise_error=False,
                        )
                        tried += 1
                        if not kept_out(access, method, answer):
                            wrong.append(f"{method} {route.regex.pattern}: {answer.code}")
        client.close()
        print(f"{len(routes)} routes, {tried} calls without a right")
        assert not wrong, "\n".join(wrong)
