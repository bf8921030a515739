"""Students, officers and the worker do what they do in any order, several at once, and their
processes die anywhere: afterwards every place, booking and claim says the same."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from casework import steps
from casework.context import Context
from casework.exams.attending import attend_due
from casework.exams.booking import book, wait
from casework.exams.leaving import accept, accept_change, cancel, leave
from casework.exams.publishing import cancel_plan, change_plan, publish
from casework.officers import Officer
from casework.sweep import sweep
from rules.exams.plan import SERVICE
from rules.matter import Matter, State
from rules.people import Citizen
from rules.refusals import Refusal
from storage.engines import EngineUrls
from tests.casework.exams import learner
from tests.casework.inside import OFFICE, house, silent
from tests.casework.test_bookings import forward
from tests.casework.test_plan_races import Died
from tests.casework.test_plans import entry, town

SEEDS = (3, 7, 11, 19, 23)
ANSWERS = {"cancel": cancel, "leave": leave, "accept": accept, "keep": accept_change}
WISHES = {"book": book, "wait": wait}
DEEDS = (
    *(["book"] * 4 + ["wait"] * 5 + ["again"] * 2),
    *(["cancel"] * 3 + ["leave"] * 2 + ["accept"] * 4 + ["keep"]),
    *(["attend"] * 5 + ["sweep", "change", "change"]),
)
HELD = (State.ACCEPTED, State.CONFIRMED)
LIVE = (State.TAKING, State.WAITING, State.OFFERED, *HELD)
ONCE = frozenset(
    {"accepted", "queued", "offer_accepted", "confirmed", "released", "refused"}
    | {"wait_ended", "offer_expired"}
)


class Town:
    """Six students, an officer, two sessions of one day; what each did is drawn from a seed."""

    def __init__(self, ctx: Context, seed: int, who: Officer, people: list[Citizen]) -> None:
        self.ctx, self.seed, self.draw = ctx, seed, Random(seed)
        self.officer, self.people = who, people
        self.codes: list[str] = []
        self.wished: dict[str, tuple[str, str, str]] = {}
        self.log: list[str] = []

    def session(self, **changes: str) -> dict[str, str]:
        closes = f"{self.day - timedelta(days=4)} 18:00"
        values = {"day": self.day.isoformat(), "closes_at": closes, **changes}
        return entry(self.ctx, **values)

    async def publish(self) -> None:
        self.day = self.ctx.today() + timedelta(days=14)
        for order in (1, 2):
            wanted = self.session(capacity=str(order), starts=f"{7 + order}:00")
            made = await publish(self.ctx, self.officer, OFFICE, wanted, f"{self.seed}-{order}")
            self.codes.append(made.code)

    def process(self) -> Context:
        """One that comes to the end, or to some named point only."""
        left = iter(range(self.draw.randint(1, 9)))

        def checkpoint(name: str) -> None:
            if next(left, None) is None:
                raise Died(name)

        return replace(self.ctx, checkpoint=checkpoint) if self.draw.random() < 0.45 else self.ctx

    async def deed(self) -> None:
        deed, who = self.draw.choice(DEEDS), self.draw.choice(self.people)
        said = "done"
        try:
            await self.done(deed, who)
        except Refusal as refusal:
            assert refusal.code != "busy-try-again", self.log
            said = refusal.code
        except Died as died:
            said = f"died {died}"
        self.log.append(f"{deed} {self.people.index(who)}: {said}")

    def done(self, deed: str, who: Citizen) -> Awaitable[Any]:
        ctx, code = self.process(), self.draw.choice(self.codes)
        cause = f"{self.seed}-{len(self.log)}-{self.draw.random()}"
        match deed:
            case "book" | "wait" | "again":
                wish = (deed if deed in WISHES else "book", code, cause)
                if deed != "again" or who.key not in self.wished:
                    self.wished[who.key] = wish
                verb, code, cause = self.wished[who.key]
                return WISHES[verb](ctx, who, code, cause, "mini")
            case "attend":
                return attend_due(ctx)
            case "sweep":
                return sweep(ctx, silent)
            case "change":
                hour = f"{self.draw.randint(8, 10)}:{self.draw.randint(10, 59)}"
                wanted = self.session(capacity=self.draw.choice("123"), starts=hour)
                return change_plan(ctx, self.officer, code, wanted, "调整", cause)
            case _:
                return self.answer(ctx, deed, who, cause)

    async def answer(self, ctx: Context, deed: str, who: Citizen, cause: str) -> None:
        for matter in (await self.bookings(who))[:1]:
            await ANSWERS[deed](ctx, who, matter.number, cause)

    async def bookings(self, who: Citizen) -> list[Matter]:
        """Newest first."""
        rows = await self.ctx.stores.matters.of_applicant(who.key, 200)
        wanted = [r.number for r in rows if r.service == SERVICE]
        return [(await steps.load(self.ctx, number)).matter for number in wanted]

    async def put_right(self) -> None:
        """What a worker does that lives."""
        forward(self.ctx, minutes=30)
        for _ in range(3):
            await sweep(self.ctx, silent)
            await attend_due(self.ctx)

    async def agrees(self) -> None:
        """Places, bookings and claims say the same."""
        standing: dict[str, tuple[State, ...]] = {}
        for code in self.codes:
            places = await self.ctx.stores.exam_places.get(code)
            plan = await self.ctx.stores.exam_plans.get(code)
            assert places is not None and plan is not None and not places.owed, self.log
            assert len(places.holders) + len(places.offers) <= places.capacity, self.log
            everybody = [*places.holders, *places.offers, *places.queue]
            assert not set(everybody) & set(standing) and len(everybody) == len(set(everybody))
            standing |= dict.fromkeys(places.holders, HELD)
            standing |= dict.fromkeys(places.offers, (State.OFFERED,))
            standing |= dict.fromkeys(places.queue, (State.WAITING,))
            for number in everybody:
                matter = (await steps.load(self.ctx, number)).matter
                assert matter.form == plan.sitting(), self.log
        for who in self.people:
            claim = await self.ctx.stores.live_bookings.get(f"{who.key}:2")
            matters = await self.bookings(who)
            for matter in matters:
                told = [e.type for e in matter.timeline if e.type in ONCE]
                assert len(told) == len(set(told)), (told, self.log)
                assert (await steps.load(self.ctx, matter.number)).effects == (), self.log
                wanted = standing.get(matter.number, (State.WITHDRAWN, State.REFUSED))
                assert matter.state in wanted, (matter.state, wanted, self.log)
            live = [m.number for m in matters if m.state in LIVE]
            known = {m.number for m in matters}
            # A claim whose booking was never begun is the sweep's, a day later.
            assert live == [claim.matter] if claim and claim.matter in known else not live, self.log


@pytest.mark.gen_test(timeout=280)
async def test_whatever_happens_places_bookings_and_claims_agree(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await town(ctx)
        for seed in SEEDS:
            people = [await learner(ctx, 10 * seed + order) for order in range(1, 7)]
            here = Town(ctx, seed, who, people)
            await here.publish()
            for _ in range(here.draw.randint(15, 30)):
                at_once = here.draw.choice((1, 2, 4))
                await asyncio.gather(*(here.deed() for _ in range(at_once)))
                for one in people:
                    live = [m for m in await here.bookings(one) if m.state in LIVE]
                    assert len(live) <= 1, here.log
                if here.draw.random() < 0.15:
                    forward(ctx, hours=here.draw.choice((1, 5, 13, 30)))
            await here.put_right()
            await here.agrees()
            if here.draw.random() < 0.3:
                await cancel_plan(ctx, who, here.codes[0], "大雪", f"off-{seed}")
            forward(ctx, days=11)
            await here.put_right()
            await here.agrees()
            for one in people:
                states = {m.state for m in await here.bookings(one)}
                assert not states & {*LIVE} - {State.CONFIRMED}, here.log
        assert await ctx.stores.exam_places.due(ctx.now() + timedelta(days=99), 9) == []
