"""WeChat's right and wrong answers: tokens, codes, doubts, media."""

import asyncio
import json
import time
from typing import Any

import pytest
from tornado.httputil import HTTPServerRequest

from notify.http import HttpClient
from notify.outcome import InDoubt, Rejected, Taken
from notify.wechat import WeChatClient, WechatError
from notify.wechat_codes import ACTIONS
from tests.notify.counterpart import LocalTokens, Reply, counterpart

JSON = "application/json"
SEND = "/cgi-bin/message/custom/send"


def say(body: dict[str, Any]) -> Reply:
    return 200, JSON, json.dumps(body, ensure_ascii=False).encode()


class Wechat:
    """A WeChat that counts tokens given out; refuses those in ``refused`` with ``code``."""

    def __init__(self, reply: Reply | None, code: int = 40001) -> None:
        self.reply = reply
        self.code = code
        self.given = 0
        self.forced = 0
        self.refused: set[str] = set()
        self.same_token = False

    async def __call__(self, request: HTTPServerRequest) -> Reply | None:
        if request.path == "/cgi-bin/stable_token":
            await asyncio.sleep(0.05)
            force = json.loads(request.body)["force_refresh"]
            self.forced += force
            if force or not self.same_token or self.given == 0:
                self.given += 1
            return say({"access_token": f"token-{self.given}", "expires_in": 7200})
        token = request.query_arguments.get("access_token", [b""])[0].decode()
        if token in self.refused:
            return say({"errcode": self.code, "errmsg": "invalid credential"})
        return self.reply


def client_for(address: str, tokens: LocalTokens, http: HttpClient) -> WeChatClient:
    return WeChatClient(address, "wx-test", "secret", tokens, http)


OK = say({"errcode": 0, "errmsg": "ok", "msgid": 7})


@pytest.mark.gen_test
async def test_a_message_is_sent_as_utf8_and_taken() -> None:
    async with counterpart(Wechat(OK)) as other:
        http = HttpClient()
        client = client_for(other.address, LocalTokens(), http)
        assert await client.send_text("openid", "您好") == Taken("7")
        body = other.requests[-1].body
        assert "您好".encode() in body
        http.close()


@pytest.mark.gen_test
async def test_many_at_once_share_one_token() -> None:
    wechat = Wechat(OK)
    async with counterpart(wechat) as other:
        tokens, http = LocalTokens(), HttpClient()
        clients = [client_for(other.address, tokens, http) for _ in range(4)]
        sent = [clients[n % 4].send_text("openid", str(n)) for n in range(20)]
        assert set(await asyncio.gather(*sent)) == {Taken("7")}
        assert wechat.given == 1
        http.close()


@pytest.mark.gen_test
@pytest.mark.parametrize("code", [40001, 40014, 42001])
async def test_a_refused_token_is_refreshed_once_for_all(code: int) -> None:
    wechat = Wechat(OK, code)
    async with counterpart(wechat) as other:
        tokens, http = LocalTokens(), HttpClient()
        await tokens.put("wechat:wx-test", "old", time.time() + 7000)
        wechat.refused.add("old")
        clients = [client_for(other.address, tokens, http) for _ in range(4)]
        sent = [clients[n % 4].send_text("openid", str(n)) for n in range(12)]
        assert set(await asyncio.gather(*sent)) == {Taken("7")}
        assert wechat.given == 1
        http.close()


@pytest.mark.gen_test
async def test_a_token_refused_again_is_not_asked_for_a_third_time() -> None:
    wechat = Wechat(OK)
    wechat.refused = {f"token-{n}" for n in range(50)}
    async with counterpart(wechat) as other:
        http = HttpClient()
        client = client_for(other.address, LocalTokens(), http)
        assert await client.send_text("openid", "x") == Rejected("40001", "retry")
        assert other.paths().count(SEND) == 2
        http.close()


@pytest.mark.gen_test
async def test_a_refresh_is_forced_only_when_the_same_token_comes_and_once_in_30_seconds() -> None:
    wechat = Wechat(OK)
    wechat.same_token = True
    wechat.refused = {f"token-{n}" for n in range(50)}
    async with counterpart(wechat) as other:
        http = HttpClient()
        client = client_for(other.address, LocalTokens(), http)
        for _ in range(4):
            assert await client.send_text("openid", "x") == Rejected("40001", "retry")
        assert wechat.forced == 1
        http.close()


@pytest.mark.gen_test
async def test_a_token_near_its_end_is_refreshed_before_use() -> None:
    wechat = Wechat(OK)
    async with counterpart(wechat) as other:
        tokens, http = LocalTokens(), HttpClient()
        await tokens.put("wechat:wx-test", "old", time.time() + 200)
        client = client_for(other.address, tokens, http)
        assert await client.send_text("openid", "x") == Taken("7")
        assert wechat.given == 1
        http.close()


@pytest.mark.gen_test
@pytest.mark.parametrize("code", sorted(set(ACTIONS) - {40001, 40014, 42001}))
async def test_every_code_leads_to_its_action(code: int) -> None:
    async with counterpart(Wechat(say({"errcode": code, "errmsg": "x"}))) as other:
        http = HttpClient()
        client = client_for(other.address, LocalTokens(), http)
        outcome = await client.send_subscribe("openid", "t", {"thing1": "事项"}, "pages/a/b")
        assert outcome == Rejected(str(code), ACTIONS[code])
        http.close()


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (None, InDoubt),
        ((200, JSON, b'{"errcode": '), InDoubt),
        ((200, "text/html", b"<html>ok</html>"), InDoubt),
        ((200, JSON, b"[]"), InDoubt),
        ((200, JSON, b'{"errcode": "zero"}'), InDoubt),
        ((502, "text/html", b"bad gateway"), InDoubt),
        ((503, "text/html", b"busy"), Rejected),
        ((404, "text/html", b"no"), Rejected),
    ],
)
async def test_what_is_no_answer_is_not_taken_for_one(reply: Reply | None, kind: type) -> None:
    async with counterpart(Wechat(reply)) as other:
        http = HttpClient()
        outcome = await client_for(other.address, LocalTokens(), http).send_text("openid", "x")
        assert isinstance(outcome, kind)
        http.close()


@pytest.mark.gen_test
async def test_without_a_token_nothing_was_sent() -> None:
    async def refuse(_: HTTPServerRequest) -> Reply:
        return say({"errcode": 40164, "errmsg": "invalid ip"})

    async with counterpart(refuse) as other:
        http = HttpClient()
        client = client_for(other.address, LocalTokens(), http)
        outcome = await client.send_text("openid", "x")
        assert outcome == Rejected("40164", "alarm", "no access token")
        assert other.paths() == ["/cgi-bin/stable_token"]
        http.close()


@pytest.mark.gen_test
async def test_a_login_code_names_a_person_and_the_session_key_stays_inside() -> None:
    reply = say({"openid": "o1", "session_key": "hidden", "unionid": "u1"})
    async with counterpart(Wechat(reply)) as other:
        http = HttpClient()
        person = await client_for(other.address, LocalTokens(), http).code_to_session("c 1&x")
        assert (person.openid, person.unionid) == ("o1", "u1")
        assert "hidden" not in repr(person)
        assert other.requests[-1].query_arguments["js_code"] == [b"c 1&x"]
        http.close()


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("reply", "code", "final"),
    [
        (say({"errcode": 40029}), "40029", True),
        (say({"errcode": -1}), "-1", False),
        (say({}), "bad-answer", False),
        ((200, "text/html", b"<html>"), "bad-answer", False),
        (None, "unreachable", False),
    ],
)
async def test_a_login_code_that_fails(reply: Reply | None, code: str, final: bool) -> None:
    async with counterpart(Wechat(reply)) as other:
        http = HttpClient()
        with pytest.raises(WechatError) as caught:
            await client_for(other.address, LocalTokens(), http).code_to_session("c")
        assert (caught.value.code, caught.value.final) == (code, final)
        http.close()


@pytest.mark.gen_test
async def test_media_are_bounded_and_refusals_are_no_pictures() -> None:
    picture = b"\xff\xd8\xff" + b"p" * 5000
    wechat = Wechat((200, "image/jpeg", picture))
    async with counterpart(wechat) as other:
        http = HttpClient()
        client = client_for(other.address, LocalTokens(), http)
        assert await client.fetch_media("m", 10_000) == (picture, "image/jpeg")
        with pytest.raises(WechatError, match="too-large"):
            await client.fetch_media("m", 4000)
        wechat.reply = (200, "text/plain", b'{"errcode":40007,"errmsg":"invalid media_id"}')
        with pytest.raises(WechatError, match="40007"):
            await client.fetch_media("m", 10_000)
        http.close()


@pytest.mark.gen_test
@pytest.mark.parametrize(("path", "kind"), [("/cgi-bin/stable_token", Rejected), (SEND, InDoubt)])
async def test_a_sending_ends_in_time_and_says_whether_it_left(path: str, kind: type) -> None:
    async def slow(request: HTTPServerRequest) -> Reply:
        await asyncio.sleep(0.6 if request.path == path else 0)
        return say({"errcode": 0, "access_token": "t", "expires_in": 7200})

    async with counterpart(slow) as other:
        http = HttpClient()
        client = WeChatClient(
            other.address, "wx-test", "secret", LocalTokens(), http, send_seconds=0.3
        )
        assert isinstance(await client.send_text("openid", "x"), kind)
        http.close()
