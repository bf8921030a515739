"""The document says what the service does: complete, valid, and held to by random requests."""

import re
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from openapi_spec_validator import validate
from schemathesis import openapi as loader
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tornado.routing import URLSpec
from tornado.web import RequestHandler

import miniprogram_api
from handlers.base import Access, UndeclaredAccess, check_access_declared
from miniprogram_api.routing import PATH_PARAMETERS
from rules.book import load_rulebook
from tests.support.citizens import Citizen, Town
from tests.support.web import fetch

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)
METHODS = ("get", "post", "patch", "delete")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """Made in this process."""
    return miniprogram_api.openapi_document(load_rulebook())


def test_the_document_is_valid_and_served(document: dict[str, Any], town: Town) -> None:
    validate(document)
    served = fetch(town.house.service_url, "GET", "/api/v1/openapi.json")
    assert served.json() == document


def test_every_method_of_every_route_is_documented(document: dict[str, Any]) -> None:
    check_access_declared(miniprogram_api.routes())
    for route in miniprogram_api.ROUTES:
        written = {
            m for m in METHODS if getattr(route.handler, m) is not getattr(RequestHandler, m)
        }
        assert written == set(document["paths"][f"/api/v1{route.path}"])
        assert route.handler.access in (Access.PUBLIC, Access.CITIZEN)
    documented = {path for path in document["paths"]}
    assert documented == {f"/api/v1{route.path}" for route in miniprogram_api.ROUTES}


def test_a_handler_without_an_access_rule_stops_the_start() -> None:
    class Careless(RequestHandler):
        """Says nothing of access."""

    with pytest.raises(UndeclaredAccess, match="Careless"):
        check_access_declared([URLSpec("/careless", Careless)])


def _fitting(name: str) -> str:
    """Something that may stand in the path for this parameter."""
    pattern = PATH_PARAMETERS[name].pattern
    return next(
        v for v in ("a", "mini", *("0" * n for n in range(1, 65))) if re.fullmatch(pattern, v)
    )


def test_every_write_asks_for_a_key_and_every_citizens_call_for_a_token(
    document: dict[str, Any], town: Town
) -> None:
    for path, methods in document["paths"].items():
        address = re.sub(r"\{(\w+)\}", lambda name: _fitting(name[1]), path)
        for method, operation in methods.items():
            names = {p["name"] for p in operation["parameters"]}
            assert ("Idempotency-Key" in names) is (method != "get")
            headers = {"Idempotency-Key": "0123456789"} if method != "get" else {}
            if operation["security"] == [{"bearer": []}]:
                body = b"{}" if method != "get" else None
                reply = fetch(town.house.service_url, method.upper(), address, body, headers)
                assert (reply.status, reply.code) == (401, "not-logged-in"), path


def test_the_answers_fit_their_schemas(document: dict[str, Any], signed: Citizen) -> None:
    begun = signed.call("POST", "/matters", {"service": "licence-deferral"}).json()
    asked = {
        "/services": "/services",
        "/services/{code}": "/services/licence-deferral",
        "/offices": "/offices?region=4101&kind=vehicle_office",
        "/me": "/me",
        "/devices": "/devices",
        "/licences": "/licences",
        "/matters": "/matters",
        "/matters/{number}": f"/matters/{begun['number']}",
        "/notices": "/notices",
    }
    for path, address in asked.items():
        reply = signed.call("GET", address)
        assert reply.status == 200 and reply.json(), address
        answer = document["paths"][f"/api/v1{path}"]["get"]["responses"]["200"]
        schema = answer["content"]["application/json"]["schema"]
        whole = {**schema, "components": document["components"]}
        jsonschema.Draft202012Validator(whole).validate(reply.json())


def test_public_answers_are_cached_and_private_ones_are_not(signed: Citizen) -> None:
    base = signed.house.service_url
    first = fetch(base, "GET", "/api/v1/services/licence-deferral")
    assert first.headers["Cache-Control"].startswith("public")
    again = {"If-None-Match": first.headers["Etag"]}
    second = fetch(base, "GET", "/api/v1/services/licence-deferral", None, again)
    assert (second.status, second.body) == (304, b"")
    private = signed.call("GET", "/me")
    assert private.headers["Cache-Control"] == "no-store" and "Etag" not in private.headers


def test_the_docs_page_runs_nothing_and_reflects_nothing(town: Town) -> None:
    page = fetch(town.house.service_url, "GET", "/api/docs?x=<script>alert(1)</script>")
    text = page.body.decode()
    assert page.status == 200 and page.headers["Content-Type"].startswith("text/html")
    assert "<script" not in text and "alert(1)" not in text and 'src="' not in text
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert 'id="not-registered"' in text and "/api/v1/matters/{number}/photos" in text


def test_random_requests_are_answered_as_documented(
    document: dict[str, Any], signed: Citizen
) -> None:
    schema = loader.from_dict(document)
    schema.config.update(base_url=signed.house.service_url)
    for result in schema.get_all_operations():
        operation = result.ok()
        # Signing out would end the token the others need; a picture has no schema.
        if operation.label == "DELETE /api/v1/login":
            continue

        @settings(
            max_examples=12,
            deadline=None,
            derandomize=True,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def hold(case: Any) -> None:
            headers = {"Authorization": f"Bearer {signed.token}"}
            case.call_and_validate(headers=headers, checks=CHECKS)

        hold()


def test_no_refusal_was_answered_that_is_not_declared(town: Town) -> None:
    log = (town.house.folder / "service-1.log").read_text()
    assert "refusal-undeclared" not in log and "unexpected-error" not in log
