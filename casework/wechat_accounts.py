"""A person as WeChat names him: by a login code, by an openid in the chat, by a unionid."""

from casework import wechat_bindings
from casework.context import Context
from casework.wechat_bindings import WechatIdentity, account_of, appid_of, bind
from notify.wechat import WechatError
from rules.people import Citizen
from rules.refusals import Refusal

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


async def forget_wechat(ctx: Context, identity: WechatIdentity) -> None:
    """``unsubscribe``: the WeChat profile and what was said before registering are deleted."""
    await wechat_bindings.forget(ctx, identity)
    await ctx.stores.conversations.drop(account_of(ctx, identity))
