"""Licence and vehicles bound at the window, and let go: by the citizen or by the registry."""

from datetime import timedelta
from pathlib import Path

import pytest

from casework import facesign, me, window_bindings
from casework.context import Context
from casework.facts import facts_about
from rules.people import Citizen, Tier
from rules.refusals import Refusal
from storage.engines import EngineUrls
from storage.tiers import StudentTier
from tests.casework.inside import OFFICE, citizen, house, licence_holder, officer
from tests.desk.town import id_number

PLATES = ("豫A00001", "豫A00002")


async def _vehicles(ctx: Context, owner: str, *plates: str, status: str = "正常") -> None:
    rows = [
        {
            "plate": plate,
            "kind": "小型汽车",
            "owner_id_number": owner,
            "owner_name": "王小明",
            "owner_phone": None,
            "registering_office": OFFICE,
            "status": status,
        }
        for plate in plates
    ]
    await ctx.stores.registry.upsert_vehicles(rows)


async def _signed(ctx: Context, order: int) -> Citizen:
    """Somebody face-signed with his licence and two vehicles."""
    await _vehicles(ctx, id_number(order), *PLATES)
    return await citizen(ctx, order)


async def _bound(ctx: Context, who: Citizen) -> tuple[bool, frozenset[str]]:
    facts = await facts_about(ctx, who.key)
    return facts.licence_bound, facts.vehicles_bound


@pytest.mark.gen_test(timeout=60)
async def test_face_signing_binds_and_the_registry_unbinds_what_is_his_no_more(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await _signed(ctx, 1)
        assert await _bound(ctx, who) == (True, frozenset(PLATES))
        session = await ctx.stores.database["sessions"].find_one({"_id": who.key})
        assert session is not None and not any(plate in str(session) for plate in PLATES)
        await _vehicles(ctx, id_number(2), PLATES[0])  # sold
        assert await _bound(ctx, who) == (True, frozenset(PLATES[1:]))
        await _vehicles(ctx, who.id_number, PLATES[1], status="注销")
        assert await _bound(ctx, who) == (True, frozenset())
        await _vehicles(ctx, who.id_number, *PLATES)  # bought back
        assert await _bound(ctx, who) == (True, frozenset(PLATES))
        await licence_holder(ctx, 1)
        licences = ctx.stores.database["registry_licences"]
        await licences.update_one({"_id": who.key}, {"$set": {"status": "注销"}})
        assert await _bound(ctx, who) == (False, frozenset(PLATES))


@pytest.mark.gen_test(timeout=60)
async def test_what_he_lets_go_comes_back_at_the_window_only(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await _signed(ctx, 1)
        views = await window_bindings.vehicles(ctx, who)
        assert [(v.plate, v.bound) for v in views] == [(p, True) for p in PLATES]
        await window_bindings.unbind_vehicle(ctx, who, views[0].id, "once")
        await window_bindings.unbind_licence(ctx, who, "licence")
        assert await _bound(ctx, who) == (False, frozenset(PLATES[1:]))
        masked, whole = await window_bindings.vehicles(ctx, who)
        assert (masked.plate, whole.plate) == ("豫A***01", PLATES[1])
        assert [licence.bound for licence in await me.licences(ctx, who)] == [False]
        await facesign.face_sign(
            ctx, await officer(ctx), id_number=who.id_number, phone=who.phone, cause="again"
        )
        assert await _bound(ctx, who) == (True, frozenset(PLATES))
        # The first wish, repeated late: what was bound anew since stays bound.
        await window_bindings.unbind_vehicle(ctx, who, views[0].id, "once")
        assert await _bound(ctx, who) == (True, frozenset(PLATES))


@pytest.mark.gen_test(timeout=60)
async def test_nobody_lets_go_of_anothers_vehicle(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, other = await _signed(ctx, 1), await citizen(ctx, 2)
        handle = (await window_bindings.vehicles(ctx, who))[0].id
        with pytest.raises(Refusal) as refused:
            await window_bindings.unbind_vehicle(ctx, other, handle, "theirs")
        assert refused.value.code == "not-found"
        assert (await _bound(ctx, who))[1] == frozenset(PLATES)


@pytest.mark.gen_test(timeout=60)
async def test_a_student_looks_up_neither_licence_nor_vehicles(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await _signed(ctx, 1)
        student = StudentTier("1", "S", "C1", ctx.today() + timedelta(days=9), active=True)
        now = ctx.now()
        await ctx.stores.tiers.grant_student(who.key, "e", student, since=now, office=OFFICE)
        for tier in (Tier.DIRECT, Tier.FACE_SIGNED):
            change = {"$unset": {f"tiers.{tier}": ""}}
            await ctx.stores.database["sessions"].update_one({"_id": who.key}, change)
        for look in (window_bindings.vehicles, me.licences):
            with pytest.raises(Refusal) as refused:
                await look(ctx, who)
            assert refused.value.code == "not-allowed-tier"
            assert refused.value.params["missing"] == ["direct", "face_signed"]
        assert (await me.me(ctx, who)).licences == []
