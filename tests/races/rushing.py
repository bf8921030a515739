"""A rush for seats: sessions, students, what they wish, and what must be true afterwards."""

import random
import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.conversation import think
from casework.context import Context
from casework.sweep import sweep
from rules.exams.plan import SERVICE
from rules.flow import ENDED
from rules.matter import State
from tests.casework.exams import published
from tests.support.crowd import Answer, Crowd, Wish
from tests.support.students import Student

NAMED = frozenset({"plan-full", "already-booked"})
"""What a student may hear in place of a booking."""


async def sessions(ctx: Context, count: int, seats: int) -> list[str]:
    """So many published sessions of subject 2, each with so many seats; their codes."""
    codes = [f"K2-{n:02d}" for n in range(count)]
    for n, code in enumerate(codes):
        await published(ctx, code, capacity=seats, starts=f"{8 + n // 4:02d}:{n % 4 * 15:02d}")
    return codes


def wishes(people: Sequence[Student], plans: Sequence[str], seed: int) -> list[Wish]:
    """One a student, of any session; of twenty students one asks for two at the same moment."""
    dice = random.Random(seed)
    found: list[Wish] = []
    for number, one in enumerate(people):
        wanted = dice.sample(plans, 2 if number % 20 == 0 else 1)
        found += [Wish(one.token, plan, secrets.token_urlsafe(12)) for plan in wanted]
    return found


async def swept(ctx: Context) -> None:
    """Everything finished that died half done: the sweep's rounds two days later."""
    later = replace(ctx, clock=lambda: ctx.clock() + timedelta(days=2))
    while await sweep(later, think):
        continue


async def faults(ctx: Context) -> list[str]:
    """Every promise that the store breaks, in words; empty when all hold."""
    database, found = ctx.stores.database, list[str]()
    seats: dict[str, tuple[str, str]] = {}
    async for plan in database["exam_plans"].find({}):
        code, holders, offers = plan["_id"], plan["holders"], plan["offers"]
        if len(holders) + len(offers) > plan["capacity"]:
            found.append(f"{code}: {len(holders) + len(offers)} seats sold of {plan['capacity']}")
        counted = (plan["capacity"] - len(holders) - len(offers), len(holders))
        if (plan["left"], plan["booked"]) != counted:
            found.append(f"{code}: counted {plan['left']} left and {plan['booked']} booked")
        if plan["owed"]:
            found.append(f"{code}: owes {plan['owed']}")
        there = [*holders, *offers, *plan["queue"]]
        found += [f"{code}: holds a place twice" for n in Counter(there).values() if n > 1]
        for state, who in (("accepted", holders), ("offered", offers), ("waiting", plan["queue"])):
            seats |= {matter: (code, state) for matter in who}
    live, people = dict[str, tuple[str, str]](), Counter[str]()
    async for row in database["matters"].find({"service": SERVICE}, _CLEAR):
        if row["state"] == State.TAKING.value or "effect_due" in row or row["effects"]:
            found.append(f"{row['_id']}: half done, {row['state']}, owes {row['effects']}")
        if row["state"] not in _OVER:
            people[row["subject"]] += 1
            stored = await ctx.stores.matters.get(row["_id"])
            live[row["_id"]] = (stored.matter.form["plan"] if stored else "", row["state"])
    found += [f"somebody has {n} live bookings" for n in people.values() if n > 1]
    found += _differences("bookings", live.items(), "places", seats.items())
    claims = [d["matter"] async for d in database["live_bookings"].find({})]
    found += _differences("bookings", live, "claims", claims)
    return found


_CLEAR = {"state": 1, "subject": 1, "effects": 1, "effect_due": 1}
_OVER = frozenset(state.value for state in ENDED)


def _differences(one: str, ours: Iterable[Any], other: str, theirs: Iterable[Any]) -> list[str]:
    mine, yours = set(ours), set(theirs)
    without = [f"{one} without {other}: {len(mine - yours)}"] if mine - yours else []
    return without + ([f"{other} without {one}: {len(yours - mine)}"] if yours - mine else [])


async def assert_fair(ctx: Context, crowd: Crowd, asked: Sequence[Wish], seats: int) -> None:
    """Everybody has a definite answer, who was told of a seat has it, nobody has two, and so many
    are sold as there are, or were asked for."""
    assert len(crowd.answers) == len(asked)
    answers = list(crowd.answers.values())
    unnamed = [a for a in answers if a.status != 201 and a.code not in NAMED]
    assert not unnamed, unnamed[:10]
    broken = await faults(ctx)
    assert not broken, broken[:10]
    held = [h async for h in _holders(ctx)]
    told = {a.number for a in answers if a.status == 201}
    assert told == set(held)
    assert len(held) == seats
    assert all(len(n) <= 1 for n in _numbers(crowd).values())


def _numbers(crowd: Crowd) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for wish, answer in crowd.answers.items():
        if answer.status == 201:
            found.setdefault(wish.token, set()).add(answer.number)
    return found


async def _holders(ctx: Context) -> Any:
    async for plan in ctx.stores.database["exam_plans"].find({}, {"holders": 1}):
        for holder in plan["holders"]:
            yield holder


def told(crowd: Crowd, took: float) -> str:
    """A line about a rush."""
    answers: list[Answer] = list(crowd.answers.values())
    seconds = sorted(a.seconds for a in answers)
    sold = sum(a.status == 201 for a in answers)
    again = sum(a.tries > 1 for a in answers)
    return (
        f"{len(answers)} wishes answered in {took:.1f} s ({len(answers) / took:.0f} a second), "
        f"{sold} seats sold, p99 {seconds[int(len(seconds) * 0.99)]:.2f} s, "
        f"{again} asked more than once"
    )
