"""SMS by Alibaba Cloud (Dysmsapi 2017-05-25): aliyun-python-sdk-core signs, our client sends.

The SDK's own client is synchronous and puts phone and parameters into the address; signed as body
parameters they stay out of it. A refusal comes as HTTP 200 with ``Code != OK``, a fault of the call
itself with an HTTP error and a ``Code``.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Literal
from urllib.parse import urlencode

import orjson
from aliyunsdkcore.request import RpcRequest

from notify.http import Answer, HttpClient, NotSent, Unanswered
from notify.outcome import InDoubt, Outcome, Rejected, Taken
from notify.sms_codes import action_for

_REGION = "cn-hangzhou"
_PAGE = 50
_PAGES = 4
_FORM = "application/x-www-form-urlencoded"

Fate = Literal["sent", "failed", "delivered", "absent", "unknown"]
"""What the gateway knows of a message: taken and waiting; not delivered; delivered; never taken;
the gateway could not say."""

# SendStatus of QuerySendDetails.
_STATUS: Mapping[int, Fate] = {1: "sent", 2: "failed", 3: "delivered"}
_WORTH: tuple[Fate, ...] = ("delivered", "sent", "failed")


class SmsGateway:
    """The gateway at ``endpoint`` (https://dysmsapi.aliyuncs.com), sending under one signature."""

    def __init__(
        self, endpoint: str, key_id: str, secret: str, sign: str, http: HttpClient
    ) -> None:
        whole = endpoint if "://" in endpoint else f"https://{endpoint}"
        self._endpoint = whole.rstrip("/")
        self._key_id = key_id
        self._secret = secret
        self._sign = sign
        self._http = http

    async def send(
        self, phone: str, template: str, params: Mapping[str, str], out_id: str
    ) -> Outcome:
        """Send one message. ``out_id`` comes back in receipts and finds it again in ``lookup``;
        it does not keep the gateway from taking the message twice."""
        try:
            answer = await self._call(
                "SendSms",
                {
                    "PhoneNumbers": phone,
                    "SignName": self._sign,
                    "TemplateCode": template,
                    "TemplateParam": orjson.dumps(dict(params)).decode(),
                    "OutId": out_id,
                },
            )
        except NotSent as error:
            return Rejected("not-sent", "retry", str(error))
        except Unanswered as error:
            return InDoubt(str(error))
        body = answer.json_object()
        code = body.get("Code") if body else None
        if not isinstance(code, str):
            if answer.status in (429, 503):
                return Rejected(f"http-{answer.status}", "retry")
            return InDoubt(f"http-{answer.status}, not understood")
        if code != "OK":
            return Rejected(code, action_for(code))
        return Taken(str(body.get("BizId", "")) if body else "")

    async def lookup(self, phone: str, on: date, out_id: str) -> Fate:
        """What became of the message with ``out_id`` sent to ``phone`` on that Chinese date."""
        found: set[Fate] = set()
        for page in range(1, _PAGES + 1):
            try:
                answer = await self._call(
                    "QuerySendDetails",
                    {
                        "PhoneNumber": phone,
                        "SendDate": on.strftime("%Y%m%d"),
                        "PageSize": str(_PAGE),
                        "CurrentPage": str(page),
                    },
                )
            except (NotSent, Unanswered):
                return "unknown"
            rows = _details(answer)
            if rows is None:
                return "unknown"
            found |= _fates(rows, out_id)
            if found or len(rows) < _PAGE:
                break
        else:
            return "unknown"
        return next((fate for fate in _WORTH if fate in found), "unknown" if found else "absent")

    async def _call(self, action: str, parameters: Mapping[str, str]) -> Answer:
        request = RpcRequest("Dysmsapi", "2017-05-25", action, format="JSON")
        request.set_method("POST")
        for name, value in parameters.items():
            request.add_body_params(name, value)
        address = request.get_url(_REGION, self._key_id, self._secret)
        body = urlencode(parameters).encode()
        return await self._http.post(f"{self._endpoint}{address}", body, _FORM)


def _details(answer: Answer) -> list[Any] | None:
    """The rows of a QuerySendDetails answer; None when it is a refusal or not understood."""
    body = answer.json_object()
    if body is None or body.get("Code") != "OK":
        return None
    holder = body.get("SmsSendDetailDTOs")
    rows = holder.get("SmsSendDetailDTO") if isinstance(holder, dict) else None
    return rows if isinstance(rows, list) else None


def _fates(rows: Iterable[Any], out_id: str) -> set[Fate]:
    ours = (row for row in rows if isinstance(row, dict) and row.get("OutId") == out_id)
    return {_STATUS.get(row.get("SendStatus", 0), "unknown") for row in ours}
