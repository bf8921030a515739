"""Codes and accounts: what others do with one's number, and what the answers give away."""

from pathlib import Path

import pytest

from casework import accounts, codes, wechat_accounts
from casework.context import Context
from casework.wechat_accounts import WechatIdentity
from rules.people import Citizen
from rules.refusals import Refusal
from storage.engines import EngineUrls
from tests.casework.inside import citizen, house, licence_holder, officer
from tests.desk.town import id_number


async def _wanted(ctx: Context, purpose: str, number: str, phone: str, address: str = "a") -> str:
    """What asking for a code is answered, the phone aside."""
    try:
        await codes.send_code(ctx, purpose=purpose, id_number=number, phone=phone, address=address)
    except Refusal as refusal:
        return refusal.code
    return "sent"


@pytest.mark.gen_test(timeout=60)
async def test_asking_for_a_login_code_tells_nothing(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """Neither while the gateway is away nor when the phone of the account is at its limit."""
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        known, nobody = await citizen(ctx, 1), id_number(900)
        for number in (known.id_number, nobody):
            assert await _wanted(ctx, "login", number, "") == "sent"
            assert await _wanted(ctx, "login", number, "") == "too-many-codes"
        other = await citizen(ctx, 2)
        assert await _wanted(ctx, "register", id_number(901), other.phone) == "busy-try-again"
        assert await _wanted(ctx, "register", id_number(902), other.phone) == "too-many-codes"
        assert await _wanted(ctx, "login", other.id_number, "") == "sent"


@pytest.mark.gen_test(timeout=60)
async def test_nobody_uses_up_anothers_login_codes(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await citizen(ctx, 1)
        assert await _wanted(ctx, "register", who.id_number, "13800000001") == "busy-try-again"
        assert await _wanted(ctx, "login", who.id_number, "") == "sent"
        most = int(ctx.figure("sms_code.per_address_hour"))
        for _ in range(most):
            await ctx.stores.memory.hit("code:address:flood", most, 3600)
        other = await citizen(ctx, 2)
        assert await _wanted(ctx, "login", other.id_number, "", "flood") == "too-many-codes"
        assert await _wanted(ctx, "login", other.id_number, "", "b") == "sent"


@pytest.mark.gen_test(timeout=60)
async def test_who_is_not_the_person_hears_the_offices_of_the_city(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        await officer(ctx)
        number, phone = await licence_holder(ctx, 1), "13800000002"
        key = ctx.stores.vault.id_key(number)
        for region in (None, "4101", "410105"):
            sent_to = f"register:{key}:{ctx.stores.vault.phone_key(phone)}"
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
        await wechat_accounts.bind(ctx, who.key, old)
        await wechat_accounts.bind(ctx, who.key, new)
        await wechat_accounts.bind(ctx, other.key, old)
        assert await _reached(ctx, who) == "new" and await _reached(ctx, other) == "old"
        await wechat_accounts.forget_wechat(ctx, new)
        assert await _reached(ctx, who) is None


async def _reached(ctx: Context, who: Citizen) -> str | None:
    session = await ctx.stores.sessions.get(who.key)
    assert session is not None
    account = session.wechat.get("mini")
    return account.openid if account else None
