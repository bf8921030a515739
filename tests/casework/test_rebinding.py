"""Another WeChat in place of the one an account has: by code and a date, few tries, and told."""

from datetime import date
from pathlib import Path

import pytest

from casework import accounts, codes
from casework.askers import asker_in_chat
from casework.context import Context
from casework.wechat_binding_sweep import settle_due
from casework.wechat_bindings import drop_named, forget_wechat, unbind, whoami
from casework.wechat_identity import WechatIdentity, account_of
from rules.people import Citizen
from rules.refusals import Refusal
from storage.engines import EngineUrls
from storage.session_documents import NewSession
from tests.casework.inside import Clock, citizen, house
from tests.desk.town import id_number

CODE = "246810"
CARD = date(2031, 5, 2)
OLD, NEW, THIRD = (WechatIdentity("mini", f"o-{n}") for n in ("old", "new", "third"))


async def _code(ctx: Context, who: Citizen, identity: WechatIdentity) -> None:
    place = codes.slot(ctx, "login", who.key, who.phone, asker_in_chat(ctx, identity))
    await ctx.stores.memory.put_code(place, CODE, 300)


async def _tries(
    ctx: Context, who: Citizen, identity: WechatIdentity, fact: str | None = None
) -> str:
    """Log in with the code in hand; what came of it."""
    try:
        proved = await accounts.prove_person(
            ctx,
            id_number=who.id_number,
            sms_code=CODE,
            wechat=identity,
            asker=asker_in_chat(ctx, identity),
            id_fact=fact,
        )
    except Refusal as refusal:
        return refusal.code + (f":{refusal.params['kind']}" if "kind" in refusal.params else "")
    assert proved.key == who.key
    return "in"


async def _logs_in(
    ctx: Context, who: Citizen, identity: WechatIdentity, fact: str | None = None
) -> str:
    await _code(ctx, who, identity)
    return await _tries(ctx, who, identity, fact)


async def _speaks_for(ctx: Context, identity: WechatIdentity) -> str | None:
    found = await whoami(ctx, identity)
    return found.key if found else None


async def _with_card(ctx: Context, who: Citizen) -> None:
    row = {"id_number": who.id_number, "name": who.name, "card_valid_until": CARD}
    await ctx.stores.registry.upsert_population([row])


@pytest.mark.gen_test(timeout=60)
async def test_a_face_signed_citizen_gives_a_date_of_his_card(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await citizen(ctx, 1)
        await _with_card(ctx, who)
        assert await _logs_in(ctx, who, OLD) == "in"
        assert await _logs_in(ctx, who, NEW) == "id-fact-needed:card"
        # The code still serves this WeChat, and no other.
        assert await _tries(ctx, who, NEW, "不记得") == "id-fact-needed:card"
        assert await _tries(ctx, who, NEW, "2031-05-03") == "id-fact-wrong"
        assert await _tries(ctx, who, THIRD, "2031-05-02") == "code-expired"
        assert await _speaks_for(ctx, OLD) == who.key
        assert await _tries(ctx, who, NEW, "2031年5月2日") == "in"
        assert await _speaks_for(ctx, NEW) == who.key
        assert await _speaks_for(ctx, OLD) is None


@pytest.mark.gen_test(timeout=60)
async def test_else_of_his_licence(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await citizen(ctx, 1)
        licence = await ctx.stores.registry.licence(who.key)
        assert licence is not None
        assert await _logs_in(ctx, who, OLD) == "in"
        assert await _logs_in(ctx, who, NEW) == "id-fact-needed:licence"
        assert await _tries(ctx, who, NEW, licence.valid_until.isoformat()) == "id-fact-wrong"
        assert await _tries(ctx, who, NEW, licence.issued_on.isoformat()) == "in"


@pytest.mark.gen_test(timeout=60)
async def test_who_guesses_locks_nobody_else_out(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await citizen(ctx, 1)
        await _with_card(ctx, who)
        assert await _logs_in(ctx, who, OLD) == "in"
        guesses = [await _logs_in(ctx, who, NEW, f"2030-01-0{n}") for n in range(1, 6)]
        assert guesses == ["id-fact-wrong"] * 3 + ["too-many-tries"] * 2
        assert await _logs_in(ctx, who, NEW, CARD.isoformat()) == "too-many-tries"
        assert await _logs_in(ctx, who, OLD) == "in"
        assert await _logs_in(ctx, who, THIRD, CARD.isoformat()) == "in"


@pytest.mark.gen_test(timeout=60)
async def test_whoever_has_only_the_phone_does_not_get_round_it(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """Unbinding first does not help him; who was at the window, or unsubscribed, is not asked."""
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await citizen(ctx, 1)
        await _with_card(ctx, who)
        assert await _logs_in(ctx, who, OLD) == "in"
        await unbind(ctx, who.key, "mini")
        assert await _logs_in(ctx, who, NEW) == "id-fact-needed:card"
        assert await _logs_in(ctx, who, OLD) == "in"
        before = await ctx.stores.sessions.get(who.key)
        assert before is not None
        assert await ctx.stores.sessions.change_phone(who.key, "at-the-window", who.phone)
        assert await _speaks_for(ctx, OLD) is None
        await drop_named(ctx, before)
        assert await ctx.stores.wechat_bindings.get(account_of(ctx, OLD)) is None
        assert await _logs_in(ctx, who, NEW) == "in"
        await forget_wechat(ctx, NEW)
        assert await _logs_in(ctx, who, OLD) == "in"


@pytest.mark.gen_test(timeout=60)
async def test_a_family_changes_over_without_it(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        for who in (await citizen(ctx, 1), await citizen(ctx, 2)) * 2:
            assert await _logs_in(ctx, who, OLD) == "in"
            assert await _speaks_for(ctx, OLD) == who.key


@pytest.mark.gen_test(timeout=60)
async def test_who_is_not_face_signed_needs_the_code_alone(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        number = id_number(7)
        key = ctx.stores.vault.id_key(number)
        new = NewSession(key, number, "王小明", "13900000007", ctx.now(), "c")
        assert await ctx.stores.sessions.create(new)
        session = await ctx.stores.sessions.get(key)
        assert session is not None
        who = session.citizen(ctx.today())
        assert [await _logs_in(ctx, who, one) for one in (OLD, NEW)] == ["in", "in"]
        assert await _speaks_for(ctx, OLD) is None


@pytest.mark.gen_test(timeout=60)
async def test_it_is_told_by_the_worker_until_the_gateway_took_it(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        assert isinstance(ctx.clock, Clock)
        who = await citizen(ctx, 1)
        await _with_card(ctx, who)
        assert await _logs_in(ctx, who, OLD) == "in"
        assert await ctx.stores.wechat_bindings.due(ctx.now(), 9) == []
        assert await _logs_in(ctx, who, NEW, CARD.isoformat()) == "in"
        (held,) = await ctx.stores.wechat_bindings.due(ctx.now(), 9)
        assert held.tell and held.account == account_of(ctx, NEW)
        # No gateway answers here: it stays owed, for a day.
        assert await settle_due(ctx) == 1
        assert await ctx.stores.wechat_bindings.due(ctx.now(), 9) == []
        ctx.clock.ahead += ctx.seconds("login.binding_seconds")
        assert await settle_due(ctx) == 1
        kept = await ctx.stores.wechat_bindings.get(account_of(ctx, NEW))
        assert kept is not None and kept.tell
        ctx.clock.ahead += ctx.seconds("login.token_seconds")
        assert await settle_due(ctx) == 1
        kept = await ctx.stores.wechat_bindings.get(account_of(ctx, NEW))
        assert kept is not None and kept.due is None
        assert await _speaks_for(ctx, NEW) == who.key
