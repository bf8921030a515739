"""SMS codes a test knows: laid where the service looks, for the gateway sends one a minute only."""

from casework import codes
from casework.askers import Asker, asker_in_chat, prover_at
from casework.context import Context
from casework.wechat_identity import WechatIdentity

CODE = "123456"
_LIFE = 300


async def lay_code(ctx: Context, purpose: str, id_number: str, asker: Asker | None = None) -> None:
    """Lay ``CODE`` for a purpose of an account's own, for whoever asks from this machine."""
    key = ctx.stores.vault.id_key(id_number)
    session = await ctx.stores.sessions.get(key)
    assert session is not None
    place = codes.slot(ctx, purpose, key, session.phone, asker or prover_at(ctx, "127.0.0.1"))
    await ctx.stores.memory.put_code(place, CODE, _LIFE)


async def lay_code_in_chat(ctx: Context, purpose: str, id_number: str, openid: str) -> None:
    """The same for who asks in the chat."""
    asker = asker_in_chat(ctx, WechatIdentity("official", openid))
    await lay_code(ctx, purpose, id_number, asker)


async def forget_limits(ctx: Context, database: str) -> None:
    """As if the minute, the hour and the day were over."""
    async for name in ctx.stores.redis.scan_iter(match=f"{database}:hit:*"):
        await ctx.stores.redis.delete(name)
