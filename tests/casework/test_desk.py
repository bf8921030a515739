"""The desk from inside: what an officer never sees, and in which order he sees the rest."""

from datetime import timedelta
from pathlib import Path

import pytest

from casework import contacts, desk, facesign, matters, worklist
from casework.context import Context
from rules.matter import State
from rules.people import Citizen
from rules.refusals import Refusal
from storage.engines import EngineUrls
from tests.casework.inside import (
    NAMES,
    OFFICE,
    OTHER,
    citizen,
    draft,
    house,
    licence_holder,
    submitted,
)
from tests.casework.inside import officer as officer_of
from tests.casework.schools import clerk


@pytest.mark.gen_test(timeout=60)
async def test_a_draft_is_the_citizens_own_even_thrown_away(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, officer = await citizen(ctx, 1), await officer_of(ctx)
        number = await draft(ctx, who)
        for _ in range(2):
            with pytest.raises(Refusal) as refused:
                await desk.open_matter(ctx, officer, number)
            assert refused.value == Refusal("not-found")
            await matters.withdraw(ctx, who, number, "away")
        for state in ("draft", "withdrawn", "nonsense"):
            with pytest.raises(Refusal) as refused:
                await worklist.page(ctx, officer, state=state)
            assert refused.value == Refusal("bad-request")


@pytest.mark.gen_test(timeout=120)
async def test_urging_loses_nobody_his_place_and_no_page_edge_a_matter(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        officer = await officer_of(ctx)
        first, second = await citizen(ctx, 1), await citizen(ctx, 2)
        waiting = [await submitted(ctx, first), await submitted(ctx, second)]
        ctx.clock.ahead += timedelta(hours=1)  # type: ignore[attr-defined]  # the test's clock
        await matters.urge(ctx, first, waiting[0], "urge")
        rows = (await worklist.page(ctx, officer)).rows
        assert [(r.number, r.urged) for r in rows] == [(waiting[0], True), (waiting[1], False)]
        # Both at the same moment.
        await _same_place(ctx, waiting)
        seen, after = [], ""
        for _ in waiting:
            (row,) = await ctx.stores.matters.worklist(OFFICE, State.SUBMITTED, 1, after)
            seen, after = [*seen, row.number], row.queue
        assert sorted(seen) == sorted(waiting)


async def _same_place(ctx: Context, numbers: list[str]) -> None:
    for number in numbers:
        change = {"$set": {"queue": f"{1:015d}-{number}"}}
        await ctx.stores.database["matters"].update_one({"_id": number}, change)


@pytest.mark.gen_test(timeout=120)
async def test_the_licence_is_shown_whole_to_the_officer_and_masked_to_its_holder(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who: Citizen = await citizen(ctx, 1)
        number = await submitted(ctx, who)
        shown = (await desk.open_matter(ctx, await officer_of(ctx), number)).licence
        assert shown is not None and (shown.number, shown.holder) == (who.id_number, "王小明")


@pytest.mark.gen_test(timeout=60)
async def test_the_wrong_office_hears_the_right_ones_name(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        number, other = await licence_holder(ctx, 1), await officer_of(ctx, OTHER)
        with pytest.raises(Refusal) as refused:
            await facesign.face_sign(
                ctx, other, id_number=number, phone="13800000001", cause="cause"
            )
        assert refused.value == Refusal("wrong-office", office=NAMES[OFFICE])
        found = await facesign.face_sign_lookup(ctx, other, number)
        assert [o.name for o in found.offices] == [NAMES[OFFICE]] and not found.allowed
        assert (found.person.name, found.licence, found.vehicles) == ("王**", None, [])
        assert number not in str(found)


@pytest.mark.gen_test(timeout=60)
async def test_a_clerk_is_turned_away_by_the_verbs_themselves(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, at_school = await citizen(ctx, 1), await clerk(ctx)
        number = await submitted(ctx, who)
        deeds = (
            worklist.page(ctx, at_school),
            worklist.next_matter(ctx, at_school, ""),
            desk.open_matter(ctx, at_school, number),
            desk.officer_photo(ctx, at_school, number, "photo"),
            desk.decide(ctx, at_school, number, 1, "approve", (), "", "cause"),
            facesign.receive(ctx, at_school, who.id_number),
            facesign.face_sign(ctx, at_school, id_number=who.id_number, phone=who.phone, cause="c"),
            contacts.receive(ctx, at_school, who.id_number),
        )
        for deed in deeds:
            with pytest.raises(Refusal) as refused:
                await deed
            assert refused.value == Refusal("role-not-allowed")
