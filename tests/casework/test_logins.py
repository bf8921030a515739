"""A device's token: renewed, lost on the way, copied, forgotten at once when signed out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from casework import logins
from casework.context import Context
from casework.me import me
from rules.people import Citizen
from rules.refusals import Refusal
from storage.engines import EngineUrls
from tests.casework import inside
from tests.casework.inside import Clock


@asynccontextmanager
async def somebody(
    urls: EngineUrls, database: str, folder: Path
) -> AsyncIterator[tuple[Context, Clock, Citizen]]:
    """A house, its clock, and a citizen of it."""
    async with inside.house(urls, database, folder) as ctx:
        assert isinstance(ctx.clock, Clock)
        yield ctx, ctx.clock, await inside.citizen(ctx, 1)


async def works(ctx: Context, token: str) -> bool:
    """Whether a token is worth anything."""
    try:
        await logins.authenticate(ctx, token)
    except Refusal as refusal:
        assert refusal.code == "not-logged-in"
        return False
    return True


def after(clock: Clock, seconds: float) -> None:
    """Let time pass, in the house and in what its processes remember."""
    clock.ahead += timedelta(seconds=seconds)


@pytest.mark.gen_test(timeout=60)
async def test_a_renewed_token_ends_the_old_one_after_the_grace(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with somebody(engine_urls, mongo_database, tmp_path) as (ctx, clock, who):
        first = await logins.issue(ctx, who.key, "mini", "手机")
        second = await logins.renew(ctx, first.token)
        assert second.token != first.token
        assert await works(ctx, first.token) and await works(ctx, second.token)
        # The answer was lost: asked again with the old token, it is the same.
        assert (await logins.renew(ctx, first.token)).token == second.token
        # And a token just given is not renewed again, so there is never a third alive.
        assert (await logins.renew(ctx, second.token)).token == second.token
        after(clock, 61)
        third = await logins.renew(ctx, second.token)
        assert third.token != second.token and await works(ctx, third.token)


@pytest.mark.gen_test(timeout=60)
async def test_a_copied_token_signs_the_device_out_and_the_citizen_is_told(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with somebody(engine_urls, mongo_database, tmp_path) as (ctx, clock, who):
        copied = await logins.issue(ctx, who.key, "mini", "旧手机")
        other = await logins.issue(ctx, who.key, "web", "电脑")
        mine = await logins.renew(ctx, copied.token)
        after(clock, 61)
        assert not await works(ctx, copied.token)
        assert not await works(ctx, mine.token), "thief and owner cannot be told apart"
        assert await works(ctx, other.token)
        seen = await logins.listed(ctx, who, other.token)
        assert [(d.name, d.state, d.current) for d in seen] == [
            ("电脑", "signed_in", True),
            ("旧手机", "reused", False),
        ]
        alerts = (await me(ctx, who)).alerts
        assert len(alerts) == 1 and "已自动退出" in alerts[0]
        await logins.sign_out_device(ctx, who.key, seen[1].id)
        assert (await me(ctx, who)).alerts == []


@pytest.mark.gen_test(timeout=60)
async def test_a_made_up_token_signs_nobody_out(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with somebody(engine_urls, mongo_database, tmp_path) as (ctx, _, who):
        login = await logins.issue(ctx, who.key, "mini", "手机")
        key, device, family, secret = login.token.split(".")
        guesses = [
            f"{key}.{device}.{secret}.{family}",
            f"{key}.{device}.{'x' * len(family)}.{secret}",
            f"{key}.other.{family}.{secret}",
            f"{key}.{secret}",
            "",
        ]
        for guess in guesses:
            assert not await works(ctx, guess)
            await logins.sign_out(ctx, guess)
            with pytest.raises(Refusal, match="not-logged-in"):
                await logins.renew(ctx, guess)
        assert await works(ctx, login.token)


@pytest.mark.gen_test(timeout=60)
async def test_requests_that_renew_together_hear_the_same(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with (
        somebody(engine_urls, mongo_database, tmp_path) as (ctx, _, who),
        inside.house(engine_urls, mongo_database, tmp_path) as other,
    ):
        login = await logins.issue(ctx, who.key, "mini", "手机")
        heard = await asyncio.gather(
            *(logins.renew(house, login.token) for house in (ctx, other) * 10)
        )
        assert len({h.token for h in heard}) == 1
        assert await works(other, heard[0].token)


@pytest.mark.gen_test(timeout=60)
async def test_a_login_ends_however_often_it_is_renewed(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with somebody(engine_urls, mongo_database, tmp_path) as (ctx, clock, who):
        token_life = ctx.seconds("login.token_seconds")
        token = (await logins.issue(ctx, who.key, "mini", "手机")).token
        lived = timedelta(0)
        while lived + token_life < ctx.seconds("login.device_seconds"):
            lived += token_life - timedelta(days=1)
            after(clock, (token_life - timedelta(days=1)).total_seconds())
            token = (await logins.renew(ctx, token)).token
        after(clock, token_life.total_seconds())
        assert not await works(ctx, token)
        with pytest.raises(Refusal, match="not-logged-in"):
            await logins.renew(ctx, token)
        assert await logins.listed(ctx, who) == []


@pytest.mark.gen_test(timeout=60)
async def test_signing_out_is_not_outlived_by_what_the_process_remembers(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with somebody(engine_urls, mongo_database, tmp_path) as (ctx, _, who):
        ways = {
            "device": lambda t: logins.sign_out_device(ctx, who.key, t.split(".")[1]),
            "others": lambda t: logins.sign_out_others(ctx, who.key, None),
            "itself": lambda t: logins.sign_out(ctx, t),
        }
        for name, way in ways.items():
            token = (await logins.issue(ctx, who.key, "mini", "手机")).token
            assert await works(ctx, token)  # remembered from here on
            await way(token)
            assert not await works(ctx, token), name


@pytest.mark.gen_test(timeout=60)
async def test_nor_is_it_when_a_look_was_under_way(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """The look read the account before the signing out, and comes to remember it after."""
    async with somebody(engine_urls, mongo_database, tmp_path) as (ctx, _, who):
        token = (await logins.issue(ctx, who.key, "mini", "手机")).token
        before = ctx.recent.mark()
        await logins.sign_out(ctx, token)
        ctx.recent.remember_login(token, who, before)
        assert not await works(ctx, token)
        ctx.recent.remember_login(token, who, ctx.recent.mark())
        assert await works(ctx, token), "what is remembered is believed: this is the guard"


@pytest.mark.gen_test(timeout=60)
async def test_the_day_a_device_is_used_is_noted_once(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with somebody(engine_urls, mongo_database, tmp_path) as (ctx, clock, who):
        token = (await logins.issue(ctx, who.key, "mini", "手机")).token
        first = (await logins.listed(ctx, who))[0]
        assert first.since == first.seen == ctx.today()
        after(clock, 86400)
        ctx.recent.forget_logins(who.key)
        assert await works(ctx, token)
        seen = (await logins.listed(ctx, who))[0]
        assert (seen.since, seen.seen) == (first.since, ctx.today())
