"""A person as WeChat names him: by a login code, by an openid in the chat, by a unionid."""

import asyncio
from dataclasses import dataclass, replace

import structlog

from casework.context import Context
from notify.wechat import WechatError
from rules.refusals import Refusal

log = structlog.get_logger()

_PATIENCE = 1.5
APPS = ("mini", "official")
"""Where a citizen may have one WeChat account each."""


@dataclass(frozen=True)
class WechatIdentity:
    """A person as WeChat names him: one openid an app, a unionid where the platform gives one."""

    app: str
    openid: str
    unionid: str | None = None


def appid_of(ctx: Context, app: str) -> str:
    """The appid of the official account or of the mini-program."""
    return ctx.settings.official_appid if app == "official" else ctx.settings.mini_appid


def account_of(ctx: Context, identity: WechatIdentity) -> str:
    """The blind index of a WeChat account in its app."""
    return ctx.stores.vault.openid_key(appid_of(ctx, identity.app), identity.openid)


async def identity_by_code(ctx: Context, code: str) -> WechatIdentity:
    """Who a ``wx.login`` code stands for. Raises wechat-code-invalid, busy-try-again."""
    try:
        found = await ctx.gateways.mini.code_to_session(code)
    except WechatError as error:
        raise Refusal("wechat-code-invalid" if error.final else "busy-try-again") from error
    return WechatIdentity("mini", found.openid, found.unionid)


async def with_unionid(ctx: Context, identity: WechatIdentity) -> WechatIdentity:
    """The identity with the unionid WeChat names for it. In the mini-program it comes with the
    login; for the official account it is asked for, briefly: without it nothing is lost but being
    recognised in the other app."""
    if identity.app != "official" or identity.unionid is not None:
        return identity
    try:
        async with asyncio.timeout(_PATIENCE):
            unionid = await ctx.gateways.official.unionid_of(identity.openid)
    except (WechatError, TimeoutError) as error:
        log.info("unionid-unknown", error=type(error).__name__)
        return identity
    return replace(identity, unionid=unionid)
