"""WeChat's HTTP API under /wechat-api/: routing, tokens, login codes, media and menu.

Every answer has HTTP status 200, refusals carry `errcode`, as on the real platform.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from tornado.httputil import HTTPFile

from sandbox.codes import CodeError
from sandbox.gateway import GatewayHandler
from sandbox.media import Medium
from sandbox.tokens import TokenError
from sandbox.wechat_errors import WeChatError
from sandbox.wechat_menu import check_menu
from sandbox.wechat_messages import send_customer_service, send_subscribe, send_template
from sandbox.world import World

IMAGE_LIMIT = 10 * 1024 * 1024
Answer = dict[str, Any] | Medium


@dataclass(frozen=True, slots=True)
class Call:
    """One call, its token already checked."""

    query: dict[str, str]
    body: dict[str, Any]
    files: dict[str, list[HTTPFile]]


def stable_token(world: World, call: Call) -> Answer:
    if call.body.get("grant_type") != "client_credential":
        raise WeChatError(40002)
    app = check_secret(world, call.body)
    token, seconds = world.tokens.get(
        app, world.now(), force=call.body.get("force_refresh") is True
    )
    return {"access_token": token, "expires_in": seconds}


def check_secret(world: World, given: dict[str, Any]) -> str:
    """Which app ("official" or "mini") an appid and secret name."""
    settings = world.settings
    if not given.get("appid"):
        raise WeChatError(41002)
    if not given.get("secret"):
        raise WeChatError(41004)
    apps = {
        settings.wechat_appid: ("official", settings.wechat_secret),
        settings.mini_appid: ("mini", settings.mini_secret),
    }
    if given["appid"] not in apps:
        raise WeChatError(40013)
    app, secret = apps[given["appid"]]
    if not secrets.compare_digest(str(given["secret"]).encode(), secret.encode()):
        raise WeChatError(40125)
    return app


def code_to_session(world: World, call: Call) -> Answer:
    if call.query.get("grant_type") != "authorization_code":
        raise WeChatError(40002)
    if check_secret(world, call.query) != "mini":
        raise WeChatError(48001)
    if not call.query.get("js_code"):
        raise WeChatError(41008)
    key = world.codes.redeem(call.query["js_code"], "login", world.now())
    person = world.people.by_id[key]
    answer = {"openid": person.mini_openid, "session_key": secrets.token_urlsafe(18)}
    if world.settings.unionid:
        answer["unionid"] = person.unionid
    return answer


def user_info(world: World, call: Call) -> Answer:
    openid = call.query.get("openid", "")
    person = world.people.by_openid.get(openid)
    if person is None:
        raise WeChatError(40003)
    if not person.follows:
        return {"subscribe": 0, "openid": openid}
    answer = {"subscribe": 1, "openid": openid, "language": "zh_CN"}
    if world.settings.unionid:
        answer["unionid"] = person.unionid
    return answer


def phone_number(world: World, call: Call) -> Answer:
    code = call.body.get("code")
    if not isinstance(code, str) or not code:
        raise WeChatError(40029)
    person = world.people.by_id[world.codes.redeem(code, "phone", world.now())]
    info = {
        "phoneNumber": person.phone,
        "purePhoneNumber": person.phone,
        "countryCode": "86",
        "watermark": {"timestamp": int(world.now()), "appid": world.settings.mini_appid},
    }
    return {"errcode": 0, "errmsg": "ok", "phone_info": info}


def media_get(world: World, call: Call) -> Answer:
    medium = world.media.get(call.query.get("media_id", ""), world.now())
    if medium is None:
        raise WeChatError(40007)
    return medium


def media_upload(world: World, call: Call) -> Answer:
    if call.query.get("type") != "image":
        raise WeChatError(40004)
    file = call.files.get("media", [None])[0]
    if file is None:
        raise WeChatError(44002)
    if not file.body.startswith((b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"BM")):
        raise WeChatError(40005)
    if len(file.body) > IMAGE_LIMIT:
        raise WeChatError(40009)
    media_id = world.media.add(file.body, file.content_type, world.now())
    return {"type": "image", "media_id": media_id, "created_at": int(world.now())}


def menu_create(world: World, call: Call) -> Answer:
    check_menu(call.body)
    world.record("menu", menu=call.body)
    return {"errcode": 0, "errmsg": "ok"}


def menu_get(world: World, call: Call) -> Answer:
    if world.menu is None:
        raise WeChatError(46003)
    return {"menu": world.menu}


@dataclass(frozen=True, slots=True)
class Route:
    """How an address is called, whose token it takes (None: no token) and what answers."""

    method: str
    apps: tuple[str, ...]
    answer: Callable[[World, Call], Answer]


ROUTES = {
    "cgi-bin/stable_token": Route("POST", (), stable_token),
    "sns/jscode2session": Route("GET", (), code_to_session),
    "wxa/business/getuserphonenumber": Route("POST", ("mini",), phone_number),
    "cgi-bin/user/info": Route("GET", ("official",), user_info),
    "cgi-bin/media/get": Route("GET", ("official",), media_get),
    "cgi-bin/media/upload": Route("POST", ("official",), media_upload),
    "cgi-bin/menu/create": Route("POST", ("official",), menu_create),
    "cgi-bin/menu/get": Route("GET", ("official",), menu_get),
    "cgi-bin/message/custom/send": Route(
        "POST", ("official",), lambda world, call: send_customer_service(world, call.body)
    ),
    "cgi-bin/message/template/send": Route(
        "POST", ("official",), lambda world, call: send_template(world, call.body)
    ),
    "cgi-bin/message/subscribe/send": Route(
        "POST", ("mini",), lambda world, call: send_subscribe(world, call.body)
    ),
}


class WeChatApiHandler(GatewayHandler):
    """One handler for the whole API."""

    async def get(self, path: str) -> None:
        await self._serve(path)

    async def post(self, path: str) -> None:
        await self._serve(path)

    async def _serve(self, path: str) -> None:
        world = self.world
        world.faults.counts["wechat"][path] += 1
        fault = world.faults.take("wechat", path)
        if await self.refused_by(fault):
            return
        kind = fault.fault if fault is not None else ""
        try:
            if fault is not None and kind == "error":
                raise WeChatError(int(fault.code))
            if kind == "quota":
                raise WeChatError(45009)
            if kind == "token_expired":
                world.tokens.expire(self.get_query_argument("access_token", ""), world.now())
            answer = self._answer(path)
        except (WeChatError, TokenError, CodeError) as error:
            answer = (error if isinstance(error, WeChatError) else WeChatError(error.code)).body()
        if kind == "drop_after_accept":
            self.hang_up()
        elif isinstance(answer, Medium):
            self.set_header("Content-Type", answer.content_type)
            self.finish(answer.data)
        else:
            self.set_header("Content-Type", "application/json; encoding=utf-8")
            self.finish(orjson.dumps(answer))

    def _answer(self, path: str) -> Answer:
        route = ROUTES.get(path)
        if route is None:
            raise WeChatError(48001)
        if self.request.method != route.method:
            raise WeChatError(43001 if route.method == "GET" else 43002)
        query = {name: self.get_query_argument(name) for name in self.request.query_arguments}
        if route.apps:
            app = self.world.tokens.check(query.get("access_token", ""), self.world.now())
            if app not in route.apps:
                raise WeChatError(48001)
        body: dict[str, Any] = {}
        if route.method == "POST" and not self.request.files:
            body = self._json()
        return route.answer(self.world, Call(query, body, self.request.files))

    def _json(self) -> dict[str, Any]:
        if not self.request.body:
            raise WeChatError(44002)
        try:
            body = orjson.loads(self.request.body)
        except orjson.JSONDecodeError as error:
            raise WeChatError(47001) from error
        if not isinstance(body, dict):
            raise WeChatError(47001)
        return body
