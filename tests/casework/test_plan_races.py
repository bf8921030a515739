"""Sessions changed and cancelled while others book, change and die, from inside."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from casework import steps
from casework.context import Context
from casework.exams.attending import attend
from casework.exams.booking import book, wait
from casework.exams.facts import booking_facts, plan_of
from casework.exams.listing import booking, plan
from casework.exams.publishing import cancel_plan, change_plan, publish
from rules.exams.plan import SERVICE
from rules.matter import State
from rules.refusals import Refusal
from storage.engines import EngineUrls
from tests.casework.exams import learner
from tests.casework.inside import OFFICE, house
from tests.casework.test_plans import drained, entry, notices, town

POINTS = ("after-plan-turned", "after-matter-write", "before-plan-settled")


class Died(BaseException):
    """The process ended here."""


def dying(ctx: Context, point: str) -> Context:
    """A process that dies at a named point."""

    def checkpoint(name: str) -> None:
        if name == point:
            raise Died

    return replace(ctx, checkpoint=checkpoint)


@pytest.mark.gen_test(timeout=120)
async def test_a_change_between_the_request_and_the_seat_is_heard(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await town(ctx)
        code = (await publish(ctx, who, OFFICE, entry(ctx, capacity="1"), "c")).code
        people = [await learner(ctx, n) for n in (1, 2)]
        old = await plan_of(ctx, code)
        before = [await booking_facts(ctx, one.key, old, one.tiers) for one in people]
        later = entry(ctx, capacity="1", starts="9:00")
        changed = await change_plan(ctx, who, code, later, "调整", "x")
        await drained(ctx, code)
        for person, facts, wants in zip(people, before, ("seat", "line"), strict=True):
            given = {
                **{"applicant": person.key, "subject": person.key, "channel": "mini"},
                "wants": wants,
            }
            service = ctx.book.catalogue[SERVICE]
            matter = await steps.start(
                *(ctx, service, "apply", person.actor, f"late-{wants}", given, facts)
            )
            assert matter.form["starts"] == "08:30"
            await drained(ctx, code)
            seen = await booking(ctx, person, matter.number)
            assert (seen.starts, seen.state) == (
                changed.starts,
                State.ACCEPTED if wants == "seat" else State.WAITING,
            )


@pytest.mark.gen_test(timeout=120)
async def test_two_officers_do_not_overwrite_each_other(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await town(ctx)
        code = (await publish(ctx, who, OFFICE, entry(ctx), "c")).code
        said = await asyncio.gather(
            *(
                change_plan(
                    *(ctx, who, code, entry(ctx, starts=f"{hour}:00"), "调整", f"x{hour}"), seen=0
                )
                for hour in (9, 10)
            ),
            return_exceptions=True,
        )
        refused = [s for s in said if isinstance(s, Refusal)]
        assert [r.code for r in refused] == ["stale-version"]
        history = await ctx.stores.exam_plans.history(code)
        assert [h["what"] for h in history] == ["published", "changed"]
        at_once = [publish(ctx, who, OFFICE, entry(ctx), "twice") for _ in range(4)]
        assert len({one.code for one in await asyncio.gather(*at_once)}) == 1
        at_once = [cancel_plan(ctx, who, code, "因故", f"c{n}") for n in range(4)]
        assert {one.status for one in await asyncio.gather(*at_once)} == {"cancelled"}
        history = await ctx.stores.exam_plans.history(code)
        assert [h["what"] for h in history] == ["published", "changed", "cancelled"]


@pytest.mark.gen_test(timeout=240)
@pytest.mark.parametrize(
    "point", ["after-plan-turned", "after-matter-write", "before-plan-settled"]
)
async def test_who_dies_while_telling_leaves_it_to_the_next(
    point: str, engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await town(ctx)
        code = (await publish(ctx, who, OFFICE, entry(ctx, capacity="1"), "c")).code
        people = [await learner(ctx, n) for n in (1, 2)]
        made = [await book(ctx, people[0], code, "a", "mini")]
        made.append(await wait(ctx, people[1], code, "w", "mini"))
        for act, event in (
            (change_plan(ctx, who, code, entry(ctx, capacity="1", starts="9:00"), "因故", "x"), 1),
            (cancel_plan(ctx, who, code, "因故", "y"), 2),
        ):
            await act
            with pytest.raises(Died):
                await attend(dying(ctx, point), code)
            await drained(ctx, code)
            for one in made:
                matter = (await steps.load(ctx, one.number)).matter
                told = [e.type for e in matter.timeline if e.type in ("plan_changed", "released")]
                assert told == ["plan_changed", "released"][:event]
                assert await notices(ctx, one.number, told[-1]) == 1


@pytest.mark.gen_test(timeout=240)
async def test_changes_while_students_book(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await town(ctx)
        code = (await publish(ctx, who, OFFICE, entry(ctx, capacity="8"), "c")).code
        people = [await learner(ctx, n) for n in range(1, 17)]

        async def student(order: int) -> Any:
            try:
                verb = book if order % 4 else wait
                return await verb(ctx, people[order], code, "a", "mini")
            except Refusal as refusal:
                return refusal.code

        async def office(order: int) -> None:
            hour = {"starts": f"{8 + order}:00", "ends": "17:00", "capacity": str(12 - order)}
            try:
                await change_plan(ctx, who, code, entry(ctx, **hour), "调整", f"change-{order}")
            except Refusal as refusal:
                assert refusal.code == "form-incomplete"
            await attend(ctx, code)

        said = await asyncio.gather(
            *(student(n) for n in range(16)), *(office(n) for n in range(1, 6))
        )
        await attend(ctx, code)
        await drained(ctx, code)
        now = await plan(ctx, code)
        places = await ctx.stores.exam_places.get(code)
        assert places is not None
        assert len(places.holders) + len(places.offers) <= now.capacity
        assert len(set(places.holders)) == len(places.holders)
        going = {n: s for n, s in enumerate(said[:16]) if not isinstance(s, str | None)}
        assert going
        for order, one in going.items():
            seen = await booking(ctx, people[order], one.number)
            assert seen.state in (State.ACCEPTED, State.WAITING, State.OFFERED)
            assert (seen.starts, seen.ends) == (now.starts, now.ends)
