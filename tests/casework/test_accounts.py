"""Accounts: what a mismatch gives away, and whom a WeChat account speaks for."""

from pathlib import Path

import pytest

from casework import accounts, codes, wechat_bindings
from casework.askers import prover_at
from casework.context import Context
from casework.wechat_identity import WechatIdentity
from rules.people import Citizen
from rules.refusals import Refusal
from storage.engines import EngineUrls
from tests.casework.inside import citizen, house, licence_holder, officer


@pytest.mark.gen_test(timeout=60)
async def test_who_is_not_the_person_hears_the_offices_of_the_city(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        await officer(ctx)
        number, phone = await licence_holder(ctx, 1), "13800000002"
        key = ctx.stores.vault.id_key(number)
        for region in (None, "4101", "410105"):
            asker = prover_at(ctx, "10.0.0.1")
            sent_to = codes.slot(ctx, "register", key, phone, asker)
            await ctx.stores.memory.put_code(sent_to, "123456", 60)
            with pytest.raises(Refusal) as refused:
                await accounts.register(
                    ctx,
                    id_number=number,
                    name="王小明",
                    phone=phone,
                    sms_code="123456",
                    region=region,
                    wechat=None,
                    asker=asker,
                    cause=f"c{region}",
                )
            assert [o.name for o in refused.value.params["offices"]] == ["郑州市车辆管理所"]


@pytest.mark.gen_test(timeout=60)
async def test_giving_an_old_wechat_away_leaves_the_new_one(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, other = await citizen(ctx, 1), await citizen(ctx, 2)
        old, new = WechatIdentity("mini", "old"), WechatIdentity("mini", "new")
        await wechat_bindings.bind(ctx, who.key, old)
        await wechat_bindings.bind(ctx, who.key, new)
        await wechat_bindings.bind(ctx, other.key, old)
        assert await _reached(ctx, who) == "new" and await _reached(ctx, other) == "old"
        await wechat_bindings.forget_wechat(ctx, new)
        assert await _reached(ctx, who) is None


async def _reached(ctx: Context, who: Citizen) -> str | None:
    session = await ctx.stores.sessions.get(who.key)
    assert session is not None
    account = session.wechat.get("mini")
    return account.openid if account else None
