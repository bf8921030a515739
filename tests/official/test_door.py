"""The callback over the wire: what is answered, what is refused, what refusing costs: nothing."""

import secrets
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from defusedxml.ElementTree import fromstring

from sandbox.crypto import MessageCrypto, signature
from tests.support.processes import House, Started

APPID = "wx00000000develop1"


@dataclass
class WeChat:
    """Makes pushes for the service under test."""

    url: str
    token: str
    crypto: MessageCrypto

    def query(self, sealed: str = "", at: float | None = None) -> dict[str, str]:
        timestamp, nonce = str(int(at or time.time())), secrets.token_hex(5)
        query = {
            "timestamp": timestamp,
            "nonce": nonce,
            "signature": signature(self.token, timestamp, nonce),
        }
        if sealed:
            query |= {
                "encrypt_type": "aes",
                "msg_signature": signature(self.token, timestamp, nonce, sealed),
            }
        return query

    def ask(self, query: Mapping[str, str], body: bytes | None = None) -> tuple[int, bytes]:
        request = urllib.request.Request(f"{self.url}/wechat/official?{urlencode(query)}", body)
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def sealed(self, xml: str) -> tuple[dict[str, str], bytes]:
        cipher = self.crypto.encrypt(xml.encode())
        body = f"<xml><ToUserName>gh</ToUserName><Encrypt><![CDATA[{cipher}]]></Encrypt></xml>"
        return self.query(cipher), body.encode()


@pytest.fixture
def wechat(door_house: House, service: Started) -> WeChat:
    env = door_house.env
    crypto = MessageCrypto(env["BIANMIN_WECHAT_AES_KEY"], APPID)
    return WeChat(service.url, env["BIANMIN_WECHAT_TOKEN"], crypto)


def message(text: str = "帮助", openid: str = "", **more: str) -> str:
    fields = {
        "ToUserName": "gh",
        "FromUserName": openid or f"o{secrets.token_hex(8)}",
        "CreateTime": str(int(time.time())),
        "MsgType": "text",
        "Content": f"<![CDATA[{text}]]>",
        "MsgId": str(secrets.randbits(60)),
        **more,
    }
    return "<xml>" + "".join(f"<{k}>{v}</{k}>" for k, v in fields.items()) + "</xml>"


def test_echo_comes_back_only_to_wechat(wechat: WeChat) -> None:
    good = {**wechat.query(), "echostr": "4375120948345356249"}
    assert wechat.ask(good) == (200, b"4375120948345356249")
    for wrong in ({"signature": "0" * 40}, {"signature": ""}, {"nonce": "other"}):
        status, body = wechat.ask({**good, **wrong})
        assert status == 403 and b"4375120948345356249" not in body
    assert wechat.ask({**wechat.query(at=time.time() - 3600), "echostr": "1"})[0] == 403
    assert wechat.ask(wechat.query())[0] == 400
    assert wechat.ask({**wechat.query(), "echostr": "x" * 5000})[0] == 400


def test_encrypted_message_gets_an_encrypted_answer(wechat: WeChat) -> None:
    status, body = wechat.ask(*wechat.sealed(message(openid="o-1")))
    root = fromstring(body)
    cipher, nonce = root.findtext("Encrypt"), root.findtext("Nonce")
    parts = (wechat.token, root.findtext("TimeStamp"), nonce, cipher)
    assert status == 200 and root.findtext("MsgSignature") == signature(*parts)
    reply = fromstring(wechat.crypto.decrypt(cipher))
    assert (reply.findtext("ToUserName"), reply.findtext("FromUserName")) == ("o-1", "gh")
    assert "延期换证" in reply.findtext("Content")


def test_plain_message_gets_a_plain_answer(wechat: WeChat) -> None:
    status, body = wechat.ask(wechat.query(), message().encode())
    assert status == 200 and "延期换证" in fromstring(body).findtext("Content")


def test_what_was_said_cannot_break_the_answer(wechat: WeChat) -> None:
    said = "]]]]><![CDATA[></Content><Content>"
    _, body = wechat.ask(wechat.query(), message(said).encode())
    assert fromstring(body).findtext("MsgType") == "text"


def test_replay_within_the_window_gets_the_same_answer_and_changes_nothing(wechat: WeChat) -> None:
    openid = f"o{secrets.token_hex(8)}"
    query, body = wechat.sealed(message("注册", openid))
    first = wechat.crypto.decrypt(fromstring(wechat.ask(query, body)[1]).findtext("Encrypt"))
    wechat.ask(*wechat.sealed(message("取消", openid)))
    again = wechat.crypto.decrypt(fromstring(wechat.ask(query, body)[1]).findtext("Encrypt"))
    content = [fromstring(xml).findtext("Content") for xml in (first, again)]
    assert content[0] == content[1]
    status, answer = wechat.ask(wechat.query(), message("取消", openid).encode())
    assert status == 200 and "没有正在填写" in fromstring(answer).findtext("Content")


def refused(wechat: WeChat, query: Mapping[str, str], body: bytes) -> int:
    status, answer = wechat.ask(query, body)
    assert 400 <= status < 500, status
    assert b"Traceback" not in answer and b'File "' not in answer
    return status


def test_forged_and_replayed(wechat: WeChat) -> None:
    query, body = wechat.sealed(message())
    assert refused(wechat, {**query, "msg_signature": "0" * 40}, body) == 403
    assert refused(wechat, {**query, "msg_signature": ""}, body) == 403
    assert refused(wechat, {**query, "nonce": "another"}, body) == 403
    assert refused(wechat, {}, body) == 403
    assert refused(wechat, {**query, "timestamp": "²³"}, body) == 403
    assert refused(wechat, {**query, "msg_signature": "签名"}, body) == 403
    assert refused(wechat, wechat.query(at=time.time() - 3600), message().encode()) == 403
    assert refused(wechat, {**wechat.query(), "signature": "f" * 40}, message().encode()) == 403


def test_message_for_another_account(wechat: WeChat) -> None:
    other = WeChat(wechat.url, wechat.token, MessageCrypto(wechat.crypto.aes_key, "wx-other"))
    assert refused(wechat, *other.sealed(message())) == 403


@pytest.mark.parametrize(
    "xml",
    [
        "",
        "no xml",
        "<xml/>",
        "<xml><MsgType>text</MsgType></xml>",
        "<a><b/></a>",
        '<!DOCTYPE x [<!ENTITY a "1">]><xml><MsgType>&a;</MsgType></xml>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><xml/>',
    ],
)
def test_malformed_and_entity_laden(wechat: WeChat, xml: str) -> None:
    assert refused(wechat, wechat.query(), xml.encode()) == 400
    if xml:
        assert refused(wechat, *wechat.sealed(xml)) == 400


def test_rightly_signed_rubbish(wechat: WeChat) -> None:
    for sealed in ("QUJD", "%%%", "QUJD" * 16, secrets.token_hex(64)):
        body = f"<xml><Encrypt>{sealed}</Encrypt></xml>".encode()
        assert refused(wechat, wechat.query(sealed), body) in (400, 403)
    assert refused(wechat, wechat.query(), secrets.token_bytes(200)) == 400


def test_oversized_body_by_its_header(wechat: WeChat) -> None:
    query = wechat.query()
    body = message("长" * 30000).encode()
    assert len(body) > 64 * 1024
    assert refused(wechat, query, body) == 413


def test_oversized_body_in_chunks(wechat: WeChat) -> None:
    address = urllib.parse.urlsplit(wechat.url)
    with socket.create_connection((address.hostname, address.port), timeout=15) as wire:
        head = (
            f"POST /wechat/official?{urlencode(wechat.query())} HTTP/1.1\r\n"
            f"Host: {address.netloc}\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        wire.sendall(head.encode())
        for _ in range(20):
            wire.sendall(b"2000\r\n" + b"a" * 0x2000 + b"\r\n")
        wire.sendall(b"0\r\n\r\n")
        assert wire.recv(200).startswith(b"HTTP/1.1 413")


def test_other_methods_and_encodings(wechat: WeChat) -> None:
    for method in ("PUT", "DELETE", "PATCH"):
        request = urllib.request.Request(f"{wechat.url}/wechat/official", b"x", method=method)
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=15)
        with caught.value as error:
            assert error.code == 405
    status, _ = wechat.ask({**wechat.query(), "x": "1"}, b"\xff\xfe")
    assert status == 400


def test_nothing_of_this_was_an_error_of_ours(service: Started, wechat: WeChat) -> None:
    refused(wechat, {}, b"x")
    log = service.log.read_text()
    assert "unexpected-error" not in log and "Traceback" not in log
    assert '"status": 500' not in log and '"status":500' not in log
