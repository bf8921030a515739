"""Booking a test, its life to the end, and the line, from inside."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pymongo import MongoClient

from casework import steps
from casework.context import Context
from casework.exam_effects import booking_key, change_places
from casework.exams.attending import attend_due
from casework.exams.booking import book, wait
from casework.exams.leaving import accept, cancel, leave
from casework.exams.listing import booking, bookings, plan
from casework.numbers import number_for
from rules.exams.plan import SERVICE
from rules.matter import State
from rules.places import Places
from rules.refusals import Refusal
from storage.engines import EngineUrls
from tests.casework.exams import learner, published
from tests.casework.inside import Clock, house


def forward(ctx: Context, **by: float) -> None:
    """Put the house's clock forward."""
    assert isinstance(ctx.clock, Clock)
    ctx.clock.ahead += timedelta(**by)


@pytest.mark.gen_test(timeout=120)
async def test_a_booking_from_the_seat_to_the_eve(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        one, two, three = [await learner(ctx, n) for n in (1, 2, 3)]
        await published(ctx, capacity=2)
        first = await book(ctx, one, "K2-1", "a", "mini")
        assert first.state == State.ACCEPTED
        again = await book(ctx, one, "K2-1", "a", "mini")
        assert again.number == first.number
        with pytest.raises(Refusal) as refused:
            await book(ctx, one, "K2-1", "b", "mini")
        assert refused.value == Refusal("already-booked", number=first.number)
        await book(ctx, two, "K2-1", "a", "mini")
        with pytest.raises(Refusal) as refused:
            await book(ctx, three, "K2-1", "a", "mini")
        assert refused.value.code == "plan-full"
        waiting = await wait(ctx, three, "K2-1", "w", "mini")
        assert (waiting.state, waiting.position) == (State.WAITING, 1)
        seen = await plan(ctx, "K2-1")
        assert (seen.booked, seen.left, seen.waiting, seen.bookable) == (2, 0, 1, False)
        assert (await cancel(ctx, one, first.number, "c")).state == State.WITHDRAWN
        with pytest.raises(Refusal) as refused:
            await book(ctx, one, "K2-1", "late", "mini")
        assert refused.value.code == "plan-full"
        assert await attend_due(ctx) == 1
        offered = await booking(ctx, three, waiting.number)
        assert offered.state == State.OFFERED and "accept" in offered.actions
        assert (await accept(ctx, three, waiting.number, "yes")).state == State.ACCEPTED
        forward(ctx, days=16)
        await attend_due(ctx)
        states = [(await bookings(ctx, who, live=True))[0].state for who in (two, three)]
        assert states == [State.CONFIRMED] * 2
        for number in (waiting.number, first.number):
            stored = await steps.load(ctx, number)
            assert stored.effects == ()


@pytest.mark.gen_test(timeout=120)
async def test_silence_gives_the_place_to_the_next(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        people = [await learner(ctx, n) for n in range(1, 5)]
        await published(ctx, capacity=1)
        held = await book(ctx, people[0], "K2-1", "a", "mini")
        line = [await wait(ctx, who, "K2-1", "w", "mini") for who in people[1:]]
        await cancel(ctx, people[0], held.number, "c")
        await attend_due(ctx)
        forward(ctx, hours=13)
        await attend_due(ctx)
        await attend_due(ctx)
        states = [
            (await booking(ctx, who, one.number)).state
            for who, one in zip(people[1:], line, strict=True)
        ]
        assert states == [State.WITHDRAWN, State.OFFERED, State.WAITING]
        await leave(ctx, people[2], line[1].number, "no")
        await attend_due(ctx)
        assert (await booking(ctx, people[3], line[2].number)).state == State.OFFERED


class Asleep(Exception):
    """The process goes no further."""


@pytest.mark.gen_test(timeout=120)
async def test_who_slept_through_a_booking_and_its_cancelling_leaves_no_seat_behind(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """A process stops before it takes the seat; another finishes the booking; he cancels; then the
    first wakes up and takes it after all."""
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        citizen = await learner(ctx, 1)
        await published(ctx, capacity=1)

        def stop(point: str) -> None:
            if point == "before-effect":
                raise Asleep

        with pytest.raises(Asleep):
            await book(replace(ctx, checkpoint=stop), citizen, "K2-1", "a", "mini")
        claim = await ctx.stores.live_bookings.get(booking_key(citizen.key, "2"))
        assert claim is not None
        seen = await steps.load(ctx, claim.matter)
        assert seen.matter.state is State.TAKING and seen.effects
        done = await book(ctx, citizen, "K2-1", "a", "mini")
        assert done.state == State.ACCEPTED
        await cancel(ctx, citizen, done.number, "c")
        assert (await plan(ctx, "K2-1")).left == 1
        assert (await steps.finish(ctx, seen)).state is State.WITHDRAWN
        assert (await plan(ctx, "K2-1")).left == 1


@pytest.mark.gen_test(timeout=120)
async def test_who_asks_for_two_sessions_at_once_has_one(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """Each request may find the other's claim before there is a matter, and begin it for itself."""
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        plans = [
            (await published(ctx, f"K2-{n}", capacity=99, starts=f"0{n}:00")).code for n in "1234"
        ]
        for order in range(1, 16):
            who = await learner(ctx, order)
            wanted = [book(ctx, who, code, f"want-{code}", "mini") for code in plans]
            heard = await asyncio.gather(*wanted, return_exceptions=True)
            refused = [one for one in heard if isinstance(one, Refusal)]
            assert [r.code for r in refused] == ["already-booked"] * 3, heard
            live = await bookings(ctx, who, live=True)
            assert len(live) == 1
            claim = await ctx.stores.live_bookings.get(booking_key(who.key, "2"))
            assert claim is not None and claim.matter == live[0].number


@pytest.mark.gen_test(timeout=60)
async def test_who_is_always_overtaken_is_asked_to_try_again(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        await published(ctx, capacity=2)
        client: MongoClient[dict[str, object]] = MongoClient(engine_urls.mongo_url)
        with client:
            plans = client[mongo_database]["exam_plans"]

            def overtaken(places: Places) -> Places:
                plans.update_one({"_id": "K2-1"}, {"$inc": {"rev": 1}})
                return replace(places, capacity=3)

            with pytest.raises(Refusal) as refused:
                await change_places(ctx, "K2-1", overtaken, ctx.now())
        assert refused.value.code == "busy-try-again"
        assert (await plan(ctx, "K2-1")).capacity == 2


@pytest.mark.gen_test(timeout=120)
async def test_a_key_leads_to_its_own_booking_though_another_request_was_on_its_way(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """Two wishes of one student: the first has claimed the subject and is slow. The second waits
    and hears of its booking, and so does the first key used again when the plan is full."""
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        citizen = await learner(ctx, 1)
        await published(ctx, capacity=1)
        claimed = asyncio.Event()

        async def slow() -> str:
            number = number_for(ctx.stores.vault, f"{citizen.key}:{SERVICE}:a")
            key = booking_key(citizen.key, "2")
            await ctx.stores.live_bookings.claim(key, number, ctx.now())
            claimed.set()
            await asyncio.sleep(0.6)
            return (await book(ctx, citizen, "K2-1", "a", "mini")).number

        first = asyncio.ensure_future(slow())
        await claimed.wait()
        with pytest.raises(Refusal) as refused:
            await book(ctx, citizen, "K2-1", "b", "mini")
        assert refused.value == Refusal("already-booked", number=await first)
        assert (await book(ctx, citizen, "K2-1", "a", "mini")).number == await first
