"""WeChat's HTTP API for one app: messages, login codes, media, menu.

A call is made with the shared token; when WeChat refuses the token it is refreshed once and the
call repeated once, never more.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson

from notify.http import Answer, AnswerTooLarge, HttpClient, NotSent, Unanswered
from notify.outcome import InDoubt, Outcome, Rejected, Taken
from notify.tokens import AccessToken, TokenStore
from notify.wechat_codes import TOKEN_REFUSED, action_for

SEND_SECONDS = 15.0
"""A message with all that may come before it: a token, its refresh, one repetition."""

_JSON = "application/json; charset=utf-8"


class WechatError(Exception):
    """A question to WeChat was not answered. ``code`` is WeChat's, or ``unreachable``,
    ``bad-answer``, ``too-large``; ``final`` when asking again cannot help."""

    def __init__(self, code: str, *, final: bool) -> None:
        super().__init__(code)
        self.code = code
        self.final = final


@dataclass(frozen=True)
class WechatPerson:
    """Who a login code stands for. The ``session_key`` is dropped: it never leaves this module."""

    openid: str
    unionid: str | None


class WeChatClient:
    """One app (official account or mini-program) at ``base``, e.g. https://api.weixin.qq.com."""

    def __init__(
        self,
        base: str,
        appid: str,
        secret: str,
        tokens: TokenStore,
        http: HttpClient,
        clock: Callable[[], float] = time.time,
        send_seconds: float = SEND_SECONDS,
    ) -> None:
        self._base = base.rstrip("/")
        self._appid = appid
        self._secret = secret
        self._http = http
        self._send_seconds = send_seconds
        self._token = AccessToken(f"wechat:{appid}", tokens, self._fetch_token, clock)

    async def send_text(self, openid: str, text: str) -> Outcome:
        """A customer-service text message: within 48 h of the user's own, at most 2048 bytes."""
        body = {"touser": openid, "msgtype": "text", "text": {"content": text}}
        return await self._send("cgi-bin/message/custom/send", body)

    async def send_subscribe(
        self, openid: str, template: str, data: Mapping[str, str], page: str | None = None
    ) -> Outcome:
        """A mini-program subscribe message; it uses up one consent to the template."""
        body: dict[str, Any] = {
            "touser": openid,
            "template_id": template,
            "data": {name: {"value": value} for name, value in data.items()},
            "lang": "zh_CN",
        }
        if page is not None:
            body["page"] = page
        return await self._send("cgi-bin/message/subscribe/send", body)

    async def push_menu(self, menu: Mapping[str, Any]) -> Outcome:
        """Set the official account's menu."""
        return await self._send("cgi-bin/menu/create", menu)

    async def code_to_session(self, code: str) -> WechatPerson:
        """Redeem a ``wx.login`` code (once, 5 minutes). Raises WechatError."""
        query = {
            "appid": self._appid,
            "secret": self._secret,
            "js_code": code,
            "grant_type": "authorization_code",
        }
        answer = _understood(await self._get("sns/jscode2session", query))
        openid, unionid = answer.get("openid"), answer.get("unionid")
        if not isinstance(openid, str) or not openid:
            raise WechatError("bad-answer", final=False)
        return WechatPerson(openid, unionid if isinstance(unionid, str) and unionid else None)

    async def unionid_of(self, openid: str) -> str | None:
        """The unionid of somebody who follows the account; None where the account belongs to no
        open platform, or he does not follow. Raises WechatError."""

        async def ask(token: str) -> Answer:
            query = {"access_token": token, "openid": openid, "lang": "zh_CN"}
            return await self._get("cgi-bin/user/info", query)

        unionid = _understood(await self._with_token(ask)).get("unionid")
        return unionid if isinstance(unionid, str) and unionid else None

    async def fetch_media(self, media_id: str, limit: int) -> tuple[bytes, str]:
        """A picture sent in the chat, at most ``limit`` bytes, with the type WeChat names.
        Raises WechatError, ``too-large`` beyond the limit."""

        async def ask(token: str) -> Answer:
            query = {"access_token": token, "media_id": media_id}
            return await self._get("cgi-bin/media/get", query, limit)

        answer = await self._with_token(ask)
        if answer.status != 200 or _is_json(answer):
            _understood(answer)
            raise WechatError("bad-answer", final=True)
        return answer.body, answer.content_type.partition(";")[0].strip()

    async def _send(self, path: str, body: Mapping[str, Any]) -> Outcome:
        packed = orjson.dumps(body)

        asked = False

        async def ask(token: str) -> Answer:
            nonlocal asked
            url = f"{self._base}/{path}?{urlencode({'access_token': token})}"
            asked = True
            answer = await self._http.post(url, packed, _JSON)
            # Whole and in hand: what follows a refused token is not yet another sending.
            asked = False
            return answer

        try:
            async with asyncio.timeout(self._send_seconds):
                answer = await self._with_token(ask)
        except TimeoutError:
            if asked:
                return InDoubt("too slow")
            return Rejected("unreachable", "retry", "no access token in time")
        except WechatError as error:
            # The token could not be had, so the message itself was never sent.
            return Rejected(error.code, "alarm" if error.final else "retry", "no access token")
        except NotSent as error:
            return Rejected("not-sent", "retry", str(error))
        except Unanswered as error:
            return InDoubt(str(error))
        return _outcome(answer)

    async def _with_token(self, ask: Callable[[str], Awaitable[Answer]]) -> Answer:
        token = await self._token.current()
        answer = await ask(token)
        if _errcode(answer) in TOKEN_REFUSED:
            answer = await ask(await self._token.renewed(token))
        return answer

    async def _fetch_token(self, force: bool) -> tuple[str, float]:
        body = {
            "grant_type": "client_credential",
            "appid": self._appid,
            "secret": self._secret,
            "force_refresh": force,
        }
        url = f"{self._base}/cgi-bin/stable_token"
        try:
            answer = _understood(await self._http.post(url, orjson.dumps(body), _JSON))
        except (NotSent, Unanswered) as error:
            raise WechatError("unreachable", final=False) from error
        token, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token or not isinstance(seconds, int | float):
            raise WechatError("bad-answer", final=False)
        return token, float(seconds)

    async def _get(self, path: str, query: Mapping[str, str], limit: int = 1024 * 1024) -> Answer:
        try:
            return await self._http.get(f"{self._base}/{path}?{urlencode(query)}", limit)
        except AnswerTooLarge:
            raise WechatError("too-large", final=True) from None
        except Unanswered as error:
            raise WechatError("unreachable", final=False) from error


def _is_json(answer: Answer) -> bool:
    # Refusals come as text/plain as well as JSON; a picture begins with no brace.
    return answer.body[:1] == b"{" and answer.json_object() is not None


def _errcode(answer: Answer) -> int | None:
    """WeChat's error code, 0 when there is none in a JSON answer, None when it is no JSON."""
    if not _is_json(answer):
        return None
    code = (answer.json_object() or {}).get("errcode", 0)
    return code if isinstance(code, int) else None


def _understood(answer: Answer) -> dict[str, Any]:
    """The JSON of an answer without error. Raises WechatError."""
    code = _errcode(answer)
    if answer.status != 200 or code is None:
        raise WechatError("bad-answer", final=False)
    if code != 0:
        raise WechatError(str(code), final=action_for(code) != "retry")
    return answer.json_object() or {}


def _outcome(answer: Answer) -> Outcome:
    if answer.status in (429, 503):
        return Rejected(f"http-{answer.status}", "retry")
    if 400 <= answer.status < 500:
        return Rejected(f"http-{answer.status}", "alarm")
    code = _errcode(answer)
    if answer.status != 200 or code is None:
        # Something between us and WeChat answered; whether WeChat took it is not known.
        return InDoubt(f"http-{answer.status}, not understood")
    if code != 0:
        return Rejected(str(code), action_for(code))
    return Taken(str((answer.json_object() or {}).get("msgid", "")))
