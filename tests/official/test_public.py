"""Receipts of the SMS gateway, the public pages and the health of the service."""

import json
import urllib.error
import urllib.request

import pytest

from tests.support.processes import House, Started

RECEIPT = {
    "phone_number": "13800000000",
    "send_time": "2026-01-01 10:00:00",
    "report_time": "2026-01-01 10:00:02",
    "success": True,
    "err_code": "DELIVERED",
    "err_msg": "用户接收成功",
    "sms_size": "1",
    "biz_id": "12345",
    "out_id": "no-such-notice",
}


def ask(url: str, body: bytes | None = None) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, body, timeout=15) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.fixture
def receipts(door_house: House, service: Started) -> str:
    return f"{service.url}/callbacks/sms/{door_house.env['BIANMIN_SMS_CALLBACK_SECRET']}"


def test_receipts_are_taken_and_answered_as_the_gateway_wants(receipts: str) -> None:
    bodies = ([], [RECEIPT], [RECEIPT, {**RECEIPT, "out_id": None, "success": False}])
    for body in bodies:
        status, answer = ask(receipts, json.dumps(body).encode())
        assert (status, json.loads(answer)) == (200, {"code": 0, "msg": "ok"})


def test_another_secret_is_no_address(service: Started, receipts: str) -> None:
    body = json.dumps([RECEIPT]).encode()
    assert ask(f"{service.url}/callbacks/sms/guess", body)[0] == 404
    assert ask(f"{receipts}x", body)[0] == 404
    assert ask(f"{service.url}/callbacks/sms/%E7%A7%98", body)[0] == 404


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[1]", b'[{"out_id": 1}]', b"[{", b'[{"success": "maybe"}]', b"\xff"]
)
def test_malformed_receipts(receipts: str, body: bytes) -> None:
    assert ask(receipts, body)[0] == 400


def test_public_pages(service: Started) -> None:
    status, home = ask(f"{service.url}/")
    assert status == 200 and "驾驶证延期换证" in home.decode()
    assert "驾驶证延期换证" in ask(f"{service.url}/guide/")[1].decode()
    status, body = ask(f"{service.url}/guide/licence-deferral")
    guide = body.decode()
    assert status == 200
    for part in ("条件", "材料", "步骤", "时限", "第七十五条", "身份证人像面", "不收费"):
        assert part in guide
    status, body = ask(f"{service.url}/guide/no-such-service")
    assert status == 404 and "没有这项服务" in body.decode()
    assert ask(f"{service.url}/site/site.css")[0] == 200
    assert ask(f"{service.url}/site/..%2fpages.py")[0] in (403, 404)


def test_health(service: Started) -> None:
    assert ask(f"{service.url}/healthz") == (200, b"ok\n")
    assert ask(f"{service.url}/readyz") == (200, b"ready\n")
    figures = ask(f"{service.url}/metrics")[1].decode()
    assert "bianmin_request_seconds" in figures
