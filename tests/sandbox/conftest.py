"""A sandbox on a free port, a small service for it to talk to, and hands for both."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
import pytest
from aliyunsdkcore.auth.composer.rpc_signature_composer import get_signed_url
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from sandbox.server import Sandbox, make_server
from sandbox.settings import Settings

PHONE = "13900000001"


class Catcher(RequestHandler):
    """Takes any request and answers as the test says."""

    def initialize(self, service: "Service") -> None:
        self.service = service

    async def _take(self) -> None:
        self.service.requests.append(self.request)
        await self.service.behave(self)

    get = post = patch = delete = _take


class Service:
    """Stands where the service stands: keeps requests, answers what `behave` writes."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.behave: Callable[[RequestHandler], Any] = self._success
        self._server = HTTPServer(Application([(r"/.*", Catcher, {"service": self})]))
        socket, port = bind_unused_port()
        self._server.add_socket(socket)
        self.address = f"http://127.0.0.1:{port}"

    @staticmethod
    async def _success(handler: RequestHandler) -> None:
        if "/callbacks/" in handler.request.path:
            handler.write({"code": 0, "msg": "ok"})
        else:
            handler.write("success")

    async def close(self) -> None:
        self._server.stop()
        await self._server.close_all_connections()


class Hands:
    """Calls the sandbox as the service, a test or the phone page would."""

    def __init__(self, box: Sandbox, service: Service) -> None:
        self.box, self.service, self.settings = box, service, box.world.settings
        self._client = AsyncHTTPClient(force_instance=True, max_clients=50)

    def close(self) -> None:
        self._client.close()

    async def fetch(self, method: str, path: str, body: Any = None, **headers: str) -> HTTPResponse:
        """One call; a dict or list goes out as JSON."""
        data = body if isinstance(body, bytes | None) else orjson.dumps(body)
        return await self._client.fetch(
            self.box.address + path,
            method=method,
            body=data,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            allow_nonstandard_methods=True,
            raise_error=False,
        )

    async def json(self, method: str, path: str, body: Any = None) -> Any:
        """One call's JSON answer."""
        return orjson.loads((await self.fetch(method, path, body)).body)

    async def person(self, **wish: Any) -> dict[str, Any]:
        """A new person."""
        made: dict[str, Any] = await self.json("POST", "/sandbox/people", {"phone": PHONE, **wish})
        return made

    async def token(self, app: str = "wechat", force: bool = False) -> dict[str, Any]:
        """The answer of stable_token for the official account or the mini-program."""
        body = {
            "grant_type": "client_credential",
            "appid": getattr(self.settings, f"{app}_appid"),
            "secret": getattr(self.settings, f"{app}_secret"),
            "force_refresh": force,
        }
        answer: dict[str, Any] = await self.json("POST", "/wechat-api/cgi-bin/stable_token", body)
        return answer

    async def wechat(self, path: str, body: Any = None, app: str = "wechat") -> dict[str, Any]:
        """A call of WeChat's API with a token; GET without a body."""
        token = (await self.token(app))["access_token"]
        mark = "&" if "?" in path else "?"
        method = "GET" if body is None else "POST"
        address = f"/wechat-api/{path}{mark}access_token={token}"
        answer: dict[str, Any] = await self.json(method, address, body)
        return answer

    def sms_url(self, **changes: Any) -> str:
        """A SendSms signed by Alibaba's own SDK; a change to None leaves a parameter out."""
        parameters = {
            "Action": "SendSms",
            "Version": "2017-05-25",
            "RegionId": "cn-hangzhou",
            "PhoneNumbers": PHONE,
            "SignName": self.settings.sms_sign,
            "TemplateCode": "SMS_MATTER_NOTICE",
            "TemplateParam": NOTICE,
            "OutId": "notice-1",
            **changes,
        }
        kept = {name: value for name, value in parameters.items() if value is not None}
        key, secret = self.settings.aliyun_key_id, self.settings.aliyun_key_secret
        return str(get_signed_url(kept, key, secret, "JSON", "GET", {})[0])

    async def sms(self, **changes: Any) -> dict[str, Any]:
        """Send it."""
        answer: dict[str, Any] = await self.json("GET", "/sms" + self.sms_url(**changes))
        return answer


NOTICE = orjson.dumps(
    {
        "service": "延期换证 *~+&",
        "number": "A1",
        "state": "已受理",
        "hint": "",
        "office": "车管所",
        "hotline": "12345",
    }
).decode()


@pytest.fixture
def start() -> Callable[..., contextlib.AbstractAsyncContextManager[Hands]]:
    """`async with start(**settings) as hands`."""

    @contextlib.asynccontextmanager
    async def running(**changes: Any) -> AsyncIterator[Hands]:
        service = Service()
        values = {
            "service": service.address,
            "port": 0,
            "receipt_seconds": 0.02,
            "push_seconds": 0.3,
            "push_pause_seconds": 0.05,
            **changes,
        }
        box = make_server(Settings(**values))
        hands = Hands(box, service)
        try:
            yield hands
        finally:
            hands.close()
            await box.close()
            await service.close()

    return running


@pytest.fixture
def until() -> Callable[..., Any]:
    """`await until(condition)`: wait at most three seconds for something to become true."""

    async def wait(condition: Callable[[], Any]) -> Any:
        end = time.monotonic() + 3
        while not (found := condition()):
            assert time.monotonic() < end, "it did not happen"
            await asyncio.sleep(0.01)
        return found

    return wait
