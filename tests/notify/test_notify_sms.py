"""SMS: what is in the address, every code's action, doubts and looking a message up."""

import json
from datetime import date
from typing import Any
from urllib.parse import parse_qs

import pytest
from tornado.httputil import HTTPServerRequest

from notify.http import HttpClient
from notify.outcome import InDoubt, Outcome, Rejected, Taken
from notify.sms import SmsGateway
from notify.sms_codes import ACTIONS
from tests.notify.counterpart import Reply, Script, counterpart

PHONE = "13800000001"


def say(body: dict[str, Any], status: int = 200) -> Reply:
    return status, "application/json", json.dumps(body).encode()


def always(reply: Reply | None) -> Script:
    async def script(_: HTTPServerRequest) -> Reply | None:
        return reply

    return script


async def send(address: str) -> Outcome:
    http = HttpClient(request_seconds=1)
    gateway = SmsGateway(address + "/sms", "key", "secret", "便民服务", http)
    outcome = await gateway.send(PHONE, "SMS_LOGIN_CODE", {"code": "123456"}, "out-1")
    http.close()
    return outcome


@pytest.mark.gen_test
async def test_phone_and_parameters_are_in_the_body_only() -> None:
    async with counterpart(always(say({"Code": "OK", "BizId": "b1"}))) as other:
        assert await send(other.address) == Taken("b1")
        request = other.requests[0]
        assert PHONE not in request.uri and "123456" not in request.uri
        form = parse_qs(request.body.decode())
        assert form["PhoneNumbers"] == [PHONE]
        assert json.loads(form["TemplateParam"][0]) == {"code": "123456"}
        assert request.query_arguments["Action"] == [b"SendSms"]
        assert request.method == "POST"


@pytest.mark.gen_test
@pytest.mark.parametrize("code", [*sorted(ACTIONS), "isv.SOMETHING_NEW"])
async def test_every_code_leads_to_its_action(code: str) -> None:
    async with counterpart(always(say({"Code": code, "Message": "x"}))) as other:
        assert await send(other.address) == Rejected(code, ACTIONS.get(code, "alarm"))


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (None, InDoubt),
        ((200, "text/html", b"<html>"), InDoubt),
        ((200, "application/json", b'{"Code": 1}'), InDoubt),
        ((504, "text/html", b""), InDoubt),
        ((503, "text/html", b""), Rejected),
        (say({"Code": "SignatureDoesNotMatch"}, 400), Rejected),
    ],
)
async def test_wrong_answers(reply: Reply | None, expected: type) -> None:
    async with counterpart(always(reply)) as other:
        assert isinstance(await send(other.address), expected)


def details(*rows: tuple[str, int]) -> dict[str, Any]:
    listed = [{"OutId": out_id, "SendStatus": status} for out_id, status in rows]
    return {"Code": "OK", "SmsSendDetailDTOs": {"SmsSendDetailDTO": listed}}


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("reply", "fate"),
    [
        (say(details(("other", 3), ("out-1", 1))), "sent"),
        (say(details(("out-1", 2))), "failed"),
        (say(details(("out-1", 2), ("out-1", 3))), "delivered"),
        (say(details(("out-1", 9))), "unknown"),
        (say(details(("other", 3))), "absent"),
        (say(details()), "absent"),
        (say({"Code": "isv.INVALID_PARAMETERS"}), "unknown"),
        (say({"Code": "OK"}), "unknown"),
        ((200, "text/html", b"<html>"), "unknown"),
        (None, "unknown"),
    ],
)
async def test_looking_a_message_up(reply: Reply | None, fate: str) -> None:
    async with counterpart(always(reply)) as other:
        http = HttpClient()
        gateway = SmsGateway(other.address, "key", "secret", "便民服务", http)
        assert await gateway.lookup(PHONE, date(2026, 11, 23), "out-1") == fate
        assert PHONE not in other.requests[0].uri
        http.close()


@pytest.mark.gen_test
async def test_a_message_is_found_on_a_later_page() -> None:
    async def pages(request: HTTPServerRequest) -> Reply:
        page = parse_qs(request.body.decode())["CurrentPage"]
        rows = [("other", 3)] * 50 if page == ["1"] else [("out-1", 3)]
        return say(details(*rows))

    async with counterpart(pages) as other:
        http = HttpClient()
        gateway = SmsGateway(other.address, "key", "secret", "便民服务", http)
        assert await gateway.lookup(PHONE, date(2026, 11, 23), "out-1") == "delivered"
        http.close()
