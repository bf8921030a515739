"""Booking a test, its life to the end, and the line, from inside."""

from datetime import timedelta
from pathlib import Path

import pytest

from casework import steps
from casework.context import Context
from casework.exams.attending import attend_due
from casework.exams.booking import book, wait
from casework.exams.leaving import accept, cancel, leave
from casework.exams.listing import booking, bookings, plan
from rules.matter import State
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
        forward(ctx, days=15, hours=12)
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
