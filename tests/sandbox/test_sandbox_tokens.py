"""stable_token, the check of tokens, login codes."""

from typing import Any

import pytest


@pytest.mark.gen_test
async def test_the_same_token_until_five_minutes_are_left(start: Any) -> None:
    async with start() as hands:
        first = await hands.token()
        assert 7100 < first["expires_in"] <= 7200
        hands.box.world.shift = 6800
        assert (await hands.token())["access_token"] == first["access_token"]
        hands.box.world.shift = 6950
        second = await hands.token()
        assert second["access_token"] != first["access_token"]
        tokens, now = hands.box.world.tokens, hands.box.world.now
        assert tokens.check(first["access_token"], now()) == "official"
        hands.box.world.shift = 7300
        path = f"/wechat-api/cgi-bin/menu/get?access_token={first['access_token']}"
        assert (await hands.json("GET", path))["errcode"] == 42001


@pytest.mark.gen_test
async def test_forced_refreshes_are_thirty_seconds_apart_and_twenty_a_day(start: Any) -> None:
    async with start() as hands:
        seen = {(await hands.token())["access_token"]}
        for number in range(20):
            hands.box.world.shift = number * 31
            forced = (await hands.token(force=True))["access_token"]
            assert forced not in seen
            seen.add(forced)
            # Too soon: nothing is refreshed.
            if number < 19:
                assert (await hands.token(force=True))["access_token"] == forced
        hands.box.world.shift = 3600
        assert (await hands.token(force=True))["errcode"] == 45009
        hands.box.world.shift = 2 * 86400
        assert "access_token" in await hands.token(force=True)


@pytest.mark.gen_test
async def test_after_a_forced_refresh_the_old_token_serves_five_minutes(start: Any) -> None:
    async with start() as hands:
        old = (await hands.token())["access_token"]
        await hands.token(force=True)
        path = f"/wechat-api/cgi-bin/menu/get?access_token={old}"
        assert (await hands.json("GET", path))["errcode"] == 46003
        hands.box.world.shift = 301
        assert (await hands.json("GET", path))["errcode"] == 42001


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"appid": "wx-other"}, 40013),
        ({"secret": "wrong"}, 40125),
        ({"secret": ""}, 41004),
        ({"appid": ""}, 41002),
        ({"grant_type": "password"}, 40002),
    ],
)
async def test_wrong_credentials(start: Any, changes: dict[str, str], code: int) -> None:
    async with start() as hands:
        right = {"appid": hands.settings.mini_appid, "secret": hands.settings.mini_secret}
        body = {"grant_type": "client_credential", **right, **changes}
        answer = await hands.json("POST", "/wechat-api/cgi-bin/stable_token", body)
        assert answer["errcode"] == code


@pytest.mark.gen_test
async def test_calls_without_a_good_token(start: Any) -> None:
    async with start() as hands:
        get = "/wechat-api/cgi-bin/menu/get"
        assert (await hands.json("GET", get))["errcode"] == 41001
        assert (await hands.json("GET", f"{get}?access_token=made-up"))["errcode"] == 40001
        assert (await hands.wechat("cgi-bin/menu/get", app="mini"))["errcode"] == 48001


@pytest.mark.gen_test
async def test_a_login_code_works_once_and_for_five_minutes(start: Any) -> None:
    async with start(unionid=True) as hands:
        person = await hands.person()
        codes = f"/sandbox/people/{person['person']}/login-code"
        secret = f"appid={hands.settings.mini_appid}&secret={hands.settings.mini_secret}"
        path = f"/wechat-api/sns/jscode2session?{secret}&grant_type=authorization_code&js_code="
        code = (await hands.json("POST", codes, {}))["code"]
        answer = await hands.json("GET", path + code)
        assert answer["openid"] == person["mini_openid"]
        assert answer["unionid"] == person["unionid"]
        assert answer["session_key"]
        assert (await hands.json("GET", path + code))["errcode"] == 40163
        assert (await hands.json("GET", path + "made-up"))["errcode"] == 40029
        late = (await hands.json("POST", codes, {}))["code"]
        hands.box.world.shift = 301
        assert (await hands.json("GET", path + late))["errcode"] == 40029


@pytest.mark.gen_test
async def test_a_phone_code_is_no_login_code(start: Any) -> None:
    async with start() as hands:
        person = await hands.person()
        made = await hands.json("POST", f"/sandbox/people/{person['person']}/phone-code", {})
        path = "wxa/business/getuserphonenumber"
        answer = await hands.wechat(path, {"code": made["code"]}, app="mini")
        assert answer["phone_info"]["purePhoneNumber"] == person["phone"]
        assert (await hands.wechat(path, {"code": made["code"]}, app="mini"))["errcode"] == 40163
