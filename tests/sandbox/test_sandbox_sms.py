"""The SMS gateway: signature, business refusals, limits, receipts, look-up, faults."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import orjson
import pytest
from aliyunsdkcore.auth.composer.rpc_signature_composer import get_signed_url
from aliyunsdkcore.request import CommonRequest
from tornado.httpclient import HTTPClientError
from tornado.web import RequestHandler

from sandbox.sms import china_time
from sandbox.sms_signing import sign

PHONE = "13900000001"
CODE = {
    "TemplateCode": "SMS_LOGIN_CODE",
    "TemplateParam": '{"code":"123456","minutes":"5","purpose":"登录"}',
}


def parameters_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


@pytest.mark.gen_test
async def test_a_request_signed_by_alibabas_sdk_is_delivered(start: Any) -> None:
    async with start() as hands:
        answer = await hands.sms()
        assert (answer["Code"], answer["Message"]) == ("OK", "OK")
        inbox = await hands.json("GET", f"/sandbox/phones/{PHONE}/sms")
        assert len(inbox) == 1
        assert inbox[0]["out_id"] == "notice-1"
        assert inbox[0]["biz_id"] == answer["BizId"]
        assert inbox[0]["params"]["service"] == "延期换证 *~+&"
        assert inbox[0]["text"].startswith(
            "【便民服务】您的延期换证 *~+&（编号A1）：已受理。办理单位"
        )


@pytest.mark.gen_test
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_sdks_common_request_works_both_ways(start: Any, method: str) -> None:
    async with start() as hands:
        request = CommonRequest(
            domain="sms.local", version="2017-05-25", action_name="SendSms", product="Dysmsapi"
        )
        request.set_method(method)
        request.set_accept_format("json")
        for name, value in parameters_of(hands.sms_url()).items():
            if name in {"PhoneNumbers", "SignName", "TemplateCode", "TemplateParam", "OutId"}:
                add = request.add_body_params if method == "POST" else request.add_query_param
                add(name, value)
        request.trans_to_acs_request()
        key, secret = hands.settings.aliyun_key_id, hands.settings.aliyun_key_secret
        url = request.get_url("cn-hangzhou", key, secret)
        body = urlencode(request.get_body_params()).encode() if method == "POST" else None
        answer = await hands.fetch(method, "/sms" + url, body)
        assert orjson.loads(answer.body)["Code"] == "OK"


@pytest.mark.gen_test
async def test_calls_that_are_wrong_in_themselves(start: Any) -> None:
    async with start() as hands:
        good = parameters_of(hands.sms_url())

        async def call(resign: bool = False, **changes: str) -> tuple[int, str]:
            changed = good | changes
            if resign:
                changed["Signature"] = sign("GET", changed, hands.settings.aliyun_key_secret)
            answer = await hands.fetch("GET", "/sms?" + urlencode(changed))
            return answer.code, orjson.loads(answer.body)["Code"]

        assert await call(OutId="other") == (400, "SignatureDoesNotMatch")
        assert await call(AccessKeyId="other") == (404, "InvalidAccessKeyId.NotFound")
        assert await call(Action="Sing") == (404, "InvalidAction.NotFound")
        assert await call(Version="2016-01-01") == (400, "InvalidVersion")
        old = {"Timestamp": "2020-01-01T00:00:00Z"}
        assert await call(resign=True, **old) == (400, "InvalidTimeStamp.Expired")
        assert await call(Timestamp="now") == (400, "InvalidTimeStamp.Format")
        assert await call() == (200, "OK")
        assert await call() == (400, "SignatureNonceUsed")
        assert len(await hands.json("GET", f"/sandbox/phones/{PHONE}/sms")) == 1


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"PhoneNumbers": "12345"}, "isv.MOBILE_NUMBER_ILLEGAL"),
        ({"SignName": "别人"}, "isv.SMS_SIGNATURE_ILLEGAL"),
        ({"TemplateCode": "SMS_OTHER"}, "isv.SMS_TEMPLATE_ILLEGAL"),
        ({"TemplateParam": "{"}, "isv.INVALID_JSON_PARAM"),
        ({"TemplateParam": "[]"}, "isv.INVALID_JSON_PARAM"),
        ({"TemplateParam": "{}"}, "isv.TEMPLATE_MISSING_PARAMETERS"),
        ({"TemplateParam": None}, "isv.TEMPLATE_MISSING_PARAMETERS"),
    ],
)
async def test_business_refusals_come_with_status_200(
    start: Any, changes: dict[str, Any], code: str
) -> None:
    async with start() as hands:
        answer = await hands.fetch("GET", "/sms" + hands.sms_url(**changes))
        assert (answer.code, orjson.loads(answer.body)["Code"]) == (200, code)


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("长" * 36, "isv.PARAM_LENGTH_LIMIT"),
        ("见https://a.cn", "isv.PARAM_NOT_SUPPORT_URL"),
        ("登录www.example.com", "isv.PARAM_NOT_SUPPORT_URL"),
        ("长" * 35, "OK"),
        ("3.5千米", "OK"),
    ],
)
async def test_values_of_parameters(start: Any, value: str, code: str) -> None:
    async with start() as hands:
        values = orjson.loads(parameters_of(hands.sms_url())["TemplateParam"])
        text = orjson.dumps(values | {"hint": value}).decode()
        assert (await hands.sms(TemplateParam=text))["Code"] == code


@pytest.mark.gen_test
async def test_limits_of_codes_and_notices(start: Any) -> None:
    async with start() as hands:
        limit = "isv.BUSINESS_LIMIT_CONTROL"
        assert (await hands.sms(**CODE))["Code"] == "OK"
        again = await hands.sms(**CODE)
        assert (again["Code"], again["Message"]) == (limit, "触发分钟级流控Permits:1")
        for minute in range(1, 5):
            hands.box.world.shift = minute * 61
            assert (await hands.sms(**CODE))["Code"] == "OK"
        hands.box.world.shift = 400
        assert (await hands.sms(**CODE))["Message"] == "触发小时级流控Permits:5"
        for number in range(5):
            hands.box.world.shift = 4000 + number * 61
            assert (await hands.sms(**CODE))["Code"] == "OK"
        hands.box.world.shift = 8000
        assert (await hands.sms(**CODE))["Message"] == "触发天级流控Permits:10"
        assert (await hands.sms(**CODE, PhoneNumbers="13900000002"))["Code"] == "OK"
        for _ in range(50):
            assert (await hands.sms())["Code"] == "OK"
        assert (await hands.sms())["Message"] == "触发天级流控Permits:50"


@pytest.mark.gen_test
async def test_a_receipt_is_sent_once_it_is_accepted(start: Any, until: Any) -> None:
    async with start() as hands:
        answer = await hands.sms()
        counts = hands.box.world.faults.counts["sms"]
        await until(lambda: counts["receipts accepted"] == 1)
        request = hands.service.requests[0]
        assert request.path == f"/callbacks/sms/{hands.settings.sms_callback_secret}"
        [receipt] = orjson.loads(request.body)
        assert receipt["success"] is True
        assert receipt["biz_id"] == answer["BizId"]
        assert (receipt["phone_number"], receipt["out_id"]) == (PHONE, "notice-1")
        assert set(receipt) == {
            *("phone_number", "send_time", "report_time", "success", "err_code"),
            *("err_msg", "sms_size", "biz_id", "out_id"),
        }


@pytest.mark.gen_test
async def test_a_receipt_is_repeated_until_the_answer_says_code_0(start: Any, until: Any) -> None:
    async with start(receipt_repeat_seconds=(0.02, 0.02, 0.02)) as hands:

        async def behave(handler: RequestHandler) -> None:
            number = len(hands.service.requests)
            if number == 1:
                handler.set_status(500)
            elif number == 2:
                handler.write({"code": 1})
            else:
                handler.write({"code": 0, "msg": "ok"})

        hands.service.behave = behave
        await hands.sms()
        counts = hands.box.world.faults.counts["sms"]
        await until(lambda: counts["receipts accepted"] == 1)
        assert counts["receipts sent"] == 3


@pytest.mark.gen_test
async def test_looking_up_what_became_of_a_message(start: Any, until: Any) -> None:
    async with start(receipt_seconds=0.3) as hands:
        await hands.sms(OutId="one")
        wish = {"gateway": "sms", "fault": "undelivered", "times": 1}
        await hands.json("POST", "/sandbox/faults", wish)
        sent = await hands.sms(OutId="two")
        query = {
            "Action": "QuerySendDetails",
            "Version": "2017-05-25",
            "PhoneNumber": PHONE,
            "SendDate": china_time(hands.box.world.now())[:10].replace("-", ""),
            "PageSize": "50",
            "CurrentPage": "1",
        }

        async def look(**changes: str) -> Any:
            key, secret = hands.settings.aliyun_key_id, hands.settings.aliyun_key_secret
            url = get_signed_url({**query, **changes}, key, secret, "JSON", "GET", {})[0]
            answer = await hands.json("GET", "/sms" + url)
            rows = answer["SmsSendDetailDTOs"]["SmsSendDetailDTO"]
            return {row["OutId"]: row["SendStatus"] for row in rows}

        assert await look() == {"one": 1, "two": 1}
        hands.box.world.shift = 1
        query["SendDate"] = china_time(hands.box.world.now() - 1)[:10].replace("-", "")
        assert await look() == {"one": 3, "two": 2}
        assert await look(BizId=sent["BizId"]) == {"two": 2}
        assert await look(SendDate="20200101") == {}
        inbox = await hands.json("GET", f"/sandbox/phones/{PHONE}/sms")
        assert [sms["out_id"] for sms in inbox] == ["one"]


@pytest.mark.gen_test
async def test_faults_of_the_gateway(start: Any) -> None:
    async with start() as hands:

        async def switch(**fault: Any) -> None:
            await hands.json("POST", "/sandbox/faults", {"gateway": "sms", **fault})

        await switch(fault="error", code="isv.OUT_OF_SERVICE", times=2)
        codes = [(await hands.sms())["Code"] for _ in range(3)]
        assert codes == ["isv.OUT_OF_SERVICE", "isv.OUT_OF_SERVICE", "OK"]
        await switch(fault="down", times=1)
        assert (await hands.fetch("GET", "/sms" + hands.sms_url())).code == 503
        await switch(fault="drop_after_accept", times=1)
        with pytest.raises(HTTPClientError, match="closed"):
            await hands.fetch("GET", "/sms" + hands.sms_url())
        assert len(await hands.json("GET", f"/sandbox/phones/{PHONE}/sms")) == 2
        shown = await hands.json("GET", "/sandbox/faults")
        assert shown["counts"]["sms"]["taken"] == 2
        assert shown["counts"]["sms"]["SendSms"] == 5
