"""The clients against the sandbox as a process: its signature check, tokens, limits and faults."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from tornado.httpclient import AsyncHTTPClient

from notify.gateways import Gateways, build_gateways
from notify.outcome import InDoubt, Rejected, Taken
from notify.wechat import WechatError
from tests.notify.counterpart import LocalTokens

PROGRESS = {
    "character_string1": "X2026-1",
    "thing2": "延期换证",
    "phrase3": "审核中",
    "time4": "2026年11月23日 09:30",
    "thing5": "请留意后续通知",
}
CODE = {"code": "246810", "minutes": "5", "purpose": "注册"}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    env = {name: text for name, text in os.environ.items() if not name.startswith("BIANMIN_")}
    sandbox = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--port", "0"], stdout=subprocess.PIPE, env=env
    )
    assert sandbox.stdout is not None
    line = sandbox.stdout.readline().decode()
    yield line.split()[-1].rstrip("/")
    sandbox.terminate()
    sandbox.wait(10)
    sandbox.stdout.close()


class Hands:
    """Does what a person at the sandbox would."""

    def __init__(self, address: str) -> None:
        self.address = address

    async def __call__(self, method: str, path: str, body: Any = None) -> Any:
        packed = orjson.dumps(body or {}) if method == "POST" else None
        response = await AsyncHTTPClient().fetch(
            f"{self.address}/sandbox/{path}", method=method, body=packed
        )
        return orjson.loads(response.body)


@asynccontextmanager
async def gateways(address: str, **changes: Any) -> Any:
    settings: dict[str, Any] = {
        "wechat_api": f"{address}/wechat-api",
        "official": ("wx00000000develop1", "development-official-secret"),
        "mini": ("wx00000000develop2", "development-mini-secret"),
        "sms_endpoint": f"{address}/sms",
        "sms_key": ("development-key-id", "development-key-secret"),
        "sms_sign": "便民服务",
        "tokens": LocalTokens(),
    }
    made: Gateways = build_gateways(**{**settings, **changes})
    yield made
    made.close()


@pytest.mark.gen_test
async def test_sms_is_signed_rightly_arrives_and_is_found(address: str) -> None:
    hands, phone = Hands(address), "13900000101"
    async with gateways(address) as out:
        # Characters that a signer may encode wrongly.
        odd = {**CODE, "purpose": "注册 ~*+&=%/"}
        assert isinstance(await out.sms.send(phone, "SMS_LOGIN_CODE", odd, "n-1"), Taken)
        (arrived,) = await hands("GET", f"phones/{phone}/sms")
        assert "注册 ~*+&=%/" in arrived["text"]
        today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
        assert await out.sms.lookup(phone, today, "n-1") in ("sent", "delivered")
        assert await out.sms.lookup(phone, today, "n-2") == "absent"


@pytest.mark.gen_test
async def test_a_wrong_secret_is_told_apart(address: str) -> None:
    async with gateways(address, sms_key=("development-key-id", "wrong")) as out:
        outcome = await out.sms.send("13900000102", "SMS_LOGIN_CODE", CODE, "n-1")
        assert outcome == Rejected("SignatureDoesNotMatch", "alarm")


@pytest.mark.gen_test
async def test_sms_limits_and_wrong_parameters(address: str) -> None:
    async with gateways(address) as out:
        assert isinstance(await out.sms.send("13900000103", "SMS_LOGIN_CODE", CODE, "1"), Taken)
        again = await out.sms.send("13900000103", "SMS_LOGIN_CODE", CODE, "2")
        assert again == Rejected("isv.BUSINESS_LIMIT_CONTROL", "retry")
        missing = await out.sms.send("13900000104", "SMS_LOGIN_CODE", {"code": "123456"}, "3")
        assert missing == Rejected("isv.TEMPLATE_MISSING_PARAMETERS", "alarm")


@pytest.mark.gen_test
async def test_a_broken_line_leaves_a_doubt_that_the_lookup_settles(address: str) -> None:
    hands, phone = Hands(address), "13900000105"
    async with gateways(address) as out:
        fault = {"gateway": "sms", "fault": "drop_after_accept", "times": 1}
        await hands("POST", "faults", fault)
        assert isinstance(await out.sms.send(phone, "SMS_LOGIN_CODE", CODE, "n-9"), InDoubt)
        today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
        assert await out.sms.lookup(phone, today, "n-9") in ("sent", "delivered")
        assert len(await hands("GET", f"phones/{phone}/sms")) == 1


@pytest.mark.gen_test
async def test_subscribe_message_consent_and_an_expired_token(address: str) -> None:
    hands = Hands(address)
    person = await hands("POST", "people", {"name": "周一", "phone": "13900000106"})
    key, openid = person["person"], person["mini_openid"]
    async with gateways(address) as out:
        page = "pages/matter?no=X2026-1"
        wanted = openid, "matter-progress", PROGRESS, page
        assert await out.mini.send_subscribe(*wanted) == Rejected("43101", "other_channel")
        await hands("POST", f"people/{key}/consent", {"template_id": "matter-progress"})
        await hands("POST", "faults", {"gateway": "wechat", "fault": "token_expired"})
        assert isinstance(await out.mini.send_subscribe(*wanted), Taken)
        assert await out.mini.send_subscribe(*wanted) == Rejected("43101", "other_channel")
        chat = await hands("GET", f"people/{key}/chat")
        assert len([entry for entry in chat if entry.get("via") == "subscribe"]) == 1


@pytest.mark.gen_test
async def test_text_outside_the_window_and_a_login_code_used_twice(address: str) -> None:
    hands = Hands(address)
    person = await hands("POST", "people", {"name": "周二", "phone": "13900000107"})
    async with gateways(address) as out:
        late = await out.official.send_text(person["openid"], "您好")
        assert late == Rejected("45015", "other_channel")
        code = (await hands("POST", f"people/{person['person']}/login-code"))["code"]
        assert (await out.mini.code_to_session(code)).openid == person["mini_openid"]
        with pytest.raises(WechatError, match="40163") as caught:
            await out.mini.code_to_session(code)
        assert caught.value.final
        with pytest.raises(WechatError, match="40007"):
            await out.official.fetch_media("no-such-media", 1000)


@pytest.mark.gen_test
async def test_the_menu(address: str) -> None:
    menu = {"button": [{"type": "click", "name": "办件进度", "key": "progress"}]}
    async with gateways(address) as out:
        assert isinstance(await out.official.push_menu(menu), Taken)
        assert (await Hands(address)("GET", "menu"))["button"][0]["name"] == "办件进度"
