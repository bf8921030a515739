"""Puts the sandbox together and listens, on the loopback address only."""

from dataclasses import dataclass

from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RedirectHandler

from sandbox import control
from sandbox.phone import STATIC, DemoHandler, MiniProxyHandler, PageFileHandler, PhoneHandler
from sandbox.receipts import Receipts
from sandbox.settings import Settings
from sandbox.sms import SmsHandler
from sandbox.wechat_api import WeChatApiHandler
from sandbox.wechat_push import Pusher
from sandbox.world import World

HOST = "127.0.0.1"


@dataclass(slots=True)
class Sandbox:
    """A running sandbox."""

    world: World
    port: int
    address: str
    _server: HTTPServer
    _pusher: Pusher
    _receipts: Receipts
    _client: AsyncHTTPClient

    async def close(self) -> None:
        """Stop listening, end what runs in the background, close connections."""
        self._server.stop()
        self._pusher.close()
        self._receipts.close()
        self._client.close()
        await self._server.close_all_connections()


def make_server(settings: Settings) -> Sandbox:
    """Start listening on `settings.port` (0: a free one). Call inside a running event loop."""
    world = World(settings)
    pusher, receipts = Pusher(world), Receipts(world)
    world.push_event = pusher.push_event
    world.expect_receipt = receipts.expect
    client = AsyncHTTPClient(force_instance=True, max_clients=100)
    hands = {"world": world, "pusher": pusher, "receipts": receipts}
    person = r"/sandbox/people/([0-9a-f]+)"
    application = Application(
        [
            (r"/wechat-api/(.*)", WeChatApiHandler, {"world": world}),
            (r"/sms/?", SmsHandler, {"world": world}),
            (r"/sandbox/people", control.PeopleHandler, hands),
            (person, control.PersonHandler, hands),
            (rf"{person}/chat", control.ChatHandler, hands),
            (rf"{person}/(login|phone)-code", control.LoginCodeHandler, hands),
            (rf"{person}/consent", control.ConsentHandler, hands),
            (rf"{person}/(image|voice|video|location|link|event)", control.SayHandler, hands),
            (rf"{person}/(say)", control.SayHandler, hands),
            (r"/sandbox/phones/(\d+)/sms", control.PhoneSmsHandler, hands),
            (r"/sandbox/media/([\w-]+)", control.MediaHandler, hands),
            (r"/sandbox/journal", control.JournalHandler, hands),
            (r"/sandbox/menu", control.MenuHandler, hands),
            (r"/sandbox/verify", control.VerifyHandler, hands),
            (r"/sandbox/clock", control.ClockHandler, hands),
            (r"/sandbox/faults", control.FaultsHandler, hands),
            (
                r"/sandbox/demo",
                DemoHandler,
                {"service": settings.service, "templates": world.templates},
            ),
            (r"/mini/(.*)", MiniProxyHandler, {"service": settings.service, "client": client}),
            (r"/phone/?", PhoneHandler),
            (r"/static/(.*)", PageFileHandler, {"path": str(STATIC)}),
            (r"/", RedirectHandler, {"url": "/phone", "permanent": False}),
        ],
        # Addresses hold phone numbers and codes: no access log.
        log_function=lambda handler: None,
    )
    server = HTTPServer(application)
    sockets = bind_sockets(settings.port, address=HOST)
    server.add_sockets(sockets)
    port = sockets[0].getsockname()[1]
    receipts.resume()
    return Sandbox(world, port, f"http://{HOST}:{port}", server, pusher, receipts, client)
