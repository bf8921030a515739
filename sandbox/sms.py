"""The SMS gateway: Alibaba Cloud Dysmsapi 2017-05-25, RPC style, SendSms and QuerySendDetails.

Faults of the call itself (signature, key, time, nonce) have an HTTP error status; business refusals
are HTTP 200 with Code != OK.
"""

import math
import re
import secrets
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import orjson

from sandbox.gateway import GatewayHandler
from sandbox.sms_limits import exceeded
from sandbox.sms_signing import matches
from sandbox.world import World

CHINA = timezone(timedelta(hours=8))
VERSION = "2017-05-25"
TIMESTAMP_SECONDS = 15 * 60
PARAMETER_LIMIT = 35
MOBILE = re.compile(r"(?:\+86|0086|86)?(1[3-9]\d{9})")
CODE = re.compile(r"[0-9A-Za-z]{4,6}")
URL = re.compile(r"https?://|www\.|[A-Za-z0-9-]+\.(com|cn|net|org|gov|io|top)\b", re.IGNORECASE)


class CallError(Exception):
    """The call itself is wrong: HTTP status, code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


class BusinessError(Exception):
    """The call is right and is refused."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code, self.message = code, message


def china_time(at: float) -> str:
    """Seconds since 1970 as the gateway writes times."""
    return datetime.fromtimestamp(at, CHINA).strftime("%Y-%m-%d %H:%M:%S")


class SmsHandler(GatewayHandler):
    """GET and POST; parameters from query and form body together."""

    async def get(self) -> None:
        await self._serve()

    async def post(self) -> None:
        await self._serve()

    async def _serve(self) -> None:
        parameters = dict(parse_qsl(self.request.query, keep_blank_values=True))
        if self.request.method == "POST":
            form = self.request.body.decode("utf-8", "replace")
            parameters |= dict(parse_qsl(form, keep_blank_values=True))
        action = parameters.get("Action", "")
        self.world.faults.counts["sms"][action] += 1
        fault = self.world.faults.take("sms", action)
        if await self.refused_by(fault):
            return
        kind = fault.fault if fault is not None else ""
        status, answer = 200, {}
        try:
            self._check_call(parameters)
            if fault is not None and kind == "error":
                raise BusinessError(fault.code, "switched on in the sandbox")
            if action == "SendSms":
                answer = self._send(parameters, "" if fault is None else kind, fault)
            else:
                answer = query_send_details(self.world, parameters)
        except CallError as error:
            status = error.status
            answer = {"HostId": self.request.host, "Code": error.code, "Message": error.message}
        except BusinessError as error:
            answer = {"Code": error.code, "Message": error.message}
        if kind == "drop_after_accept":
            self.hang_up()
            return
        self.set_status(status)
        answer["RequestId"] = str(uuid.uuid4()).upper()
        if parameters.get("Format", "XML").upper() == "JSON":
            self.set_header("Content-Type", "application/json;charset=utf-8")
            self.finish(orjson.dumps(answer))
        else:
            self.set_header("Content-Type", "text/xml;charset=utf-8")
            self.finish(_xml("Error" if status != 200 else f"{action}Response", answer))

    def _check_call(self, parameters: Mapping[str, str]) -> None:
        """Key, signature, time and nonce; raises CallError."""
        settings = self.world.settings
        for name in ("Action", "AccessKeyId", "Signature", "SignatureNonce", "Timestamp"):
            if not parameters.get(name):
                raise CallError(400, f"Missing{name}", f"{name} is mandatory for this action.")
        if parameters.get("Version") != VERSION:
            raise CallError(400, "InvalidVersion", "Specified parameter Version is not valid.")
        if parameters["Action"] not in {"SendSms", "QuerySendDetails"}:
            raise CallError(404, "InvalidAction.NotFound", "Specified api is not found.")
        if parameters["AccessKeyId"] != settings.aliyun_key_id:
            raise CallError(
                404, "InvalidAccessKeyId.NotFound", "Specified access key is not found."
            )
        if parameters.get("SignatureMethod") != "HMAC-SHA1":
            raise CallError(400, "UnsupportedSignatureMethod", "Only HMAC-SHA1 is accepted here.")
        try:
            at = datetime.strptime(parameters["Timestamp"], "%Y-%m-%dT%H:%M:%SZ")
        except ValueError as error:
            raise CallError(400, "InvalidTimeStamp.Format", "Timestamp is not valid.") from error
        # A signed request carries the caller's real time, so the sandbox's movable clock is not
        # used here.
        now = time.time()
        if abs(now - at.replace(tzinfo=UTC).timestamp()) > TIMESTAMP_SECONDS:
            raise CallError(400, "InvalidTimeStamp.Expired", "Timestamp is expired.")
        method = self.request.method or ""
        if not matches(method, parameters, settings.aliyun_key_secret):
            raise CallError(400, "SignatureDoesNotMatch", "Specified signature does not match.")
        for old in [nonce for nonce, until in self.world.sms_nonces.items() if until <= now]:
            del self.world.sms_nonces[old]
        if parameters["SignatureNonce"] in self.world.sms_nonces:
            raise CallError(400, "SignatureNonceUsed", "Specified nonce was used already.")
        self.world.sms_nonces[parameters["SignatureNonce"]] = now + 2 * TIMESTAMP_SECONDS

    def _send(self, parameters: Mapping[str, str], kind: str, fault: Any) -> dict[str, Any]:
        for name in ("PhoneNumbers", "SignName", "TemplateCode"):
            if not parameters.get(name):
                raise CallError(400, f"Missing{name}", f"{name} is mandatory for this action.")
        messages = accept(self.world, parameters)
        biz_id = f"{secrets.randbelow(10**18):018d}^0"
        for index, message in enumerate(messages):
            lost = kind == "undelivered"
            self.world.faults.counts["sms"]["taken"] += 1
            entry = self.world.record(
                "sms",
                **message,
                out_id=parameters.get("OutId", ""),
                biz_id=biz_id if index == 0 else f"{biz_id}{index}",
                success=not lost,
                err_code=(fault.code or "UNDELIV") if lost else "DELIVERED",
                receipt=kind != "no_receipt",
            )
            self.world.expect_receipt(self.world.inbox.by_biz_id[entry["biz_id"]])
        return {"Code": "OK", "Message": "OK", "BizId": biz_id}


def accept(world: World, parameters: Mapping[str, str]) -> list[dict[str, Any]]:
    """Check a SendSms as the gateway does; one message for each number; raises BusinessError."""
    phones = [MOBILE.fullmatch(text) for text in parameters["PhoneNumbers"].split(",")]
    if len(phones) > 1000 or not all(phones):
        raise BusinessError("isv.MOBILE_NUMBER_ILLEGAL", "号码格式错误")
    if parameters["SignName"] != world.settings.sms_sign:
        raise BusinessError("isv.SMS_SIGNATURE_ILLEGAL", "该账号下找不到对应签名")
    template = world.templates.sms.get(parameters["TemplateCode"])
    if template is None:
        raise BusinessError("isv.SMS_TEMPLATE_ILLEGAL", "该账号下找不到对应模板")
    values = _values(parameters.get("TemplateParam", "{}"))
    for name in template.parameters:
        if name not in values:
            raise BusinessError("isv.TEMPLATE_MISSING_PARAMETERS", f"模板缺少变量:{name}")
        if len(values[name]) > PARAMETER_LIMIT:
            raise BusinessError("isv.PARAM_LENGTH_LIMIT", f"变量{name}超过{PARAMETER_LIMIT}个字符")
        if URL.search(values[name]):
            raise BusinessError("isv.PARAM_NOT_SUPPORT_URL", f"变量{name}不支持URL")
    if template.kind == "code" and not CODE.fullmatch(values.get("code", "")):
        raise BusinessError("isv.TEMPLATE_PARAMS_ILLEGAL", "验证码须为4至6位数字或字母")
    kinds = {known.code: known.kind for known in world.templates.sms.values()}
    text = f"【{parameters['SignName']}】{template.render(values)}"
    messages = []
    for found in phones:
        phone = found[1] if found else ""
        sent = world.inbox.by_phone.get(phone, [])
        limit = exceeded(template, sent, kinds, world.now())
        if limit:
            raise BusinessError("isv.BUSINESS_LIMIT_CONTROL", limit)
        messages.append({"phone": phone, "template": template.code, "params": values, "text": text})
    return messages


def _values(text: str) -> dict[str, str]:
    try:
        values = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BusinessError("isv.INVALID_JSON_PARAM", "参数格式错误") from error
    if not isinstance(values, dict) or not all(
        isinstance(value, str | int) and not isinstance(value, bool) for value in values.values()
    ):
        raise BusinessError("isv.INVALID_JSON_PARAM", "参数格式错误，请传字符串值")
    return {name: str(value) for name, value in values.items()}


def sms_size(text: str) -> int:
    """How many parts an SMS is billed as: 70 characters, or 67 each when longer."""
    return 1 if len(text) <= 70 else math.ceil(len(text) / 67)


def query_send_details(world: World, parameters: Mapping[str, str]) -> dict[str, Any]:
    """QuerySendDetails: one number, one day; SendStatus 1 waiting, 2 failed, 3 delivered."""
    for name in ("PhoneNumber", "SendDate", "PageSize", "CurrentPage"):
        if not parameters.get(name):
            raise CallError(400, f"Missing{name}", f"{name} is mandatory for this action.")
    found = MOBILE.fullmatch(parameters["PhoneNumber"])
    if found is None:
        raise BusinessError("isv.MOBILE_NUMBER_ILLEGAL", "号码格式错误")
    if not re.fullmatch(r"\d{8}", parameters["SendDate"]):
        raise BusinessError("isv.INVALID_PARAMETERS", "SendDate格式应为yyyyMMdd")
    size, page = parameters["PageSize"], parameters["CurrentPage"]
    if not (size.isdigit() and page.isdigit() and 1 <= int(size) <= 50 and int(page) >= 1):
        raise BusinessError("isv.INVALID_PARAMETERS", "PageSize为1至50，CurrentPage从1开始")
    rows = [
        sms.entry
        for sms in world.inbox.by_phone.get(found[1], [])
        if china_time(sms.entry["at"])[:10].replace("-", "") == parameters["SendDate"]
        and parameters.get("BizId") in {None, "", sms.entry["biz_id"]}
    ]
    start = (int(page) - 1) * int(size)
    details = [_detail(world, row) for row in rows[start : start + int(size)]]
    return {
        "Code": "OK",
        "Message": "OK",
        "TotalCount": len(rows),
        "SmsSendDetailDTOs": {"SmsSendDetailDTO": details},
    }


def _detail(world: World, row: dict[str, Any]) -> dict[str, Any]:
    arrived = row["at"] + world.settings.receipt_seconds
    detail = {
        "PhoneNum": row["phone"],
        "TemplateCode": row["template"],
        "Content": row["text"],
        "OutId": row["out_id"],
        "SendDate": china_time(row["at"]),
        "SendStatus": 1,
    }
    if arrived <= world.now():
        detail["SendStatus"] = 3 if row["success"] else 2
        detail["ErrCode"] = row["err_code"]
        detail["ReceiveDate"] = china_time(arrived)
    return detail


def _xml(name: str, value: Any) -> str:
    if isinstance(value, dict):
        inner = "".join(_xml(key, below) for key, below in value.items())
    elif isinstance(value, list):
        return "".join(_xml(name, item) for item in value)
    else:
        inner = escape(str(value))
    return f"<{name}>{inner}</{name}>"
