"""Binding a WeChat account by login: with a fact beside the code where one is replaced."""

import hmac

from casework.context import Context
from casework.wechat_bindings import bind, openid_of
from casework.wechat_identity import WechatIdentity, account_of, with_unionid
from rules.rebinding import asks_fact, fact_on_file, read_fact
from rules.refusals import Refusal
from storage.session_documents import Session

_DAY = 86400


async def bind_proved(
    ctx: Context, session: Session, identity: WechatIdentity, id_fact: str | None
) -> None:
    """Bind an account to a person who has just proved himself by a code.

    When it takes the place of another one, that one is unbound and the person told by SMS. Raises
    id-fact-needed, id-fact-wrong, id-fact-window, too-many-tries.
    """
    identity = await with_unionid(ctx, identity)
    account = account_of(ctx, identity)
    reached = await openid_of(ctx, session, identity.app)
    current = session.wechat[identity.app].key if reached is not None else None
    last = session.wechat_last.get(identity.app)
    if asks_fact(session.tiers_on(ctx.today()), account, current, last):
        await _prove_fact(ctx, session, account, id_fact)
    replaced = account != (current or last or account)
    await bind(ctx, session.key, identity, tell=replaced)


async def _prove_fact(ctx: Context, session: Session, account: str, written: str | None) -> None:
    licence = await ctx.stores.registry.licence(session.key)
    card = await ctx.stores.registry.card_valid_until(session.key)
    fact = fact_on_file(card, licence.issued_on if licence else None)
    given = read_fact(written or "")
    if given is None:
        asked = ctx.book.texts.say(f"accounts.fact_{fact.kind}")
        raise Refusal("id-fact-needed", fact=asked, kind=fact.kind)
    # Counted for this WeChat alone, so that whoever guesses locks nobody else out.
    most = int(ctx.figure("login.fact_tries"))
    if not await ctx.stores.memory.hit(f"id-fact:{account}:{session.key}", most, _DAY):
        raise Refusal("too-many-tries")
    if not hmac.compare_digest(given.isoformat(), fact.day.isoformat()):
        raise Refusal("id-fact-wrong")
