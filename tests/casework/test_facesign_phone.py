"""Face-signing with a phone other than the known one: proved by a code, the former phone told."""

from pathlib import Path

import pytest

from casework import accounts, facesign, logins, steps
from casework.carriers import MatterCarrier
from rules.refusals import Refusal
from storage.engines import EngineUrls
from tests.casework.inside import citizen, house, licence_holder, officer

NEW = "13900007777"


@pytest.mark.gen_test(timeout=60)
async def test_an_unproved_phone_changes_nothing(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, at_the_window = await citizen(ctx, 1), await officer(ctx)
        with pytest.raises(Refusal, match="phone-not-proved"):
            await facesign.face_sign(
                ctx, at_the_window, id_number=who.id_number, phone=NEW, cause="again"
            )
        stranger = await licence_holder(ctx, 2)
        with pytest.raises(Refusal, match="phone-not-proved"):
            await facesign.face_sign(ctx, at_the_window, id_number=stranger, phone=NEW, cause="one")
        session = await ctx.stores.sessions.get(who.key)
        assert session is not None and session.phone == who.phone
        assert await ctx.stores.sessions.get(ctx.stores.vault.id_key(stranger)) is None


@pytest.mark.gen_test(timeout=60)
async def test_a_proved_phone_ends_the_logins_and_the_former_one_is_told(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await citizen(ctx, 1)
        login = await accounts.open_session(ctx, who, "mini", "")
        assert (await logins.authenticate(ctx, login.token)).key == who.key
        done = await facesign.face_sign(
            ctx, await officer(ctx), id_number=who.id_number, phone=NEW, cause="two", proved=True
        )
        session = await ctx.stores.sessions.get(who.key)
        assert session is not None and session.phone == NEW
        with pytest.raises(Refusal, match="not-logged-in"):
            await logins.authenticate(ctx, login.token)
        stored = await steps.load(ctx, done.number)
        told = {
            (await MatterCarrier(stored).reader(ctx, n)).phone: n.template
            for n in stored.notices.values()
        }
        assert told == {NEW: "face_signed", who.phone: "contact_left"}


@pytest.mark.gen_test(timeout=60)
async def test_the_known_phone_needs_no_code_and_nobody_else_is_told(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        number = await licence_holder(ctx, 3)
        done = await facesign.face_sign(
            ctx, await officer(ctx), id_number=number, phone="13900000003", cause="three"
        )
        stored = await steps.load(ctx, done.number)
        assert [n.template for n in stored.notices.values()] == ["face_signed"]
