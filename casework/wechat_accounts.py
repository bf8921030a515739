"""The WeChat accounts a person is reached by and recognised in: bound, looked up, forgotten."""

from dataclasses import dataclass

from casework.context import Context
from notify.wechat import WechatError
from rules.people import Citizen
from rules.refusals import Refusal


@dataclass(frozen=True)
class WechatIdentity:
    """A person as WeChat names him: one openid an app, a unionid where the platform gives one."""

    app: str
    openid: str
    unionid: str | None = None


async def wechat_identity(ctx: Context, code: str) -> WechatIdentity:
    """Who a ``wx.login`` code stands for. Raises wechat-code-invalid, busy-try-again."""
    try:
        found = await ctx.gateways.mini.code_to_session(code)
    except WechatError as error:
        raise Refusal("wechat-code-invalid" if error.final else "busy-try-again") from error
    return WechatIdentity("mini", found.openid, found.unionid)


async def bind(ctx: Context, key: str, identity: WechatIdentity) -> None:
    """Bind a WeChat account to a person; one WeChat speaks for one person at a time."""
    appid = appid_of(ctx, identity.app)
    openid_key = ctx.stores.vault.openid_key(appid, identity.openid)
    previous = await ctx.stores.bindings.session_of(openid_key)
    if previous is not None and previous != key:
        await ctx.stores.sessions.unset_wechat(previous, identity.app, openid_key)
    await ctx.stores.bindings.bind(openid_key, identity.app, key, ctx.now())
    await ctx.stores.sessions.set_wechat(
        key, identity.app, openid_key, identity.openid, identity.unionid, ctx.now()
    )


def appid_of(ctx: Context, app: str) -> str:
    """The appid of the official account or of the mini-program."""
    return ctx.settings.official_appid if app == "official" else ctx.settings.mini_appid


async def whoami(ctx: Context, identity: WechatIdentity) -> Citizen | None:
    """The citizen a WeChat account is bound to, if any."""
    openid_key = ctx.stores.vault.openid_key(appid_of(ctx, identity.app), identity.openid)
    key = await ctx.stores.bindings.session_of(openid_key)
    if key is None:
        return None
    session = await ctx.stores.sessions.get(key)
    return session.citizen(ctx.today()) if session else None


async def forget_wechat(ctx: Context, identity: WechatIdentity) -> None:
    """``unsubscribe``: the WeChat profile and what was said before registering are deleted."""
    openid_key = ctx.stores.vault.openid_key(appid_of(ctx, identity.app), identity.openid)
    key = await ctx.stores.bindings.session_of(openid_key)
    await ctx.stores.bindings.unbind(openid_key)
    if key is not None:
        await ctx.stores.sessions.unset_wechat(key, identity.app, openid_key)
    await ctx.stores.conversations.drop(openid_key)
