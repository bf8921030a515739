"""Customer-service windows, consents and template fields, menu, media, faults."""

from typing import Any

import orjson
import pytest
from tornado.httpclient import HTTPClientError

DATA = {
    "character_string1": {"value": "2026-0001-X"},
    "thing2": {"value": "延期换证"},
    "phrase3": {"value": "已受理"},
    "time4": {"value": "2026年11月23日 09:30"},
    "thing5": {"value": "请留意后续通知"},
}


async def send_text(hands: Any, openid: str, text: str = "你好") -> int:
    body = {"touser": openid, "msgtype": "text", "text": {"content": text}}
    return int((await hands.wechat("cgi-bin/message/custom/send", body))["errcode"])


async def send_subscribe(hands: Any, person: dict[str, Any], **changes: Any) -> int:
    body = {
        "touser": person["mini_openid"],
        "template_id": "matter-progress",
        "page": "pages/matter/matter?no=1",
        "data": DATA,
        **changes,
    }
    answer = await hands.wechat("cgi-bin/message/subscribe/send", body, app="mini")
    return int(answer["errcode"])


@pytest.mark.gen_test
async def test_five_messages_in_48_hours_after_the_users_message(start: Any) -> None:
    async with start() as hands:
        person = await hands.person()
        openid, path = person["openid"], f"/sandbox/people/{person['person']}"
        assert await send_text(hands, openid) == 45015
        await hands.json("POST", f"{path}/say", {"text": "你好"})
        assert [await send_text(hands, openid) for _ in range(6)] == [0] * 5 + [45047]
        await hands.json("POST", f"{path}/say", {"text": "还在吗"})
        assert await send_text(hands, openid) == 0
        hands.box.world.shift = 48 * 3600 + 1
        assert await send_text(hands, openid) == 45015
        chat = await hands.json("GET", f"{path}/chat")
        assert sum(entry["via"] == "customer-service" for entry in chat) == 6


@pytest.mark.gen_test
async def test_three_messages_in_one_minute_after_a_menu_click(start: Any) -> None:
    async with start() as hands:
        person = await hands.person()
        event = f"/sandbox/people/{person['person']}/event"
        await hands.json("POST", event, {"event": "CLICK", "key": "PROGRESS"})
        sent = [await send_text(hands, person["openid"]) for _ in range(4)]
        assert sent == [0, 0, 0, 45047]
        await hands.json("POST", event, {"event": "CLICK", "key": "PROGRESS"})
        hands.box.world.shift = 61
        assert await send_text(hands, person["openid"]) == 45015


@pytest.mark.gen_test
async def test_strangers_and_people_who_left(start: Any) -> None:
    async with start() as hands:
        person = await hands.person()
        assert await send_text(hands, person["mini_openid"]) == 40003
        path = f"/sandbox/people/{person['person']}"
        await hands.json("POST", f"{path}/say", {"text": "你好"})
        await hands.json("POST", f"{path}/event", {"event": "unsubscribe"})
        assert await send_text(hands, person["openid"]) == 43004
        assert (await hands.fetch("POST", f"{path}/say", {"text": "你好"})).code == 409


@pytest.mark.gen_test
async def test_one_consent_one_message(start: Any) -> None:
    async with start() as hands:
        person = await hands.person()
        consent = f"/sandbox/people/{person['person']}/consent"
        assert await send_subscribe(hands, person) == 43101
        await hands.json("POST", consent, {"template_id": "matter-progress", "accept": False})
        assert await send_subscribe(hands, person) == 43101
        for _ in range(2):
            await hands.json("POST", consent, {"template_id": "matter-progress", "accept": True})
        assert [await send_subscribe(hands, person) for _ in range(3)] == [0, 0, 43101]
        wish = {"template_id": "matter-progress", "accept": True, "long_term": True}
        await hands.json("POST", consent, wish)
        assert [await send_subscribe(hands, person) for _ in range(3)] == [0, 0, 0]
        assert (await hands.fetch("POST", consent, {"template_id": "other"})).code == 400


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("thing2", "一" * 21),
        ("thing2", ""),
        ("phrase3", "已受理请稍候"),
        ("phrase3", "OK"),
        ("character_string1", "编号一"),
        ("character_string1", "1" * 33),
        ("time4", "2026-11-23 09:30"),
        ("time4", "2026年13月23日"),
        ("thing5", None),
        ("thing9", "多出来的"),
    ],
)
async def test_fields_are_checked_and_take_no_consent(start: Any, field: str, value: Any) -> None:
    async with start() as hands:
        person = await hands.person()
        consent = f"/sandbox/people/{person['person']}/consent"
        await hands.json("POST", consent, {"template_id": "matter-progress"})
        wrong = {**DATA, field: {"value": value}}
        assert await send_subscribe(hands, person, data=wrong) == 47003
        assert await send_subscribe(hands, person, template_id="other") == 40037
        assert await send_subscribe(hands, person, page="/pages/matter") == 41030
        assert await send_subscribe(hands, person, touser=person["openid"]) == 40003
        assert await send_subscribe(hands, person) == 0


@pytest.mark.gen_test
async def test_a_template_message_is_followed_by_its_event(start: Any, until: Any) -> None:
    async with start(encrypted=False) as hands:
        person = await hands.person()
        body = {"touser": person["openid"], "template_id": "matter-progress", "data": DATA}
        answer = await hands.wechat("cgi-bin/message/template/send", body)
        assert answer["errcode"] == 0
        await until(lambda: hands.service.requests)
        pushed = hands.service.requests[0].body.decode()
        assert "TEMPLATESENDJOBFINISH" in pushed and str(answer["msgid"]) in pushed


@pytest.mark.gen_test
async def test_menu_rules(start: Any) -> None:
    async with start() as hands:
        create = "cgi-bin/menu/create"
        good = {"type": "click", "name": "办件进度", "key": "PROGRESS"}
        assert (await hands.wechat(create, {"button": [good] * 4}))["errcode"] == 40016
        long = {**good, "name": "六个汉字太长"}
        assert (await hands.wechat(create, {"button": [long]}))["errcode"] == 40018
        many = {"name": "服务", "sub_button": [good] * 6}
        assert (await hands.wechat(create, {"button": [many]}))["errcode"] == 40023
        menu = {"button": [good, {"name": "服务", "sub_button": [good] * 5}]}
        assert (await hands.wechat(create, menu))["errcode"] == 0
        assert (await hands.wechat("cgi-bin/menu/get"))["menu"] == menu


@pytest.mark.gen_test
async def test_media_are_fetched_for_three_days(start: Any) -> None:
    async with start() as hands:
        person = await hands.person()
        path = f"/sandbox/people/{person['person']}/image"
        photo = b"\xff\xd8\xff photo"
        answer = await hands.fetch("POST", path, photo, Content_Type="image/jpeg")
        assert answer.code == 200
        media_id = (await hands.json("GET", path.replace("image", "chat")))[0]["media_id"]
        token = (await hands.token())["access_token"]
        get = f"/wechat-api/cgi-bin/media/get?access_token={token}&media_id="
        fetched = await hands.fetch("GET", get + media_id)
        assert (fetched.headers["Content-Type"], fetched.body) == ("image/jpeg", photo)
        assert (await hands.json("GET", get + "other"))["errcode"] == 40007
        hands.box.world.shift = 3 * 86400 + 1
        answer = await hands.wechat(f"cgi-bin/media/get?media_id={media_id}")
        assert answer["errcode"] == 40007


@pytest.mark.gen_test
async def test_faults_of_wechat(start: Any) -> None:
    async with start() as hands:
        person = await hands.person()
        path = f"/sandbox/people/{person['person']}"
        await hands.json("POST", f"{path}/say", {"text": "你好"})

        async def switch(**fault: Any) -> None:
            answer = await hands.fetch("POST", "/sandbox/faults", {"gateway": "wechat", **fault})
            assert answer.code == 200

        token = (await hands.token())["access_token"]
        await switch(fault="token_expired")
        get = f"/wechat-api/cgi-bin/menu/get?access_token={token}"
        assert (await hands.json("GET", get))["errcode"] == 42001
        assert (await hands.json("GET", get))["errcode"] == 42001
        assert (await hands.token())["access_token"] != token
        await switch(fault="quota", path="custom/send", times=1)
        assert await send_text(hands, person["openid"]) == 45009
        await switch(fault="error", code="43108", path="custom/send", times=1)
        assert await send_text(hands, person["openid"]) == 43108
        await switch(fault="down", path="menu/get", times=1)
        down = f"/wechat-api/cgi-bin/menu/get?access_token={token}"
        assert (await hands.fetch("GET", down)).code == 503
        await switch(fault="drop_after_accept", path="custom/send", times=1)
        body = {"touser": person["openid"], "msgtype": "text", "text": {"content": "只一次"}}
        fresh = (await hands.token())["access_token"]
        send = f"/wechat-api/cgi-bin/message/custom/send?access_token={fresh}"
        with pytest.raises(HTTPClientError, match="closed"):
            await hands.fetch("POST", send, body)
        chat = await hands.json("GET", f"{path}/chat")
        assert [entry["text"] for entry in chat][-1] == "只一次"
        await switch(fault="slow", seconds=0.2)
        shown = orjson.loads((await hands.fetch("GET", "/sandbox/faults")).body)
        assert shown["faults"][0]["fault"] == "slow"
        assert shown["counts"]["wechat"]["fault:drop_after_accept"] == 1
        cleared = await hands.json("DELETE", "/sandbox/faults")
        assert cleared["faults"] == []
        wrong = {"gateway": "wechat", "fault": "mood"}
        assert (await hands.fetch("POST", "/sandbox/faults", wrong)).code == 400
