"""Pushes: signature, encryption, retries, and how strictly a passive reply is read."""

import asyncio
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from tornado.web import RequestHandler

from sandbox.crypto import MessageCrypto, signature
from sandbox.wechat_push import SERVICE_BROKEN
from sandbox.wechat_xml import cdata, write_message


def opened(hands: Any, request: Any) -> Element:
    """The message inside an encrypted push, its signature checked."""
    settings = hands.settings
    cipher = fromstring(request.body).findtext("Encrypt") or ""
    arguments = {name: values[0].decode() for name, values in request.query_arguments.items()}
    parts = (settings.wechat_token, arguments["timestamp"], arguments["nonce"])
    assert arguments["signature"] == signature(*parts)
    assert arguments["msg_signature"] == signature(*parts, cipher)
    assert arguments["encrypt_type"] == "aes"
    crypto = MessageCrypto(settings.wechat_aes_key, settings.wechat_appid)
    return fromstring(crypto.decrypt(cipher))


def reply_to(message: Element, text: str = "您好", **changes: str) -> dict[str, str]:
    return {
        "ToUserName": message.findtext("FromUserName") or "",
        "FromUserName": message.findtext("ToUserName") or "",
        "CreateTime": "1700000000",
        "MsgType": "text",
        "Content": text,
        **changes,
    }


def sealed(hands: Any, body: bytes, appid: str = "", token: str = "") -> bytes:
    """An encrypted passive reply."""
    settings = hands.settings
    cipher = MessageCrypto(settings.wechat_aes_key, appid or settings.wechat_appid).encrypt(body)
    signed = signature(token or settings.wechat_token, "1700000000", "42", cipher)
    fields = {"Encrypt": cipher, "MsgSignature": signed, "TimeStamp": "1700000000", "Nonce": "42"}
    return write_message(fields)


async def say(hands: Any, person: dict[str, Any], text: str = "你好", **options: Any) -> Any:
    path = f"/sandbox/people/{person['person']}/say"
    return await hands.json("POST", path, {"text": text, **options})


@pytest.mark.gen_test
async def test_an_encrypted_push_and_its_encrypted_reply(start: Any) -> None:
    async with start() as hands:

        async def behave(handler: RequestHandler) -> None:
            message = opened(hands, handler.request)
            assert message.findtext("Content") == "a]]>b <你好>"
            handler.write(sealed(hands, write_message(reply_to(message, "收到]]>"))))

        hands.service.behave = behave
        person = await hands.person()
        answer = await say(hands, person, "a]]>b <你好>")
        assert answer["replies"] == [{"type": "text", "text": "收到]]>"}]
        assert (answer["pushes"], answer["problem"]) == (1, "")
        chat = await hands.json("GET", f"/sandbox/people/{person['person']}/chat")
        assert [(entry["from"], entry["text"]) for entry in chat] == [
            ("person", "a]]>b <你好>"),
            ("account", "收到]]>"),
        ]


@pytest.mark.gen_test
async def test_three_tries_with_the_same_message_id(start: Any) -> None:
    async with start() as hands:

        async def behave(handler: RequestHandler) -> None:
            await asyncio.sleep(0.6)

        hands.service.behave = behave
        person = await hands.person()
        answer = await say(hands, person)
        assert (answer["pushes"], answer["statuses"]) == (3, [0, 0, 0])
        assert answer["replies"][0]["text"] == SERVICE_BROKEN
        messages = [opened(hands, request) for request in hands.service.requests]
        assert {message.findtext("MsgId") for message in messages} == {answer["msg_id"]}
        assert len({message.findtext("CreateTime") for message in messages}) == 1
        assert int(answer["msg_id"]) < 2**63


@pytest.mark.gen_test
async def test_the_third_try_may_still_answer(start: Any) -> None:
    async with start() as hands:

        async def behave(handler: RequestHandler) -> None:
            if len(hands.service.requests) < 3:
                await asyncio.sleep(0.6)
            else:
                message = opened(hands, handler.request)
                handler.write(sealed(hands, write_message(reply_to(message))))

        hands.service.behave = behave
        answer = await say(hands, await hands.person())
        assert answer["statuses"] == [0, 0, 200]
        assert answer["replies"] == [{"type": "text", "text": "您好"}]


@pytest.mark.gen_test
async def test_a_service_that_is_not_there_is_tried_three_times(start: Any) -> None:
    async with start(service="http://127.0.0.1:1") as hands:
        answer = await say(hands, await hands.person())
        assert answer["statuses"] == [0, 0, 0]
        assert answer["replies"][0]["text"] == SERVICE_BROKEN


@pytest.mark.gen_test
@pytest.mark.parametrize("body", ["success", ""])
async def test_success_shows_nothing(start: Any, body: str) -> None:
    async with start() as hands:

        async def behave(handler: RequestHandler) -> None:
            handler.write(body)

        hands.service.behave = behave
        answer = await say(hands, await hands.person())
        assert (answer["pushes"], answer["replies"]) == (1, [])


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("plain in encrypted mode", "<Encrypt> is missing"),
        ("other appid", "appid does not match"),
        ("other token", "MsgSignature is wrong"),
        ("names not swapped", "ToUserName"),
        ("unknown type", "unknown MsgType"),
        ("empty text", "<Content> is missing"),
        ("too long", "2048"),
        ("malformed", "not well-formed"),
        ("entity", "DTD"),
        ("unknown media", "MediaId"),
        ("error page", "HTTP status 500"),
    ],
)
async def test_replies_the_platform_would_not_show(start: Any, fault: str, problem: str) -> None:
    async with start() as hands:

        async def behave(handler: RequestHandler) -> None:
            message = opened(hands, handler.request)
            good = reply_to(message)
            bodies = {
                "names not swapped": {**good, "ToUserName": good["FromUserName"]},
                "unknown type": {**good, "MsgType": "poem"},
                "empty text": {**good, "Content": ""},
                "too long": {**good, "Content": "长" * 700},
            }
            if fault == "error page":
                handler.set_status(500)
            elif fault == "plain in encrypted mode":
                handler.write(write_message(good))
            elif fault == "other appid":
                handler.write(sealed(hands, write_message(good), appid="wx-other"))
            elif fault == "other token":
                handler.write(sealed(hands, write_message(good), token="other"))
            elif fault == "malformed":
                handler.write(sealed(hands, b"<xml><Content><![CDATA[a]]>]]></Content>"))
            elif fault == "entity":
                handler.write(sealed(hands, b'<!DOCTYPE x [<!ENTITY a "b">]><xml>&a;</xml>'))
            elif fault == "unknown media":
                text = write_message({**good, "MsgType": "image"}).decode()
                image = f"<Image><MediaId>{cdata('none')}</MediaId></Image></xml>"
                handler.write(sealed(hands, text.replace("</xml>", image).encode()))
            else:
                handler.write(sealed(hands, write_message(bodies[fault])))

        hands.service.behave = behave
        answer = await say(hands, await hands.person())
        assert problem in answer["problem"]
        assert answer["replies"][0]["text"] == SERVICE_BROKEN
        assert answer["pushes"] == 1


@pytest.mark.gen_test
async def test_plain_mode_and_forged_pushes(start: Any) -> None:
    async with start() as hands:
        person = await hands.person()
        await say(hands, person, encrypted=False, msg_id="6054768590064713728")
        request = hands.service.requests[0]
        assert "msg_signature" not in request.query_arguments
        plain = fromstring(request.body)
        assert plain.findtext("MsgId") == "6054768590064713728"
        await say(hands, person, raw="<xml>", query={"msg_signature": "0" * 40})
        forged = hands.service.requests[1]
        assert forged.body == b"<xml>"
        assert forged.query_arguments["msg_signature"] == [b"0" * 40]


@pytest.mark.gen_test
async def test_following_and_verification(start: Any) -> None:
    async with start() as hands:
        person = await hands.person(follow=False)
        event = f"/sandbox/people/{person['person']}/event"
        await hands.json("POST", event, {"event": "subscribe"})
        message = opened(hands, hands.service.requests[0])
        assert message.findtext("Event") == "subscribe"
        assert message.find("MsgId") is None
        shown = await hands.json("GET", f"/sandbox/people/{person['person']}")
        assert shown["follows"] is True

        async def echo(handler: RequestHandler) -> None:
            handler.write(handler.get_argument("echostr"))

        assert await hands.json("POST", "/sandbox/verify", {}) == {"status": 200, "echoed": False}
        hands.service.behave = echo
        assert await hands.json("POST", "/sandbox/verify", {}) == {"status": 200, "echoed": True}
