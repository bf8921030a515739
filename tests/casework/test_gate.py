"""What the gate builds: in production nothing plain is taken from WeChat; no address breaks."""

import hashlib
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from bianmin.app import make_application
from casework import exchange
from casework.conversations import Conversations
from casework.thumbnails import open_thumbnail
from rules.refusals import Refusal
from storage.engines import EngineUrls
from tests.casework.inside import house, settings_of, silent

_PUSH = (
    "<xml><ToUserName>a</ToUserName><FromUserName>b</FromUserName><CreateTime>{at}</CreateTime>"
    "<MsgType>text</MsgType><Content>hi</Content><MsgId>1</MsgId></xml>"
)


@pytest.mark.gen_test(timeout=60)
async def test_production_takes_no_plain_push(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        settings = settings_of(mongo_database, tmp_path, env="production")
        server = HTTPServer(make_application(ctx, settings, Conversations(silent)))
        sockets = bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        at = str(int(ctx.now().timestamp()))
        parts = sorted((settings.wechat_token.get_secret_value(), at, "n"))
        signature = hashlib.sha1("".join(parts).encode(), usedforsecurity=False).hexdigest()
        reply = await AsyncHTTPClient(force_instance=True).fetch(
            f"http://127.0.0.1:{sockets[0].getsockname()[1]}/wechat/official"
            f"?timestamp={at}&nonce=n&signature={signature}",
            method="POST",
            body=_PUSH.format(at=at),
            raise_error=False,
        )
        server.stop()
        await server.close_all_connections()
        assert reply.code == 403


@pytest.mark.gen_test(timeout=60)
async def test_a_signature_of_any_letters_is_only_wrong(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        with pytest.raises(Refusal) as refused:
            await open_thumbnail(ctx, "1", "t", 2**40, "签名")
        assert refused.value == Refusal("signature-invalid")


@pytest.mark.gen_test(timeout=60)
async def test_decisions_are_written_for_nobody_else_to_read(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        path = tmp_path / "decisions.csv"
        await exchange.export_file(ctx, "decisions", path, lambda rows: None)
        assert path.stat().st_mode & 0o777 == 0o600
