"""Officers' logins: what a flood may cost, whom it may lock out, and when a login ends."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest

from casework import officers
from casework.context import Context
from casework.officers import DeskSession
from casework.passwords import Passwords
from rules.refusals import Refusal
from storage.engines import EngineUrls
from tests.casework.inside import OFFICE, Clock, house, officer

PASSWORD = "correct horse battery"
DESK, ELSEWHERE = "10.1.2.3", "10.9.9.9"


async def _employ(
    ctx: Context, username: str, password: str = PASSWORD, *, totp: bool = False
) -> str | None:
    await officer(ctx)
    return await officers.add_officer(
        ctx,
        username=username,
        name="李警官",
        role="reviewer",
        office=OFFICE,
        password=password,
        totp=totp,
    )


async def _in(
    ctx: Context,
    username: str,
    password: str = PASSWORD,
    *,
    code: str = "",
    address: str = DESK,
    device: str = "",
) -> DeskSession:
    return await officers.officer_login(
        ctx, username=username, password=password, code=code, address=address, device=device
    )


async def _said(
    ctx: Context,
    username: str,
    password: str = PASSWORD,
    *,
    code: str = "",
    address: str = DESK,
    device: str = "",
) -> str:
    try:
        await _in(ctx, username, password, code=code, address=address, device=device)
    except Refusal as refusal:
        return refusal.code
    return "in"


async def _at_desk(ctx: Context, session: DeskSession) -> str:
    try:
        return (await officers.officer_session(ctx, session.id)).username
    except Refusal as refusal:
        return refusal.code


async def _flood(ctx: Context) -> list[str]:
    """Twelve logins at once, each from an address and for a name of its own."""
    tries = [_said(ctx, f"nobody{n}", address=f"10.2.0.{n}") for n in range(12)]
    return list(await asyncio.gather(*tries))


@pytest.mark.gen_test(timeout=60)
async def test_a_flood_of_passwords_takes_two_threads_and_no_more(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        assert set(await _flood(ctx)) == {"officer-login-failed"}
        assert ctx.passwords.busiest == 2
        bounded = replace(ctx, passwords=Passwords(together=1, waiting=2))
        said = await _flood(bounded)
        assert said.count("officer-login-failed") == 3 and said.count("busy-try-again") == 9
        assert bounded.passwords.busiest == 1
        # Afterwards there is room again.
        assert await _said(bounded, "nobody") == "officer-login-failed"


@pytest.mark.gen_test(timeout=60)
async def test_without_the_bound_they_all_run_at_once(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """What the test above guards against."""
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        boundless = replace(ctx, passwords=Passwords(together=100))
        await _flood(boundless)
        assert boundless.passwords.busiest > 2


@pytest.mark.gen_test(timeout=60)
async def test_who_goes_through_the_names_is_stopped_and_locks_out_nobody_elsewhere(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        await _employ(ctx, "li")
        most = int(ctx.figure("desk.login_tries_per_address_quarter"))
        for _ in range(most - 1):
            await ctx.stores.memory.hit(f"desk:{ELSEWHERE}", most, 900)
        assert await _said(ctx, "name1", address=ELSEWHERE) == "officer-login-failed"
        assert await _said(ctx, "name2", address=ELSEWHERE) == "too-many-tries"
        assert await _said(ctx, "li", address=ELSEWHERE) == "too-many-tries"
        assert await _said(ctx, "li") == "in"


@pytest.mark.gen_test(timeout=60)
async def test_a_colleague_behind_the_same_address_does_not_lock_an_officer_out(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        await _employ(ctx, "li")
        await _employ(ctx, "zhao")
        mine, theirs = await _in(ctx, "li"), await _in(ctx, "zhao")
        wrong = [await _said(ctx, "li", "wrong") for _ in range(6)]
        assert wrong[-1] == "too-many-tries"
        assert await _said(ctx, "li") == "too-many-tries"
        for device in ("", "x", "汉字", theirs.device, mine.device[:-4] + "AAAA"):
            assert await _said(ctx, "li", device=device) == "too-many-tries"
        assert await _said(ctx, "li", device=mine.device) == "in"
        # And that browser has tries of its own, no more than any other.
        tries = [await _said(ctx, "li", "wrong", device=mine.device) for _ in range(6)]
        assert tries[-1] == "too-many-tries"


@pytest.mark.gen_test(timeout=60)
async def test_a_login_ends_after_half_an_hour_alone_and_after_a_shift_anyway(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        await _employ(ctx, "li")
        session = await _in(ctx, "li")
        kept = ctx.stores.memory._key("desk", session.id)
        idle = int(ctx.figure("desk.idle_seconds"))
        assert idle - 5 <= await ctx.stores.redis.ttl(kept) <= idle
        await ctx.stores.redis.expire(kept, 100)
        assert await _at_desk(ctx, session) == "li"
        assert idle - 5 <= await ctx.stores.redis.ttl(kept) <= idle
        assert isinstance(ctx.clock, Clock)
        shift = int(ctx.figure("desk.session_seconds"))
        ctx.clock.ahead = timedelta(seconds=shift - 60)
        assert await _at_desk(ctx, session) == "li"
        ctx.clock.ahead = timedelta(seconds=shift + 1)
        assert await _at_desk(ctx, session) == "not-logged-in"
        await ctx.stores.redis.delete(kept)
        ctx.clock.ahead = timedelta(0)
        assert await _at_desk(ctx, session) == "not-logged-in"


@pytest.mark.gen_test(timeout=60)
async def test_a_new_password_and_being_disabled_end_every_login(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        for username in ("li", "zhao"):
            await _employ(ctx, username)
        logins = [await _in(ctx, "li"), await _in(ctx, "li"), await _in(ctx, "zhao")]
        assert [await _at_desk(ctx, one) for one in logins] == ["li", "li", "zhao"]
        await _employ(ctx, "li", "another horse battery")
        gone = "not-logged-in"
        assert [await _at_desk(ctx, one) for one in logins] == [gone, gone, "zhao"]
        await ctx.stores.officers.disable("zhao")
        assert await _at_desk(ctx, logins[2]) == gone
        assert await _said(ctx, "zhao") == "officer-login-failed"
        # Employed again he logs in again: the old login does not come back.
        await _employ(ctx, "zhao")
        assert await _at_desk(ctx, logins[2]) == gone
        assert await _said(ctx, "zhao") == "in"


@pytest.mark.gen_test(timeout=60)
async def test_a_second_factor_serves_once_and_is_not_guessed(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        secret = await _employ(ctx, "sun", totp=True)
        assert secret is not None
        right = pyotp.TOTP(secret).at(ctx.now())
        wrong = str((int(right) + 1) % 10**6).zfill(6)
        assert await _said(ctx, "sun") == "officer-code-needed"
        assert await _said(ctx, "sun", code=wrong) == "officer-login-failed"
        assert await _said(ctx, "sun", code=right) == "in"
        assert await _said(ctx, "sun", code=right) == "officer-login-failed"
        # From as many addresses as he likes, somebody with the password gets twenty tries an hour.
        most = int(ctx.figure("desk.second_factor_tries_per_hour"))
        said = [await _said(ctx, "sun", code=wrong, address=f"10.3.0.{n}") for n in range(most - 2)]
        assert set(said[: most - 3]) == {"officer-login-failed"} and said[-1] == "too-many-tries"


@pytest.mark.gen_test(timeout=60)
async def test_production_lets_nobody_in_without_a_second_factor(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        await _employ(ctx, "li")
        real = replace(ctx, settings=replace(ctx.settings, environment="production"))
        assert await _said(real, "li") == "officer-code-needed"
        assert await _said(ctx, "li") == "in"


@pytest.mark.gen_test(timeout=60)
async def test_a_password_somebody_has_seen_is_changed_first_and_once(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        await _employ(ctx, "li")
        assert not (await _in(ctx, "li")).officer.must_change
        await officers.add_officer(
            ctx,
            username="li",
            name="李警官",
            role="reviewer",
            office=OFFICE,
            password=PASSWORD,
            totp=False,
            seen=True,
        )
        here, there = await _in(ctx, "li"), await _in(ctx, "li")
        assert here.officer.must_change
        new = {"old": PASSWORD, "new": "four words of my own", "again": "four words of my own"}
        # Both browsers at once: one password is put in place, once.
        done = await asyncio.gather(
            officers.change_password(ctx, here.officer, here.id, **new),
            officers.change_password(ctx, there.officer, there.id, **new),
            return_exceptions=True,
        )
        assert [d for d in done if d is None] and all(
            d is None or d == Refusal("busy-try-again") for d in done
        )
        record = await ctx.stores.officers.get("li")
        assert record is not None and not record.seen
        await officers.change_password(ctx, here.officer, here.id, **new)
        assert (await ctx.stores.officers.get("li")) == record
        with pytest.raises(Refusal, match="officer-login-failed"):
            await _in(ctx, "li")
        assert not (await _in(ctx, "li", new["new"])).officer.must_change


@pytest.mark.gen_test(timeout=60)
async def test_the_old_password_is_not_guessed_at_the_form(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        await _employ(ctx, "li")
        session = await _in(ctx, "li")
        said = []
        for turn in range(6):
            new = f"some new password {turn}"
            with pytest.raises(Refusal) as refused:
                await officers.change_password(
                    ctx, session.officer, session.id, old="guess", new=new, again=new
                )
            said.append(refused.value.code)
        assert said == ["password-wrong"] * 5 + ["too-many-tries"]
