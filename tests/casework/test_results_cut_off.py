"""A process that dies at any moment while it takes in a result: the booking, the record and what
follows of it are whole afterwards, each once, by the sweep or by the same file again."""

from collections import Counter
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from casework.context import Context
from casework.exams.attending import attend_due
from casework.exams.booking import book
from casework.exams.listing import plan
from casework.sweep import sweep
from rules.matter import State
from storage.engines import EngineUrls
from tests.casework.exams import enrolment, learner, published
from tests.casework.files import imported
from tests.casework.inside import house, silent
from tests.casework.test_bookings import forward
from tests.casework.test_exam_results import booked, matter_of, result

_MOST = 18


class Killed(BaseException):
    """Nothing of the house catches it, as nothing catches SIGKILL."""


def dying(ctx: Context, last: int) -> tuple[Context, Counter[str]]:
    """A process that comes to so many named points and no further."""
    passed: Counter[str] = Counter()

    def checkpoint(point: str) -> None:
        passed[point] += 1
        if passed.total() == last:
            raise Killed(point)

    return replace(ctx, checkpoint=checkpoint), passed


@pytest.mark.gen_test(timeout=280)
async def test_cut_off_at_every_point_all_is_entered_once(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        people = [await learner(ctx, order, passed="134") for order in range(1, _MOST)]
        await published(ctx, capacity=_MOST)
        for who in people:
            await book(ctx, who, "K2-1", "a", "mini")
        forward(ctx, days=20)
        await attend_due(ctx)
        reached: Counter[str] = Counter()
        for last, who in zip(count(1), people, strict=False):
            rows = [result(who, ctx.today(), "合格")]
            process, reached = dying(ctx, last)
            try:
                await imported(process, tmp_path, "exam-results", rows)
            except Killed:
                if last % 2:
                    forward(ctx, minutes=5)
                    await sweep(ctx, silent)
                # The file is read again, by whoever wonders what became of it.
                report = await imported(ctx, tmp_path, "exam-results", rows)
                assert report.errors == []
                forward(ctx, minutes=5)
                await sweep(ctx, silent)
            matter = await booked(ctx, who)
            assert matter.state is State.FINISHED
            assert [e.type for e in matter.timeline].count("passed") == 1, reached
            assert await ctx.stores.live_bookings.get(f"{who.key}:2") is None
            told = Counter(
                e.type for e in (await matter_of(ctx, await enrolment(ctx, who))).timeline
            )
            assert (told["attempt_recorded"], told["exams_passed"]) == (4, 1), (last, reached)
            assert (await plan(ctx, "K2-1")).outcomes == {"passed": last}
            if reached.total() < last:
                break
        else:
            pytest.fail(f"more points than people: {reached}")
        # The way from the booking's result to the record and on to the end has been cut everywhere.
        assert reached["after-onward"] >= 2 and reached["after-matter-write"] == 3
