"""Booking and cancelling over and over: it gains nothing, ends soon, and buries nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from casework import closing
from casework.context import Context
from casework.exams.booking import Wish, begin, book
from casework.exams.leaving import cancel
from casework.exams.listing import bookings, summaries
from rules.people import Citizen
from rules.refusals import Refusal
from storage.engines import EngineUrls
from tests.casework.exams import enrolment, learner, published
from tests.casework.inside import house, officer
from tests.casework.test_bookings import forward


async def over_and_over(ctx: Context, who: Citizen, times: int) -> None:
    """Book and cancel, as an officer would for him: that is not counted."""
    actor = (await officer(ctx)).actor
    for n in range(times):
        wish = Wish(who.key, "K3-1", "seat", actor, "window", f"on-{n}")
        begun = await begin(ctx, wish, who.tiers)
        await cancel(ctx, who, begun.number, f"off-{n}")


@pytest.mark.gen_test(timeout=120)
async def test_a_student_begins_only_so_many_bookings_a_day(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, other = await learner(ctx, 1), await learner(ctx, 2)
        await published(ctx, "K3-1", capacity=9, subject="3")
        most = int(ctx.figure("exam.begun_per_day"))
        held = Wish(who.key, "K3-1", "seat", who.actor, "mini", "first")
        first = await begin(ctx, held, who.tiers)
        for n in range(most):
            with pytest.raises(Refusal) as refused:
                await begin(ctx, replace(held, cause=f"again-{n}"), who.tiers)
            assert refused.value.code == "already-booked"
        await cancel(ctx, who, first.number, "off")
        for n in range(most - 1):
            wish = Wish(who.key, "K3-1", "line" if n % 2 else "seat", who.actor, "mini", f"on-{n}")
            begun = await begin(ctx, wish, who.tiers)
            await cancel(ctx, who, begun.number, f"off-{n}")
        for channel in ("mini", "chat"):
            with pytest.raises(Refusal) as refused:
                await book(ctx, who, "K3-1", f"more-{channel}", channel)
            assert refused.value == Refusal("booked-too-often", most=most)
        # Nobody is told anything else of a request that went through before.
        assert (await book(ctx, who, "K3-1", "on-0", "mini")).state == "withdrawn"
        await book(ctx, other, "K3-1", "a", "mini")
        by = (await officer(ctx)).actor
        await begin(ctx, Wish(who.key, "K3-1", "seat", by, "window", "at-the-counter"), who.tiers)


@pytest.mark.gen_test(timeout=180)
async def test_what_a_student_has_is_not_lost_behind_what_he_had(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await learner(ctx, 1)
        await published(ctx, capacity=1)
        await published(ctx, "K3-1", capacity=9, subject="3")
        held = await book(ctx, who, "K2-1", "a", "mini")
        forward(ctx, minutes=1)
        await over_and_over(ctx, who, 205)
        assert [b.number for b in await bookings(ctx, who, live=True)] == [held.number]
        assert (await summaries(ctx, who))[0].number == held.number
        with pytest.raises(Refusal) as refused:
            await closing.may_close(ctx, who)
        assert refused.value.code == "closing-matters-under-way"
        assert set(refused.value.params["numbers"]) == {held.number, await enrolment(ctx, who)}
