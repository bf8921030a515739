"""Builds everything once and hands it down: the only place that knows every floor of the house."""

import asyncio
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import structlog
import tornado.httpserver
import tornado.netutil
import tornado.web
from prometheus_client import REGISTRY, CollectorRegistry

import miniprogram_api
from bianmin.logs import configure_logs
from bianmin.settings import Settings
from bot.conversation import think
from casework.context import Context, PublicSettings
from casework.conversations import Conversations
from casework.passwords import Passwords
from casework.photos import PhotoLab
from casework.recent import Recent
from casework.worker import work as work_loops
from handlers import desk, official_account, site
from handlers.base import SERVER_BODY_LIMIT, application_settings
from handlers.callbacks import sms
from handlers.wechat_crypto import WechatSettings
from notify.gateways import build_gateways
from rules.book import load_rulebook
from storage.engines import EngineUrls
from storage.stores import open_stores
from storage.vault import derive_key

log = structlog.get_logger()


class SystemIds:
    """Randomness from the operating system."""

    def token(self) -> str:
        """256 random bits, URL-safe."""
        return secrets.token_urlsafe(32)

    def digits(self, count: int) -> str:
        """That many random decimal digits."""
        return str(secrets.randbelow(10**count)).zfill(count)


def clock_of(settings: Settings) -> Callable[[], datetime]:
    """The house's clock, shifted by BIANMIN_NOW where that is set."""
    offset = timedelta(seconds=settings.clock_offset())
    return lambda: datetime.now(UTC) + offset


def checkpoint_of(settings: Settings) -> Callable[[str], None]:
    """Does nothing, except where a test asks the process to be killed at a named point."""
    if not settings.crash_at:
        return lambda name: None
    point, _, nth = settings.crash_at.partition(":")
    left = int(nth or 1)

    def check(name: str) -> None:
        nonlocal left
        if name == point:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return check


@asynccontextmanager
async def open_house(
    settings: Settings, urls: EngineUrls, *, with_lab: bool = True, kind: str = "command"
) -> AsyncIterator[Context]:
    """Everything the verbs need, opened and closed in order. ``kind`` is what the process is called
    among those that work with the data.

    Raises RulebookError, StorageUnavailable and VaultError before anything is served.
    """
    book = load_rulebook()
    stores = await open_stores(
        urls.mongo_url,
        urls.redis_url,
        settings.mongo_database,
        settings.master_key_bytes(),
        settings.index_key_bytes(),
    )
    lab = PhotoLab(settings.data_dir / "spool")
    gateways = build_gateways(**settings.gateway_settings(), tokens=stores.memory.tokens)
    try:
        async with stores.presence.kept(kind):
            if with_lab:
                await lab.start()
            yield Context(
                book=book,
                stores=stores,
                gateways=gateways,
                lab=lab,
                clock=clock_of(settings),
                ids=SystemIds(),
                checkpoint=checkpoint_of(settings),
                settings=PublicSettings(
                    official_appid=settings.wechat_appid,
                    mini_appid=settings.mini_appid,
                    environment=settings.env,
                    thumbnail_key=derive_key(settings.master_key_bytes(), "thumbnails"),
                ),
                recent=Recent(),
                passwords=Passwords(),
            )
    finally:
        await lab.stop()
        gateways.close()
        await stores.close()


def make_application(
    ctx: Context,
    settings: Settings,
    conversations: Conversations,
    registry: CollectorRegistry = REGISTRY,
) -> tornado.web.Application:
    """All doors joined, counting into ``registry``. Raises when one declares no access rule."""
    wechat = WechatSettings(
        token=settings.wechat_token.get_secret_value(),
        aes_key=settings.wechat_aes_key.get_secret_value(),
        appid=settings.wechat_appid,
        # A plain push is signed without its body: in production nobody may lean on that.
        mode="encrypted" if settings.env == "production" else "both",
    )
    routes = [
        *official_account.routes(wechat, conversations),
        *miniprogram_api.routes(),
        *desk.routes(),
        *sms.routes(settings.sms_callback_secret.get_secret_value()),
        *site.routes(),
    ]
    return tornado.web.Application(
        routes,
        ctx=ctx,
        cookie_secret=settings.cookie_secret.get_secret_value(),
        environment=settings.env,
        xsrf_cookies=True,
        xsrf_cookie_kwargs={"httponly": True, "samesite": "Strict"},
        **application_settings(routes, registry),
    )


async def serve(settings: Settings, urls: EngineUrls) -> None:
    """Serve HTTP until SIGTERM or SIGINT; finishes the answers it has begun."""
    configure_logs(settings, "service")
    stop = _until_signal()
    async with open_house(settings, urls, kind="service") as ctx:
        conversations = Conversations(think)
        server = tornado.httpserver.HTTPServer(
            make_application(ctx, settings, conversations),
            max_body_size=SERVER_BODY_LIMIT,
            idle_connection_timeout=75,
            xheaders=settings.env == "production",
        )
        sockets = tornado.netutil.bind_sockets(
            settings.port, settings.host, family=socket.AF_INET, reuse_port=settings.processes > 1
        )
        server.add_sockets(sockets)
        log.info("serving", port=settings.port)
        await stop.wait()
        server.stop()
        await conversations.settle()
        await server.close_all_connections()


async def work(settings: Settings, urls: EngineUrls) -> None:
    """Run the worker's loops until SIGTERM or SIGINT."""
    configure_logs(settings, "worker")
    stop = _until_signal()
    async with open_house(settings, urls, kind="worker") as ctx:
        log.info("working")
        await work_loops(ctx, think, stop)


def _until_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    return stop
