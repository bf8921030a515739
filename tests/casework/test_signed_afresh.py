"""Seen at the window with another phone: whoever held the account until then is out of it."""

from datetime import timedelta
from pathlib import Path

import pytest

from casework import contacts, facesign, logins, mandates
from casework.context import Context
from casework.wechat_bindings import bind, whoami
from casework.wechat_identity import WechatIdentity
from rules.people import Citizen, Tier
from rules.refusals import Refusal
from storage.engines import EngineUrls
from storage.session_documents import NewSession
from tests.casework.inside import citizen, house, licence_holder, officer
from tests.casework.mandating import live, offered

_MINE = WechatIdentity("mini", "o-early", "u-early")
_PHONE = "13900000001"


async def _early(ctx: Context, number: str, phone: str) -> Citizen:
    """Registered by somebody who knew name and ID number, before there was a phone on file."""
    key = ctx.stores.vault.id_key(number)
    new = NewSession(key, number, "王小明", phone, ctx.now() - timedelta(days=9), "early")
    assert await ctx.stores.sessions.create(new)
    session = await ctx.stores.sessions.get(key)
    assert session is not None
    await bind(ctx, key, _MINE)
    return session.citizen(ctx.today())


async def _sign(ctx: Context, number: str, phone: str) -> None:
    who = await officer(ctx)
    await facesign.face_sign(ctx, who, id_number=number, phone=phone, cause="sign", proved=True)


@pytest.mark.gen_test(timeout=60)
async def test_another_phone_ends_every_login_made_before(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        number = await licence_holder(ctx, 1)
        early = await _early(ctx, number, "13700000099")
        device = await logins.issue(ctx, early.key, "web", "")
        assert (await logins.authenticate(ctx, device.token)).key == early.key
        await _sign(ctx, number, _PHONE)
        session = await ctx.stores.sessions.get(early.key)
        assert session is not None and Tier.FACE_SIGNED in session.tiers
        assert session.phone == _PHONE and not session.devices and not session.wechat
        with pytest.raises(Refusal, match="not-logged-in"):
            await logins.authenticate(ctx, device.token)
        assert await whoami(ctx, _MINE) is None
        other_app = WechatIdentity("official", "o-early-official", _MINE.unionid)
        assert await whoami(ctx, other_app) is None
        assert await ctx.stores.database["wechat_bindings"].count_documents({}) == 0


@pytest.mark.gen_test(timeout=60)
async def test_the_same_phone_leaves_them(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        number = await licence_holder(ctx, 1)
        early = await _early(ctx, number, _PHONE)
        device = await logins.issue(ctx, early.key, "web", "")
        await _sign(ctx, number, _PHONE)
        assert Tier.FACE_SIGNED in (await logins.authenticate(ctx, device.token)).tiers
        spoken = await whoami(ctx, _MINE)
        assert spoken is not None and spoken.key == early.key


@pytest.mark.gen_test(timeout=60)
async def test_signed_with_another_phone_nobody_acts_for_him_any_more(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        number = await licence_holder(ctx, 1)
        early, thief, other = (
            await _early(ctx, number, "13700000099"),
            await citizen(ctx, 2),
            await citizen(ctx, 3),
        )
        await live(ctx, early, thief)
        await offered(ctx, early, other, "to another")
        mine = await live(ctx, other, early, "to him")
        await _sign(ctx, number, _PHONE)
        given = (await mandates.mine(ctx, early)).given
        assert {m.standing for m in given} == {"revoked"} and len(given) == 2
        assert (await mandates.view(ctx, early, mine.id)).standing == "live"


@pytest.mark.gen_test(timeout=60)
async def test_nor_after_the_phone_was_changed_at_the_window(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        victim, thief = await citizen(ctx, 1), await citizen(ctx, 2)
        by_stolen_phone = await live(ctx, victim, thief)
        desk = await officer(ctx)
        visit = (await contacts.receive(ctx, desk, victim.id_number)).visit
        await contacts.send_code(ctx, desk, visit, "13911112222")
        (job,) = await ctx.stores.memory.outbox.take(100, 0.01)
        for _ in range(2):
            await contacts.confirm(ctx, desk, visit, code=job.code, checked=contacts.CHECKS)
        assert (await mandates.view(ctx, thief, by_stolen_phone.id)).standing == "revoked"
