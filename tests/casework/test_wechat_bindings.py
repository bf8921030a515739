"""A WeChat account speaks for one person, a person has one an app: also when processes die."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from casework import wechat_identity
from casework.context import Context
from casework.wechat_binding_sweep import settle_due
from casework.wechat_bindings import bind, forget_wechat, openid_of, unbind, whoami
from casework.wechat_identity import WechatIdentity
from rules.people import Citizen
from rules.refusals import Refusal
from storage.engines import EngineUrls
from tests.casework import inside
from tests.casework.inside import Clock

POINTS = ("after-binding", "after-naming", "after-unbinding")


class Killed(Exception):
    """The process died at a named point."""


@dataclass(frozen=True)
class Family:
    """Two persons and the WeChat accounts of their phones."""

    ctx: Context
    clock: Clock
    one: Citizen
    other: Citizen

    def dying_at(self, point: str) -> Context:
        """A process that dies at a point."""

        def check(name: str) -> None:
            if name == point:
                raise Killed

        return replace(self.ctx, checkpoint=check)

    async def speaks_for(self, identity: WechatIdentity) -> str | None:
        """The key of whom an account speaks for."""
        citizen = await whoami(self.ctx, identity)
        return citizen.key if citizen else None

    async def reached(self, citizen: Citizen, app: str = "mini") -> str | None:
        """The account a citizen is reached by."""
        session = await self.ctx.stores.sessions.get(citizen.key)
        assert session is not None
        return await openid_of(self.ctx, session, app)

    async def swept(self) -> None:
        """Let the sweep come by after its grace."""
        self.clock.ahead += timedelta(seconds=61)
        await settle_due(self.ctx)

    async def left_over(self) -> int:
        """Documents and entries that say something alone."""
        stores, count = self.ctx.stores, 0
        named = {}
        for citizen in (self.one, self.other):
            session = await stores.sessions.get(citizen.key)
            assert session is not None
            named |= {account.key: citizen.key for account in session.wechat.values()}
            count += sum(len(account.before) for account in session.wechat.values())
        held = [d async for d in stores.database["wechat_bindings"].find({"app": {"$ne": "union"}})]
        count += sum("due" in d or named.get(d["_id"]) != d.get("session") for d in held)
        return count + len(set(named) - {d["_id"] for d in held})


@asynccontextmanager
async def family(urls: EngineUrls, database: str, folder: Path) -> AsyncIterator[Family]:
    """A house with a family in it."""
    async with inside.house(urls, database, folder) as ctx:
        assert isinstance(ctx.clock, Clock)
        yield Family(ctx, ctx.clock, await inside.citizen(ctx, 1), await inside.citizen(ctx, 2))


PHONE, TABLET = WechatIdentity("mini", "o-phone"), WechatIdentity("mini", "o-tablet")


@pytest.mark.gen_test(timeout=60)
async def test_an_account_goes_from_one_person_to_another(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with family(engine_urls, mongo_database, tmp_path) as home:
        for who, left in ((home.one, home.other), (home.other, home.one)) * 2:
            await bind(home.ctx, who.key, PHONE)
            assert await home.speaks_for(PHONE) == who.key
            assert await home.reached(who) == "o-phone"
            assert await home.reached(left) is None
            assert await home.left_over() == 0


@pytest.mark.gen_test(timeout=60)
async def test_a_person_goes_from_one_account_to_another(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with family(engine_urls, mongo_database, tmp_path) as home:
        for new, old in ((PHONE, TABLET), (TABLET, PHONE)) * 2:
            await bind(home.ctx, home.one.key, new)
            assert await home.speaks_for(new) == home.one.key
            assert await home.speaks_for(old) is None
            assert await home.reached(home.one) == new.openid
            assert await home.left_over() == 0


@pytest.mark.parametrize("points", list(itertools.product(POINTS, repeat=2)))
@pytest.mark.gen_test(timeout=120)
async def test_wherever_processes_die_nobody_is_taken_for_another(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path, points: tuple[str, str]
) -> None:
    async with family(engine_urls, mongo_database, tmp_path) as home:
        await bind(home.ctx, home.one.key, PHONE)
        deaths = 0
        deeds = (
            lambda ctx: bind(ctx, home.other.key, PHONE),
            lambda ctx: bind(ctx, home.one.key, TABLET),
            lambda ctx: bind(ctx, home.one.key, PHONE),
            lambda ctx: unbind(ctx, home.one.key, "mini"),
        )
        for first, second in itertools.permutations(deeds, 2):
            for deed, point in ((first, points[0]), (second, points[1])):
                try:
                    await deed(home.dying_at(point))
                except Killed:
                    deaths += 1
                await _one_each(home)
            await home.swept()
            await _one_each(home)
            assert await home.left_over() == 0
            # And whoever logs in again has his account, whatever was left behind.
            await bind(home.ctx, home.one.key, PHONE)
            assert await home.speaks_for(PHONE) == home.one.key
            await _one_each(home)
        assert deaths


async def _one_each(home: Family) -> None:
    """What is said the one way round is said the other way round."""
    people = {home.one.key: home.one, home.other.key: home.other}
    for account in (PHONE, TABLET):
        speaks_for = await home.speaks_for(account)
        reached_by = [k for k, c in people.items() if await home.reached(c) == account.openid]
        assert reached_by == ([speaks_for] if speaks_for else [])


@pytest.mark.gen_test(timeout=60)
async def test_a_binding_that_was_cut_off_is_finished_by_the_first_message(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with family(engine_urls, mongo_database, tmp_path) as home:
        with pytest.raises(Killed):
            await bind(home.dying_at("after-binding"), home.one.key, PHONE)
        assert await home.speaks_for(PHONE) == home.one.key
        assert await home.reached(home.one) == "o-phone"


@pytest.mark.gen_test(timeout=60)
async def test_a_replaced_account_does_not_come_back(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """The phone is lost, the new one is bound and unbound: the finder is nobody."""
    async with family(engine_urls, mongo_database, tmp_path) as home:
        await bind(home.ctx, home.one.key, PHONE)
        with pytest.raises(Killed):
            await bind(home.dying_at("after-naming"), home.one.key, TABLET)
        assert await home.speaks_for(PHONE) is None
        await unbind(home.ctx, home.one.key, "mini")
        assert await home.speaks_for(PHONE) is None and await home.speaks_for(TABLET) is None
        await home.swept()
        assert await home.left_over() == 0


def _with_union(app: str, who: str) -> WechatIdentity:
    return WechatIdentity(app, f"o-{app}-{who}", f"u-{who}")


@pytest.mark.gen_test(timeout=60)
async def test_a_unionid_makes_the_other_app_known(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with family(engine_urls, mongo_database, tmp_path) as home:
        await bind(home.ctx, home.one.key, _with_union("official", "a"))
        assert await home.speaks_for(_with_union("mini", "b")) is None
        assert await home.speaks_for(_with_union("mini", "a")) == home.one.key
        assert await home.reached(home.one, "mini") == "o-mini-a"
        assert await home.left_over() == 0


@pytest.mark.gen_test(timeout=60)
async def test_a_unionid_does_not_replace_an_account_nor_undo_unbinding(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with family(engine_urls, mongo_database, tmp_path) as home:
        await bind(home.ctx, home.one.key, _with_union("mini", "old"))
        await bind(home.ctx, home.one.key, _with_union("official", "new"))
        assert await home.speaks_for(_with_union("mini", "new")) is None
        await unbind(home.ctx, home.one.key, "mini")
        for who in ("old", "new"):
            expected = home.one.key if who == "new" else None
            assert await home.speaks_for(_with_union("mini", who)) == expected
        await unbind(home.ctx, home.one.key, "mini")
        assert await home.speaks_for(_with_union("mini", "new")) is None
        assert await home.speaks_for(_with_union("official", "new")) == home.one.key


@pytest.mark.gen_test(timeout=60)
async def test_one_wechat_serves_one_person_in_both_apps(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with family(engine_urls, mongo_database, tmp_path) as home:
        for app in ("official", "mini"):
            await bind(home.ctx, home.one.key, _with_union(app, "a"))
        await bind(home.ctx, home.other.key, _with_union("mini", "a"))
        assert await home.reached(home.one, "official") is None
        assert await home.speaks_for(_with_union("official", "a")) == home.other.key
        assert await home.left_over() == 0


@pytest.mark.gen_test(timeout=60)
async def test_who_unsubscribed_must_log_in_again(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with family(engine_urls, mongo_database, tmp_path) as home:
        for app in ("official", "mini"):
            await bind(home.ctx, home.one.key, _with_union(app, "a"))
        await forget_wechat(home.ctx, _with_union("official", "a"))
        assert await home.speaks_for(_with_union("official", "a")) is None
        assert await home.reached(home.one, "official") is None
        assert await home.speaks_for(_with_union("mini", "a")) == home.one.key
        await bind(home.ctx, home.one.key, _with_union("official", "a"))
        assert await home.speaks_for(_with_union("official", "a")) == home.one.key


@pytest.mark.gen_test(timeout=60)
async def test_there_are_two_apps(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with family(engine_urls, mongo_database, tmp_path) as home:
        await bind(home.ctx, home.one.key, PHONE)
        await bind(home.ctx, home.one.key, WechatIdentity("official", "o-chat"))
        with pytest.raises(Refusal, match="not-found"):
            await unbind(home.ctx, home.one.key, "web")
        for app in wechat_identity.APPS:
            await unbind(home.ctx, home.one.key, app)
        assert await home.reached(home.one) is await home.reached(home.one, "official") is None
        assert await home.left_over() == 0
