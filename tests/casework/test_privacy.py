"""The privacy notice: shown by day, agreed to by version."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from casework import accounts, codes, privacy
from casework.askers import prover_at
from casework.context import Context
from rules.people import Citizen
from rules.refusals import Refusal
from storage.engines import EngineUrls
from tests.casework.inside import Clock, citizen, house, licence_holder


async def _registers(ctx: Context, number: str, version: str | None) -> Citizen:
    phone = "13900000001"
    key = ctx.stores.vault.id_key(number)
    asker = prover_at(ctx, "10.0.0.1")
    sent_to = codes.slot(ctx, "register", key, phone, asker)
    await ctx.stores.memory.put_code(sent_to, "123456", 60)
    return await accounts.register(
        ctx,
        id_number=number,
        name="王小明",
        phone=phone,
        sms_code="123456",
        region=None,
        wechat=None,
        asker=asker,
        cause=f"register {version}",
        privacy_version=version,
    )


def _put(ctx: Context, day: date) -> None:
    assert isinstance(ctx.clock, Clock)
    ctx.clock.ahead += timedelta(days=(day - ctx.today()).days)


@pytest.mark.gen_test(timeout=60)
async def test_the_version_agreed_to_is_kept_with_time_and_channel(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        number = await licence_holder(ctx, 1)
        current = privacy.notice(ctx).version
        who = await _registers(ctx, number, current)
        session = await ctx.stores.sessions.get(who.key)
        assert session is not None
        assert [(a.version, a.channel) for a in session.privacy] == [(current, "web")]
        assert abs(session.privacy[0].at - ctx.now()) < timedelta(minutes=1)
        await privacy.agree(ctx, who.key, current, "mini")
        session = await ctx.stores.sessions.get(who.key)
        assert session is not None and len(session.privacy) == 1
        assert not (await privacy.agreed(ctx, who)).newer_waits


@pytest.mark.gen_test(timeout=60)
async def test_an_old_version_is_refused_before_anything_is_made(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        number = await licence_holder(ctx, 1)
        with pytest.raises(Refusal, match="privacy-version-outdated"):
            await _registers(ctx, number, "2015-11")
        assert await ctx.stores.sessions.get(ctx.stores.vault.id_key(number)) is None


@pytest.mark.gen_test(timeout=60)
async def test_a_newer_notice_waits_for_who_agreed_to_the_old_one(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await citizen(ctx, 1)
        assert (await privacy.agreed(ctx, who)).version is None
        _put(ctx, date(2021, 10, 31))
        await privacy.agree(ctx, who.key, "2015-11", "official")
        assert not (await privacy.agreed(ctx, who)).newer_waits
        _put(ctx, date(2021, 11, 1))
        found = await privacy.agreed(ctx, who)
        assert (found.version, found.current, found.newer_waits) == ("2015-11", "2021-11", True)
        with pytest.raises(Refusal, match="privacy-version-outdated"):
            await privacy.agree(ctx, who.key, "2015-11", "mini")
        await privacy.agree(ctx, who.key, "2021-11", "mini")
        assert not (await privacy.agreed(ctx, who)).newer_waits
