"""Opening and sealing against published vectors, and every way a push may be wrong."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.wechat_crypto import (
    WINDOW_SECONDS,
    OfficialCrypto,
    PushRefused,
    Signed,
    WechatSettings,
    read_message,
    text_reply,
)
from sandbox.crypto import MessageCrypto
from sandbox.crypto import signature as sign

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "data" / "wechat-vectors.json").read_text("utf-8")
)
SEALED = [name for name in ("C_decrypt", "D_decrypt", "E_decrypt", "EasyWeChat")]
NOW = 1_750_000_000
TOKEN, APPID = "token-of-tests", "wx0123456789abcdef"
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
MESSAGE = (
    "<xml><ToUserName><![CDATA[gh_test]]></ToUserName><FromUserName><![CDATA[o-1]]></FromUserName>"
    f"<CreateTime>{NOW}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
    "<Content><![CDATA[你好]]></Content><MsgId>1001</MsgId></xml>"
)


def crypto(mode: Any = "both", key: str = KEY) -> OfficialCrypto:
    return OfficialCrypto(WechatSettings(TOKEN, key, APPID, mode))


def signed(sealed: str = "", at: int = NOW, token: str = TOKEN) -> Signed:
    timestamp, nonce = str(at), "nonce-1"
    return Signed(
        timestamp,
        nonce,
        sign(token, timestamp, nonce),
        sign(token, timestamp, nonce, sealed) if sealed else "",
    )


def envelope(sealed: str) -> bytes:
    return f"<xml><ToUserName>gh</ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>".encode()


def seal(message: str, appid: str = APPID, key: str = KEY) -> str:
    return MessageCrypto(key, appid).encrypt(message.encode())


def refusal(opened: Any) -> int:
    with pytest.raises(PushRefused) as caught:
        opened()
    return caught.value.status


@pytest.mark.parametrize("name", SEALED)
def test_published_messages_open(name: str) -> None:
    v = VECTORS[name]
    ours = OfficialCrypto(WechatSettings(v["token"], v["key"], v["appid"], "encrypted"))
    given_ = Signed(v["timestamp"], v["nonce"], "", v["msg_signature"])
    xml, encrypted = ours.open(envelope(v["cipher"]), given_, float(v["timestamp"]))
    assert encrypted
    assert xml == v["plain"] if "plain" in v else v["plain_contains"] in xml


def test_published_echo_verifies() -> None:
    v = VECTORS["GET_plain"]
    ours = OfficialCrypto(WechatSettings(v["token"], "", "wx", "plain"))
    ours.verify(Signed(v["timestamp"], v["nonce"], v["signature"], ""), float(v["timestamp"]))


def test_message_opens_in_both_modes() -> None:
    sealed = seal(MESSAGE)
    assert crypto().open(envelope(sealed), signed(sealed), NOW) == (MESSAGE, True)
    assert crypto().open(MESSAGE.encode(), signed(), NOW) == (MESSAGE, False)


def test_encrypted_mode_takes_nothing_plain() -> None:
    assert refusal(lambda: crypto("encrypted").open(MESSAGE.encode(), signed(), NOW)) == 403


def test_plain_mode_takes_nothing_encrypted() -> None:
    sealed = seal(MESSAGE)
    assert refusal(lambda: crypto("plain").open(envelope(sealed), signed(sealed), NOW)) == 403


def test_taking_the_msg_signature_away_does_not_lead_to_the_plain_part() -> None:
    sealed = seal(MESSAGE)
    both = MESSAGE.replace("</xml>", f"<Encrypt>{sealed}</Encrypt></xml>").encode()
    assert refusal(lambda: crypto().open(both, signed(), NOW)) == 403


def test_of_a_body_with_both_parts_only_the_encrypted_one_counts() -> None:
    sealed = seal(MESSAGE)
    both = MESSAGE.replace("你好", "伪造").replace("</xml>", f"<Encrypt>{sealed}</Encrypt></xml>")
    assert crypto().open(both.encode(), signed(sealed), NOW) == (MESSAGE, True)


@pytest.mark.parametrize("mode", ["plain", "both"])
def test_forged_signature(mode: str) -> None:
    forged = signed(token="another")
    assert refusal(lambda: crypto(mode).open(MESSAGE.encode(), forged, NOW)) == 403


def test_forged_msg_signature_with_a_right_plain_one() -> None:
    sealed = seal(MESSAGE)
    forged = Signed(str(NOW), "nonce-1", signed().signature, "0" * 40)
    assert refusal(lambda: crypto().open(envelope(sealed), forged, NOW)) == 403


def test_another_ciphertext_under_the_same_signature() -> None:
    given_, other = signed(seal(MESSAGE)), seal(MESSAGE)
    assert refusal(lambda: crypto().open(envelope(other), given_, NOW)) == 403


@pytest.mark.parametrize("late", [WINDOW_SECONDS + 1, -WINDOW_SECONDS - 1])
def test_replay_outside_the_window(late: int) -> None:
    sealed = seal(MESSAGE)
    assert refusal(lambda: crypto().open(envelope(sealed), signed(sealed), NOW + late)) == 403
    assert refusal(lambda: crypto().open(MESSAGE.encode(), signed(), NOW + late)) == 403
    assert refusal(lambda: crypto().verify(signed(), NOW + late)) == 403


@pytest.mark.parametrize("timestamp", ["", "abc", "-1", "1e9", "²", "9" * 40])
def test_timestamp_that_is_none(timestamp: str) -> None:
    odd = Signed(timestamp, "n", sign(TOKEN, timestamp, "n"), "")
    assert refusal(lambda: crypto().verify(odd, NOW)) == 403


def test_message_of_another_appid() -> None:
    sealed = seal(MESSAGE, appid="wx-another")
    assert refusal(lambda: crypto().open(envelope(sealed), signed(sealed), NOW)) == 403


@pytest.mark.parametrize(
    "sealed",
    [
        "no base64!",
        "QUJD",
        base64.b64encode(b"x" * 16).decode(),
        base64.b64encode(b"x" * 64).decode(),
    ],
)
def test_rightly_signed_rubbish(sealed: str) -> None:
    assert refusal(lambda: crypto().open(envelope(sealed), signed(sealed), NOW)) in (400, 403)


def test_message_under_another_key() -> None:
    sealed = seal(MESSAGE, key="B" * 43)
    assert refusal(lambda: crypto().open(envelope(sealed), signed(sealed), NOW)) in (400, 403)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not xml",
        b"<xml>",
        b"<other/>",
        b"\xff\xfe\x00",
        b"<?xml version='1.0' encoding='nobody-knows'?><xml/>",
        b"<!DOCTYPE xml><xml><Content>x</Content></xml>",
        b'<!DOCTYPE xml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><xml><Content>&b;</Content></xml>',
        b'<!DOCTYPE xml [<!ENTITY x SYSTEM "file:///etc/passwd">]><xml><Content>&x;</Content></xml>',
        "<?xml version='1.0' encoding='gbk'?><xml><Content>你</Content></xml>".encode("gbk"),
    ],
)
def test_body_that_is_no_message(body: bytes) -> None:
    assert refusal(lambda: crypto().open(body, signed(), NOW)) == 400


def test_entities_inside_the_encrypted_message_are_refused_too() -> None:
    bomb = '<!DOCTYPE xml [<!ENTITY a "aaaa">]>' + MESSAGE.replace("你好", "&a;")
    sealed = seal(bomb)
    xml, _ = crypto().open(envelope(sealed), signed(sealed), NOW)
    assert refusal(lambda: read_message(xml)) == 400


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<MsgType><![CDATA[text]]></MsgType>", ""),
        ("<MsgType><![CDATA[text]]></MsgType>", "<MsgType/>"),
        ("<MsgType><![CDATA[text]]></MsgType>", "<MsgType a='1'>text</MsgType>"),
        ("<MsgType><![CDATA[text]]></MsgType>", "<MsgType><b/></MsgType>"),
        ("<MsgType><![CDATA[text]]></MsgType>", "<MsgType>event</MsgType><Event/>"),
        ("<MsgType><![CDATA[text]]></MsgType>", "<MsgType>text</MsgType><MsgType>image</MsgType>"),
        ("<FromUserName><![CDATA[o-1]]></FromUserName>", "<FromUserName> </FromUserName>"),
        (f"<CreateTime>{NOW}</CreateTime>", "<CreateTime>now</CreateTime>"),
        (f"<CreateTime>{NOW}</CreateTime>", "<CreateTime>99999999999999</CreateTime>"),
        ("<MsgId>1001</MsgId>", "<MsgId>one</MsgId>"),
        ("<Content><![CDATA[你好]]></Content>", "<Content><a>1</a></Content>"),
    ],
)
def test_message_with_a_broken_part(old: str, new: str) -> None:
    assert old in MESSAGE
    assert refusal(lambda: read_message(MESSAGE.replace(old, new))) == 400


def test_text_of_a_person_may_look_like_a_doctype() -> None:
    message = read_message(MESSAGE.replace("你好", "<!DOCTYPE x> &amp; <b>"))
    assert message.content == "<!DOCTYPE x> &amp; <b>"


@given(st.text(max_size=200))
@settings(max_examples=300)
def test_any_text_gives_a_well_formed_reply(text: str) -> None:
    root = fromstring(text_reply("o-1", "gh", text, NOW))
    content = root.findtext("Content") or ""
    wanted = "".join(c for c in text if c in "\t\n\r" or c >= " ")
    wanted = "".join(
        c for c in wanted if not 0xD800 <= ord(c) <= 0xDFFF and c not in "\ufffe\uffff"
    )
    assert content == wanted.replace("\r\n", "\n").replace("\r", "\n")


def test_cdata_end_in_a_reply_survives_sealing() -> None:
    sealed = crypto().seal(text_reply("o-1", "gh", "a]]>b<c>&", NOW), NOW)
    root = fromstring(sealed)
    cipher = root.findtext("Encrypt") or ""
    timestamp, nonce = root.findtext("TimeStamp") or "", root.findtext("Nonce") or ""
    assert root.findtext("MsgSignature") == sign(TOKEN, timestamp, nonce, cipher)
    opened = MessageCrypto(KEY, APPID).decrypt(cipher)
    assert fromstring(opened).findtext("Content") == "a]]>b<c>&"


_TAGS = [
    "MsgType",
    "Event",
    "EventKey",
    "FromUserName",
    "ToUserName",
    "CreateTime",
    "MsgId",
    "Content",
]
_VALUES = st.sampled_from(
    ["text", "event", "device_event", "CLICK", "1", "", " ", "subscribe", "qrscene_1"]
)
_ELEMENTS = st.lists(st.tuples(st.sampled_from(_TAGS), _VALUES), max_size=12)


@given(_ELEMENTS)
@settings(max_examples=300)
def test_no_arrangement_of_elements_breaks_the_reader(elements: list[tuple[str, str]]) -> None:
    xml = "<xml>" + "".join(f"<{t}>{v}</{t}>" for t, v in elements) + "</xml>"
    try:
        message = read_message(xml)
    except PushRefused as refused:
        assert refused.status == 400
    else:
        assert message.source and message.target


@given(st.binary(max_size=300))
@settings(max_examples=300)
def test_no_bytes_break_the_door(body: bytes) -> None:
    assert refusal(lambda: crypto().open(body, signed(), NOW)) == 400


@pytest.mark.parametrize(
    ("mode", "key"), [("encrypted", ""), ("both", "short"), ("both", "!" * 43)]
)
def test_settings_that_cannot_work_stop_the_start(mode: Any, key: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        OfficialCrypto(WechatSettings(TOKEN, key, APPID, mode))
