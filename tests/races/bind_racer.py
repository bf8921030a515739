"""Two ways of binding a WeChat account, for processes that race each other round by round.

python -m tests.races.bind_racer WAY MONGO REDIS DATABASE FOLDER; each line on standard input is an
account and a person. The way ``bind`` is the house's own; ``careless`` writes the same two
documents in the same order, takes the account from whom it spoke for and the person from the
account he had, which is right one after the other, and does not look again: what anybody did in
between stays.
"""

import asyncio
import sys
from pathlib import Path

from casework.context import Context
from casework.wechat_bindings import bind
from casework.wechat_identity import WechatIdentity, account_of
from storage.engines import EngineUrls
from storage.wechat_accounts import WechatAccount
from storage.wechat_bindings import Binding
from tests.casework.inside import house


async def careless(ctx: Context, key: str, identity: WechatIdentity) -> None:
    """Look, then write."""
    account, claim, now = account_of(ctx, identity), ctx.ids.token()[:16], ctx.now()
    previous = await ctx.stores.wechat_bindings.get(account)
    if previous is not None and previous.session not in (None, key):
        session = await ctx.stores.sessions.get(str(previous.session))
        named = session.wechat.get(identity.app) if session else None
        if session is not None and named is not None and named.key == account:
            await ctx.stores.wechat_accounts.remove(session.key, identity.app, named.claim)
    mine = await ctx.stores.sessions.get(key)
    replaced = mine.wechat.get(identity.app) if mine else None
    await ctx.stores.wechat_bindings.bind(Binding(account, identity.app, key, claim, now))
    entry = WechatAccount(account, claim, identity.openid, now)
    await ctx.stores.wechat_accounts.put(key, identity.app, entry)
    if replaced is not None and replaced.key != account:
        await ctx.stores.wechat_bindings.drop(replaced.key, replaced.claim)


async def main(way: str, urls: EngineUrls, database: str, folder: Path) -> None:
    """Take part in every round read, and say when it is done."""
    async with house(urls, database, folder) as ctx:
        print("ready", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            openid, key = line.split()
            work = {"bind": bind, "careless": careless}[way]
            await work(ctx, key, WechatIdentity("mini", openid))
            print("done", flush=True)


if __name__ == "__main__":
    _, chosen, mongo, redis, name, place = sys.argv
    asyncio.run(main(chosen, EngineUrls(mongo, redis), name, Path(place)))
