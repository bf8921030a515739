"""Closing an account: refused while matters are under way, then all of it goes."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from pathlib import Path

import pytest

from bianmin.settings import PREFIX
from casework import accounts, closing, codes, contacts, facesign, logins, matters, wechat_bindings
from casework.askers import prover_at
from casework.closing import Closed
from casework.context import Context
from casework.sweep import sweep
from casework.wechat_identity import WechatIdentity
from rules.people import Citizen, Tier
from rules.refusals import Refusal
from storage.engines import EngineUrls
from tests.casework.inside import OFFICE, Clock, citizen, draft, house, officer, silent
from tests.support.processes import House
from tests.support.web import fetch

CODE = "123456"


async def _close(ctx: Context, who: Citizen, code: str = CODE, cause: str = "close") -> Closed:
    asker = prover_at(ctx, "10.0.0.1")
    place = codes.slot(ctx, "close", who.key, who.phone, asker)
    await ctx.stores.memory.put_code(place, CODE, 60)
    return await closing.close(ctx, who, sms_code=code, asker=asker, cause=cause)


async def _registers(ctx: Context, who: Citizen, cause: str) -> Citizen:
    asker = prover_at(ctx, "10.0.0.1")
    phone = who.phone
    await ctx.stores.memory.put_code(codes.slot(ctx, "register", who.key, phone, asker), CODE, 60)
    return await accounts.register(
        ctx,
        id_number=who.id_number,
        name=who.name,
        phone=phone,
        sms_code=CODE,
        region=None,
        wechat=WechatIdentity("mini", "openid-new"),
        asker=asker,
        cause=cause,
    )


@pytest.mark.gen_test(timeout=60)
async def test_nobody_reaches_anything_by_a_closed_account(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await citizen(ctx, 1)
        identity = WechatIdentity("mini", "openid-1")
        await wechat_bindings.bind(ctx, who.key, identity)
        token = (await accounts.open_session(ctx, who, "mini", "手机")).token
        number = await draft(ctx, who)
        with pytest.raises(Refusal, match="code-wrong"):
            await _close(ctx, who, "000000")
        assert await wechat_bindings.whoami(ctx, identity) is not None
        closed = await _close(ctx, who)
        assert any("身份证号" in stays.label for stays in closed.stays)
        assert await wechat_bindings.whoami(ctx, identity) is None
        with pytest.raises(Refusal, match="not-logged-in"):
            await logins.authenticate(ctx, token)
        with pytest.raises(Refusal, match="not-logged-in"):
            await _close(ctx, who, cause="again")
        stored = await ctx.stores.matters.get(number)
        assert stored is not None and stored.matter.state == "withdrawn"
        held = await ctx.stores.database["sessions"].find_one({"_id": who.key})
        assert held is not None and held["tiers"] == {} and "phone" not in held["person"]


@pytest.mark.gen_test(timeout=60)
async def test_matters_under_way_are_named(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await citizen(ctx, 1)
        number = await draft(ctx, who)
        await ctx.stores.database["matters"].update_one(
            {"_id": number}, {"$set": {"state": "submitted"}}
        )
        with pytest.raises(Refusal) as refused:
            await _close(ctx, who)
        assert refused.value.code == "closing-matters-under-way"
        assert refused.value.params["numbers"] == [number]
        assert await ctx.stores.sessions.get(who.key) is not None


@pytest.mark.gen_test(timeout=60)
async def test_registering_again_is_checked_like_the_first_time(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await citizen(ctx, 1)
        await _close(ctx, who)
        stranger = Citizen(who.key, who.id_number, "李小明", who.phone, frozenset())
        with pytest.raises(Refusal, match="identity-mismatch"):
            await _registers(ctx, stranger, "as another")
        again = await _registers(ctx, who, "again")
        assert again.key == who.key and again.tiers == {Tier.DIRECT}
        number = await ctx.stores.database["sessions"].count_documents({})
        assert number == 1


@pytest.mark.gen_test(timeout=60)
async def test_face_signing_opens_a_closed_account_anew(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await citizen(ctx, 1)
        await _close(ctx, who)
        at_the_window = await officer(ctx, OFFICE)
        await facesign.face_sign(
            ctx,
            at_the_window,
            id_number=who.id_number,
            phone="13900000009",
            cause="anew",
            proved=True,
        )
        session = await ctx.stores.sessions.get(who.key)
        assert session is not None and session.phone == "13900000009"
        assert Tier.FACE_SIGNED in session.tiers
        assert not [
            m for m in await matters.mine(ctx, session.citizen(ctx.today())) if m.state == "draft"
        ]


@pytest.mark.gen_test(timeout=60)
async def test_a_phone_changed_at_the_window_does_not_come_back_into_a_closed_account(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, desk = await citizen(ctx, 1), await officer(ctx, OFFICE)
        await _close(ctx, who)
        await ctx.stores.closings.done(who.key)
        await ctx.stores.memory.outbox.take(100, 0.01)
        visit = (await contacts.receive(ctx, desk, who.id_number)).visit
        await contacts.send_code(ctx, desk, visit, "13911112222")
        (job,) = await ctx.stores.memory.outbox.take(100, 0.01)
        await contacts.confirm(ctx, desk, visit, code=job.code, checked=contacts.CHECKS)
        held = await ctx.stores.database["sessions"].find_one({"_id": who.key})
        assert held is not None and "closed_at" in held
        assert set(held["person"]) == {"id_number", "name"} and "phone_key" not in held


@pytest.mark.gen_test(timeout=90)
async def test_closing_is_told_once_and_then_the_phone_is_gone(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """Told at once where the gateway answers; where it does not, by the sweep."""
    (tmp_path / "house").mkdir()
    with House(tmp_path / "house", engine_urls, mongo_database) as away:
        away.start_sandbox()
        values = {k.removeprefix(PREFIX).lower(): v for k, v in away.env.items()}
        async with house(engine_urls, mongo_database, tmp_path) as deaf:
            who = await citizen(deaf, 1)
            await _close(deaf, who)
            farewell = await deaf.stores.closings.farewell(who.key)
            assert farewell is not None and farewell.phone == who.phone
        sms = {k: v for k, v in values.items() if k.startswith("aliyun")}
        async with house(engine_urls, mongo_database, tmp_path, **sms) as ctx:
            assert isinstance(ctx.clock, Clock)
            ctx.clock.ahead += timedelta(minutes=2)
            for _ in range(3):
                await sweep(ctx, silent)
            assert await ctx.stores.closings.farewell(who.key) is None
            inbox = fetch(away.sandbox_url, "GET", f"/sandbox/phones/{who.phone}/sms").json()
            told = [s for s in inbox if s["template"] == "SMS_ACCOUNT_CLOSED"]
            assert len(told) == 1 and "注销" in told[0]["text"]


@pytest.mark.gen_test(timeout=120)
async def test_closing_and_registering_at_once_leave_one_or_the_other(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """Whatever the interleaving: closed with nothing left, or open and whole."""
    async with (
        house(engine_urls, mongo_database, tmp_path) as one,
        house(engine_urls, mongo_database, tmp_path) as other,
    ):
        seen = set()
        for order in range(1, 13):
            who = await citizen(one, order)
            await wechat_bindings.bind(one, who.key, WechatIdentity("mini", "openid-old"))
            wait = 0.08 * (order % 2)
            await asyncio.gather(
                _after(wait, _close(one, who, cause=f"a{order}")),
                _after(0.002 * order, _registers(other, who, f"b{order}")),
                return_exceptions=True,
            )
            # A registration that joined the account before may still write to it once.
            await one.stores.closings.done(who.key)
            held = await one.stores.database["sessions"].find_one({"_id": who.key})
            assert held is not None
            session = await one.stores.sessions.get(who.key)
            seen.add(session is not None)
            if session is None:
                assert held["tiers"] == {} and not {"devices", "wechat"} & set(held)
                assert "phone" not in held["person"] and "phone_key" not in held
            else:
                assert session.phone == who.phone and session.tiers
                assert await wechat_bindings.whoami(other, WechatIdentity("mini", "openid-new"))
        assert seen == {True, False}, "the race never went both ways"


async def _after(seconds: float, deed: Awaitable[object]) -> None:
    await asyncio.sleep(seconds)
    await deed


async def _careless_close(ctx: Context, key: str, between: Awaitable[object]) -> None:
    """Looks, then writes part after part; somebody else's deed falls in between."""
    session = await ctx.stores.sessions.get(key)
    assert session is not None
    sessions = ctx.stores.database["sessions"]
    await sessions.update_one({"_id": key}, {"$set": {"closed_at": ctx.now(), "tiers": {}}})
    await between
    gone = {"wechat": "", "devices": "", "person.phone": ""}
    await sessions.update_one({"_id": key}, {"$unset": gone})


@pytest.mark.gen_test(timeout=60)
async def test_closing_part_after_part_would_tear_a_fresh_account(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """The guard is the one conditional write: without it the same race does happen."""
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await citizen(ctx, 1)
        await _careless_close(ctx, who.key, _registers(ctx, who, "at once"))
        held = await ctx.stores.database["sessions"].find_one({"_id": who.key})
        assert held is not None and "closed_at" not in held
        assert "phone" not in held["person"] and "wechat" not in held
