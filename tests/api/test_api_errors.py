"""Every error is a problem a program can read and a citizen can follow."""

import pytest

from tests.support.citizens import Citizen, Town
from tests.support.web import Reply, fetch

KEY = {"Idempotency-Key": "0123456789"}
JSON = {"Content-Type": "application/json"}

CASES: dict[str, tuple[str, str, bytes | None, dict[str, str], int, str]] = {
    "unknown address": ("GET", "/api/v1/nothing", None, {}, 404, "not-found"),
    "unknown service": ("GET", "/api/v1/services/no-such", None, {}, 404, "service-unknown"),
    "wrong method": ("PUT", "/api/v1/services", b"", {}, 405, "method-not-allowed"),
    "odd method": ("PROPFIND", "/api/v1/services", None, {}, 405, "method-not-allowed"),
    "no token": ("GET", "/api/v1/me", None, {}, 401, "not-logged-in"),
    "odd token": ("GET", "/api/v1/me", None, {"Authorization": "Bearer x"}, 401, "not-logged-in"),
    "odd scheme": (
        "GET",
        "/api/v1/me",
        None,
        {"Authorization": "Basic eA=="},
        401,
        "not-logged-in",
    ),
    "no key": ("POST", "/api/v1/login", b"{}", JSON, 400, "idempotency-key-missing"),
    "no JSON": ("POST", "/api/v1/login", b"{", JSON | KEY, 400, "bad-request"),
    "a list": ("POST", "/api/v1/login", b"[]", JSON | KEY, 400, "bad-request"),
    "no body": ("POST", "/api/v1/login", b"", JSON | KEY, 400, "bad-request"),
    "bad UTF-8": ("POST", "/api/v1/login", b'{"code":"\xff"}', JSON | KEY, 400, "bad-request"),
    "no member": ("POST", "/api/v1/login", b"{}", JSON | KEY, 422, "form-incomplete"),
    "misspelt": ("POST", "/api/v1/login", b'{"kode":"1"}', JSON | KEY, 422, "form-incomplete"),
    "large": ("POST", "/api/v1/login", b" " * 70_000, JSON | KEY, 413, "body-too-large"),
    "odd query": (
        "GET",
        "/api/v1/thumbnails/1" + "0" * 11 + "/a",
        None,
        {},
        422,
        "form-incomplete",
    ),
    "form body": (
        "POST",
        "/api/v1/login",
        b"code=1",
        {"Content-Type": "application/x-www-form-urlencoded"} | KEY,
        400,
        "bad-request",
    ),
    "bad ID number": (
        "POST",
        "/api/v1/sms-codes",
        b'{"purpose":"login","id_number":"123"}',
        JSON | KEY,
        422,
        "id-number-invalid",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_problem(name: str, town: Town) -> None:
    method, path, body, headers, status, code = CASES[name]
    reply = fetch(town.house.service_url, method, path, body, headers)
    assert (reply.status, reply.code) == (status, code)
    check_problem(reply)


def check_problem(reply: Reply) -> None:
    """RFC 9457 with our members, in Chinese, harmless to a browser."""
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    problem = reply.json()
    assert problem["status"] == reply.status
    assert problem["type"] == f"/api/docs#{problem['code']}"
    assert problem["request_id"] == reply.headers["X-Request-Id"]
    for half in ("detail", "next"):
        assert any("\u4e00" <= letter <= "\u9fff" for letter in problem[half])


def test_a_request_id_is_taken_over_only_when_harmless(town: Town) -> None:
    for given, kept in (("abc-12345678", True), ("a b<script>", False), ("x" * 200, False)):
        reply = fetch(
            town.house.service_url, "GET", "/api/v1/nothing", None, {"X-Request-Id": given}
        )
        assert (reply.headers["X-Request-Id"] == given) is kept


def test_the_log_names_routes_and_no_person(town: Town, signed: Citizen) -> None:
    signed.call("GET", "/me")
    fetch(town.house.service_url, "GET", f"/api/v1/offices?region={signed.person.id_number}")
    log = (town.house.folder / "service-1.log").read_text()
    assert '"/api/v1/me"' in log
    for secret in (signed.person.id_number, signed.person.phone, signed.person.name, signed.token):
        assert secret not in log
