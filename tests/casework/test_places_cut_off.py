"""Processes that die or are away between a plan's places and the bookings that follow them."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import cycle
from pathlib import Path

import pytest

from casework import steps
from casework.context import Context
from casework.exams.attending import attend, attend_due
from casework.exams.booking import book, wait
from casework.exams.leaving import accept, cancel, leave
from casework.exams.listing import booking, plan
from casework.exams.publishing import cancel_plan, change_plan, publish
from rules.calendar import HOUSE_ZONE
from rules.matter import State
from rules.places import Places
from storage.engines import EngineUrls
from storage.places import PlaceStore
from tests.casework.exams import learner, published
from tests.casework.files import imported
from tests.casework.inside import OFFICE, house
from tests.casework.test_bookings import forward
from tests.casework.test_exam_results import result
from tests.casework.test_plan_races import Died, dying
from tests.casework.test_plans import drained, entry, town


async def places_of(ctx: Context, code: str = "K2-1") -> Places:
    found = await ctx.stores.exam_places.get(code)
    assert found is not None
    return found


async def state_of(ctx: Context, number: str) -> State:
    return (await steps.load(ctx, number)).matter.state


@pytest.mark.gen_test(timeout=120)
async def test_an_offer_accepted_just_before_the_closing_is_confirmed(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """Who took it died before the booking said so, and the closing came before any worker."""
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        one, two = [await learner(ctx, n) for n in (1, 2)]
        made = await published(ctx, capacity=1)
        held = await book(ctx, one, "K2-1", "a", "mini")
        waiting = await wait(ctx, two, "K2-1", "w", "mini")
        await cancel(ctx, one, held.number, "c")
        await attend_due(ctx)
        with pytest.raises(Died):
            await accept(dying(ctx, "after-seat"), two, waiting.number, "yes")
        forward(ctx, seconds=(made.closes_at - ctx.now()).total_seconds() + 1)
        await attend_due(ctx)
        assert await state_of(ctx, waiting.number) is State.CONFIRMED
        assert (await places_of(ctx)).holders == (waiting.number,)


@pytest.mark.gen_test(timeout=120)
async def test_who_found_a_place_instead_of_a_line_keeps_it(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """His process died after it took the place; others stood in line before he asked again."""
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        one, two = [await learner(ctx, n) for n in (1, 2)]
        await published(ctx, capacity=1)
        seats = iter(("the line's answer", "the place"))

        def checkpoint(name: str) -> None:
            if name == "after-seat" and next(seats) == "the place":
                raise Died

        with pytest.raises(Died):
            await wait(replace(ctx, checkpoint=checkpoint), one, "K2-1", "w", "mini")
        behind = await wait(ctx, two, "K2-1", "w", "mini")
        assert behind.state == State.WAITING
        again = await wait(ctx, one, "K2-1", "w", "mini")
        assert again.state == State.ACCEPTED
        places = await places_of(ctx)
        assert (places.holders, places.queue) == ((again.number,), (behind.number,))


@pytest.mark.gen_test(timeout=120)
async def test_who_could_not_be_told_of_an_offer_does_not_lose_his_place_in_line(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """The worker was away until the offer was over: its time begins when he hears of it."""
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        people = [await learner(ctx, n) for n in (1, 2, 3)]
        await published(ctx, capacity=1)
        held = await book(ctx, people[0], "K2-1", "a", "mini")
        line = [await wait(ctx, who, "K2-1", "w", "mini") for who in people[1:]]
        await cancel(ctx, people[0], held.number, "c")
        forward(ctx, hours=30)
        await attend_due(ctx)
        seen = await booking(ctx, people[1], line[0].number)
        assert seen.state == State.OFFERED and seen.offer_until is not None
        assert seen.offer_until > ctx.now() + timedelta(hours=11)
        assert await state_of(ctx, line[1].number) is State.WAITING
        forward(ctx, hours=13)
        await attend_due(ctx)
        assert [await state_of(ctx, one.number) for one in line] == [
            State.WITHDRAWN,
            State.OFFERED,
        ]


@pytest.mark.gen_test(timeout=120)
async def test_an_offer_told_stays_when_the_closing_is_moved_before_its_end(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await town(ctx)
        code = (await publish(ctx, who, OFFICE, entry(ctx, capacity="1"), "c")).code
        one, two = [await learner(ctx, n) for n in (1, 2)]
        held = await book(ctx, one, code, "a", "mini")
        waiting = await wait(ctx, two, code, "w", "mini")
        await cancel(ctx, one, held.number, "c")
        with pytest.raises(Died):
            await attend(dying(ctx, "before-plan-settled"), code)
        assert await state_of(ctx, waiting.number) is State.OFFERED
        forward(ctx, hours=1)
        soon = (ctx.now() + timedelta(hours=2)).astimezone(HOUSE_ZONE)
        sooner = entry(ctx, capacity="1", closes_at=f"{soon:%Y-%m-%d %H:%M}")
        sooner["day"] = (await plan(ctx, code)).day.isoformat()
        await change_plan(ctx, who, code, sooner, "调整", "x")
        await drained(ctx, code)
        places = await places_of(ctx, code)
        assert list(places.offers) == [waiting.number]
        await accept(ctx, two, waiting.number, "yes")
        assert (await places_of(ctx, code)).holders == (waiting.number,)


@pytest.mark.gen_test(timeout=120)
async def test_who_accepts_before_he_heard_of_a_change_may_still_leave_freely(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await town(ctx)
        code = (await publish(ctx, who, OFFICE, entry(ctx, capacity="1"), "c")).code
        one, two = [await learner(ctx, n) for n in (1, 2)]
        held = await book(ctx, one, code, "a", "mini")
        waiting = await wait(ctx, two, code, "w", "mini")
        await cancel(ctx, one, held.number, "c")
        await attend_due(ctx)
        await change_plan(ctx, who, code, entry(ctx, capacity="1", starts="9:00"), "调整", "x")
        with pytest.raises(Died):
            await accept(dying(ctx, "after-seat"), two, waiting.number, "yes")
        await drained(ctx, code)
        seen = await booking(ctx, two, waiting.number)
        assert (seen.state, seen.starts, seen.changed) == (State.ACCEPTED, "09:00", True)


@pytest.mark.gen_test(timeout=120)
async def test_a_step_that_fails_is_tried_again_later_and_holds_up_nobody(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        made = await published(ctx, capacity=2)
        numbers = [
            (await book(ctx, await learner(ctx, n), "K2-1", "a", "mini")).number for n in (1, 2)
        ]
        forward(ctx, seconds=(made.closes_at - ctx.now()).total_seconds() + 1)

        def ailing(point: str) -> None:
            if point == "after-matter-write":
                raise OSError

        for _ in range(2):
            # Whether anything could be done or not, the next try is not at once.
            await attend_due(replace(ctx, checkpoint=ailing))
            assert await ctx.stores.exam_places.due(ctx.now() + timedelta(seconds=20), 9) == []
            forward(ctx, seconds=31)
        await attend_due(ctx)
        assert [await state_of(ctx, n) for n in numbers] == [State.CONFIRMED] * 2
        assert await ctx.stores.exam_places.due(ctx.now() + timedelta(days=99), 9) == []


@pytest.mark.gen_test(timeout=120)
async def test_who_comes_after_somebody_who_left_is_offered_the_place_at_once(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """The first in line leaves in the moment he is offered the place: the next one need not wait
    for another round's pause."""
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        people = [await learner(ctx, n) for n in range(1, 6)]
        await published(ctx, capacity=2)
        held = [await book(ctx, who, "K2-1", "a", "mini") for who in people[:2]]
        line = [await wait(ctx, who, "K2-1", "w", "mini") for who in people[2:]]
        for who, one in zip(people, held, strict=False):
            await cancel(ctx, who, one.number, "c")
        with pytest.raises(Died):
            await leave(dying(ctx, "after-matter-write"), people[2], line[0].number, "no")
        for _ in range(2):
            await attend_due(ctx)
        assert [await state_of(ctx, one.number) for one in line[1:]] == [State.OFFERED] * 2


@pytest.mark.gen_test(timeout=240)
async def test_two_hundred_give_back_places_of_one_session_at_once(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """In four processes."""
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        await published(ctx, capacity=200)
        codes = [f"E{n:03d}" for n in range(200)]

        def holding(places: Places) -> Places:
            return replace(places, holders=tuple(codes), queue=("first",))

        await ctx.stores.exam_places.change("K2-1", holding, ctx.now())

        def without(code: str) -> Callable[[Places], Places]:
            return lambda p: replace(p, holders=tuple(h for h in p.holders if h != code))

        stores = [PlaceStore(ctx.stores.database["exam_plans"]) for _ in range(4)]
        changes = zip(codes, cycle(stores), strict=False)
        await asyncio.gather(
            *(store.change("K2-1", without(code), ctx.now()) for code, store in changes)
        )
        assert (await places_of(ctx)).holders == ()


@pytest.mark.gen_test(timeout=120)
async def test_the_result_of_an_offer_taken_is_entered_without_any_worker(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """Whoever took it died before the booking said so, and no worker came by until the test."""
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        one, two = [await learner(ctx, n) for n in (1, 2)]
        await published(ctx, capacity=1)
        held = await book(ctx, one, "K2-1", "a", "mini")
        waiting = await wait(ctx, two, "K2-1", "w", "mini")
        await cancel(ctx, one, held.number, "c")
        await attend_due(ctx)
        with pytest.raises(Died):
            await accept(dying(ctx, "after-seat"), two, waiting.number, "yes")
        forward(ctx, days=20)
        report = await imported(ctx, tmp_path, "exam-results", [result(two, ctx.today(), "合格")])
        assert report.errors == []
        assert await state_of(ctx, waiting.number) is State.FINISHED


@pytest.mark.gen_test(timeout=120)
@pytest.mark.parametrize("done", ["changed", "cancelled"])
async def test_who_was_not_told_what_became_of_his_test_has_not_missed_it(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path, done: str
) -> None:
    """No worker came by between what the office did and the results."""
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await town(ctx)
        code = (await publish(ctx, who, OFFICE, entry(ctx), "c")).code
        one = await learner(ctx, 1)
        number = (await book(ctx, one, code, "a", "mini")).number
        later = entry(ctx, starts="9:00")
        forward(ctx, days=18)
        await attend_due(ctx)
        assert await state_of(ctx, number) is State.CONFIRMED
        if done == "changed":
            await change_plan(ctx, who, code, later, "调整", "x")
        forward(ctx, days=2)
        if done == "cancelled":
            await cancel_plan(ctx, who, code, "大雪", "x")
        row = result(one, ctx.today(), "缺考", plan=code)
        report = await imported(ctx, tmp_path, "exam-results", [row])
        matter = (await steps.load(ctx, number)).matter
        if done == "changed":
            assert (matter.timeline[-1].type, report.errors) == ("missed", [])
            assert matter.timeline[-1].data["outcome"] == "excused"
        else:
            assert matter.timeline[-1].type == "released" and report.accepted == 0
