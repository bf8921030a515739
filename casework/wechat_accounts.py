"""A person as WeChat names him: by a login code, by an openid in the chat, by a unionid."""

import asyncio
from dataclasses import replace

import structlog

from casework import wechat_bindings
from casework.context import Context
from casework.wechat_bindings import WechatIdentity, account_of, appid_of, bind
from notify.wechat import WechatError
from rules.people import Citizen
from rules.refusals import Refusal

log = structlog.get_logger()

_PATIENCE = 1.5

__all__ = ["WechatIdentity", "account_of", "appid_of", "bind"]


async def wechat_identity(ctx: Context, code: str) -> WechatIdentity:
    """Who a ``wx.login`` code stands for. Raises wechat-code-invalid, busy-try-again."""
    try:
        found = await ctx.gateways.mini.code_to_session(code)
    except WechatError as error:
        raise Refusal("wechat-code-invalid" if error.final else "busy-try-again") from error
    return WechatIdentity("mini", found.openid, found.unionid)


async def whoami(ctx: Context, identity: WechatIdentity) -> Citizen | None:
    """The citizen a WeChat account speaks for, if any: bound, or known by its unionid in the other
    app."""
    session = await wechat_bindings.person_of(ctx, identity)
    if session is None:
        session = await wechat_bindings.by_union(ctx, identity)
    return session.citizen(ctx.today()) if session else None


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


async def in_other_app(ctx: Context, identity: WechatIdentity) -> bool:
    """Whether somebody who writes for the first time is known in the other app, by his unionid:
    from here on he is known in this one too."""
    return await wechat_bindings.by_union(ctx, await with_unionid(ctx, identity)) is not None


async def forget_wechat(ctx: Context, identity: WechatIdentity) -> None:
    """``unsubscribe``: the WeChat profile and what was said before registering are deleted."""
    await wechat_bindings.forget(ctx, identity)
    await ctx.stores.conversations.drop(account_of(ctx, identity))
