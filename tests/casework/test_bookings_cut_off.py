"""Processes that die or sleep between a booking, its claim and what its events owe."""

from pathlib import Path

import pytest

from casework import steps
from casework.exams.booking import book
from casework.exams.leaving import cancel
from casework.sweep import sweep
from rules.matter import State
from rules.refusals import Refusal
from storage.engines import EngineUrls
from tests.casework.exams import learner, published
from tests.casework.inside import house, silent
from tests.casework.test_bookings import forward
from tests.casework.test_places_cut_off import places_of
from tests.casework.test_plan_races import Died, dying


@pytest.mark.gen_test(timeout=120)
async def test_a_seat_is_given_back_before_another_may_be_booked(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """In the order of the catalogue, also when another process goes on with it."""
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        one = await learner(ctx, 1)
        await published(ctx, capacity=1)
        held = await book(ctx, one, "K2-1", "a", "mini")
        with pytest.raises(Died):
            await cancel(dying(ctx, "after-matter-write"), one, held.number, "c")
        with pytest.raises(Died):
            await steps.apply_owed(dying(ctx, "after-effect"), held.number)
        assert (await places_of(ctx)).holders == ()
        assert await ctx.stores.live_bookings.get(f"{one.key}:2") is not None
        assert (await book(ctx, one, "K2-1", "b", "mini")).state == State.ACCEPTED
        assert (await steps.load(ctx, held.number)).effects == ()


@pytest.mark.gen_test(timeout=120)
async def test_who_wakes_up_late_hides_nothing_that_is_still_owed(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """One process sleeps before it takes the seat, another books and dies cancelling: what the
    cancelling owes is found whatever the sleeper does."""
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        one = await learner(ctx, 1)
        await published(ctx, capacity=1)
        with pytest.raises(Died):
            await book(dying(ctx, "before-effect"), one, "K2-1", "a", "mini")
        claim = await ctx.stores.live_bookings.get(f"{one.key}:2")
        assert claim is not None
        asleep = await steps.load(ctx, claim.matter)
        done = await book(ctx, one, "K2-1", "a", "mini")
        with pytest.raises(Died):
            await cancel(dying(ctx, "after-matter-write"), one, done.number, "c")
        await steps.finish(ctx, asleep)
        forward(ctx, minutes=5)
        await sweep(ctx, silent)
        assert (await places_of(ctx)).holders == ()
        assert await ctx.stores.live_bookings.get(f"{one.key}:2") is None
        assert (await steps.load(ctx, done.number)).effects == ()


@pytest.mark.gen_test(timeout=120)
async def test_a_claim_gone_on_with_is_not_given_up(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """He asks again a day after his process died, just when the sweep has found his claim."""
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        one = await learner(ctx, 1)
        await published(ctx, capacity=2)
        with pytest.raises(Died):
            await book(dying(ctx, "after-claim"), one, "K2-1", "a", "mini")
        forward(ctx, hours=25)
        (found,) = await ctx.stores.live_bookings.unconfirmed(ctx.now(), 9)
        assert await ctx.stores.matters.get(found.matter) is None
        made = await book(ctx, one, "K2-1", "a", "mini")
        assert made.number == found.matter
        assert not await ctx.stores.live_bookings.give_up(found)
        with pytest.raises(Refusal) as refused:
            await book(ctx, one, "K2-1", "b", "mini")
        assert refused.value.code == "already-booked"
