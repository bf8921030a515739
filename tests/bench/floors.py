"""The floors: bare Tornado handlers that do only what cannot be left out.

``python -m tests.bench.floors`` prints the port it listens on. Settings come by environment.
"""

import asyncio
import os
import socket
import time
from pathlib import Path

import tornado.httpserver
import tornado.web
from pymongo import AsyncMongoClient
from tornado.netutil import bind_sockets
from wechatpy import create_reply, parse_message
from wechatpy.crypto import WeChatCrypto


class Constant(tornado.web.RequestHandler):
    """The same bytes as the service guide."""

    def initialize(self, body: bytes) -> None:
        self.body = body

    def get(self) -> None:
        self.set_header("Content-Type", "application/json")
        self.finish(self.body)


class OneRead(tornado.web.RequestHandler):
    """One read by ``_id`` and bytes as long as the matter's answer."""

    def initialize(self, matters: object, number: str, body: bytes) -> None:
        self.matters, self.number, self.body = matters, number, body

    async def get(self) -> None:
        found = await self.matters.find_one({"_id": self.number})  # type: ignore[attr-defined]
        assert found["_id"] == self.number
        self.set_header("Content-Type", "application/json")
        self.finish(self.body)


class Echo(tornado.web.RequestHandler):
    """Decrypt, parse, reply, encrypt with wechatpy; nothing is remembered."""

    def initialize(self, crypto: WeChatCrypto) -> None:
        self.crypto = crypto

    def post(self) -> None:
        query = self.get_query_argument
        xml = self.crypto.decrypt_message(
            self.request.body, query("msg_signature"), query("timestamp"), query("nonce")
        )
        reply = create_reply("好的，请问您要办理什么业务？", parse_message(xml))
        sealed = self.crypto.encrypt_message(reply.render(), query("nonce"), str(int(time.time())))
        self.set_header("Content-Type", "text/xml")
        self.finish(sealed)


async def main() -> None:
    """Serve the floors until the process is ended."""
    folder = Path(os.environ["FLOOR_FOLDER"])
    matters = AsyncMongoClient(os.environ["FLOOR_MONGO"])[os.environ["FLOOR_DATABASE"]]["matters"]
    crypto = WeChatCrypto(
        os.environ["BIANMIN_WECHAT_TOKEN"],
        os.environ["BIANMIN_WECHAT_AES_KEY"],
        os.environ["BIANMIN_WECHAT_APPID"],
    )
    number = os.environ["FLOOR_NUMBER"]
    application = tornado.web.Application(
        [
            ("/guide", Constant, {"body": (folder / "guide").read_bytes()}),
            (
                "/matter",
                OneRead,
                {"matters": matters, "number": number, "body": (folder / "matter").read_bytes()},
            ),
            ("/wechat/official", Echo, {"crypto": crypto}),
        ],
        log_function=lambda _: None,
    )
    sockets = bind_sockets(0, "127.0.0.1", family=socket.AF_INET)
    tornado.httpserver.HTTPServer(application).add_sockets(sockets)
    print(sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
