"""A citizen's own matters: a repeated request, a number met by chance, pictures nobody names."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from casework import matters
from casework.context import Context
from casework.matters import number_for
from rules.flow import begin
from rules.matter import Event, State
from rules.people import Citizen
from storage.engines import EngineUrls
from storage.matter_documents import Owed
from tests.casework.inside import SERVICE, citizen, draft, house
from tests.desk.town import picture


@pytest.mark.gen_test(timeout=60)
async def test_a_late_repetition_finds_the_matter_it_began_even_thrown_away(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await citizen(ctx, 1)
        number = await draft(ctx, who, "first")
        await matters.withdraw(ctx, who, number, "away")
        again = await matters.open_draft(ctx, who, SERVICE, "first", "mini")
        assert (again.number, again.state) == (number, "withdrawn")
        other = await draft(ctx, who, "second")
        assert other != number
        assert await draft(ctx, who, "third") == other


@pytest.mark.gen_test(timeout=60)
async def test_a_number_another_has_by_chance_is_never_shown(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, other = await citizen(ctx, 1), await citizen(ctx, 2)
        taken = number_for(ctx.stores.vault, f"{who.key}:{SERVICE}:c")
        await _begun_by(ctx, other, taken)
        view = await matters.open_draft(ctx, who, SERVICE, "c", "mini")
        assert view.number != taken and (await _applicant(ctx, view.number)) == who.key
        # Taken only after it was claimed: the claim is let go.
        await matters.withdraw(ctx, who, view.number, "w")
        await ctx.stores.sessions.claim_open(who.key, SERVICE, taken)
        view = await matters.open_draft(ctx, who, SERVICE, "d", "mini")
        assert (await _applicant(ctx, view.number)) == who.key


async def _begun_by(ctx: Context, who: Citizen, number: str) -> None:
    given = {"applicant": who.key, "subject": who.key, "office": None, "channel": "mini"}
    event = Event(f"{number}-0001", "created", ctx.now(), who.actor, "x", given)
    assert await ctx.stores.matters.insert(begin(number, SERVICE, event), Owed())


async def _applicant(ctx: Context, number: str) -> str:
    stored = await ctx.stores.matters.get(number)
    assert stored is not None and stored.matter.state is State.DRAFT
    return stored.matter.applicant


@pytest.mark.gen_test(timeout=120)
async def test_two_uploads_under_one_key_leave_one_picture(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await citizen(ctx, 1)
        number = await draft(ctx, who)

        async def attach() -> None:
            async with ctx.lab.spool() as spool:
                await spool.write(picture())
                await matters.attach(ctx, who, number, "id_card", spool, "key")

        await asyncio.gather(*(attach() for _ in range(4)))
        (photo,) = (await matters.owned(ctx, who, number)).photos
        assert await _kept(ctx) == {photo.id, photo.thumbnail}


@pytest.mark.gen_test(timeout=120)
async def test_a_picture_taken_away_by_a_process_that_died_is_found_by_the_sweep(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await citizen(ctx, 1)
        number = await draft(ctx, who)
        async with ctx.lab.spool() as spool:
            await spool.write(picture())
            await matters.attach(ctx, who, number, "id_card", spool, "key")
        (photo,) = (await matters.owned(ctx, who, number)).photos
        dying = replace(ctx, checkpoint=_die)
        with pytest.raises(RuntimeError):
            await matters.detach(dying, who, number, photo.id, "away")
        unconfirmed = await ctx.stores.photos.unconfirmed(ctx.now(), 10)
        assert {u.id for u in unconfirmed} == {photo.id, photo.thumbnail} == await _kept(ctx)


def _die(point: str) -> None:
    if point == "after-matter-write":
        raise RuntimeError(point)


async def _kept(ctx: Context) -> set[str]:
    return {f["_id"] async for f in ctx.stores.database["photos.files"].find({}, {"_id": 1})}
