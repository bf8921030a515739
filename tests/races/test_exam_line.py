"""The line under race: three processes in which students wait, accept, leave and cancel at random
while offers end in silence. Nobody gets a place before who waited longer and still waits."""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from casework.context import Context
from casework.exams.attending import attend_due
from storage.engines import EngineUrls
from tests.casework.exams import published
from tests.casework.inside import house
from tests.races.line_racer import clock_from
from tests.races.rushing import faults, swept
from tests.support.engines import ROOT
from tests.support.students import Student, students

PROCESSES, STUDENTS, SEATS, SECONDS = 3, 90, 5, 15.0
STEPS = ("wait", "accept", "leave", "cancel")
PLAN = "K2-1"

Places = Mapping[str, Any]


def jumped(before: Places, after: Places) -> list[str]:
    """Who has or is offered a place now though somebody who stood before him still waits: seen in
    two looks at the same session, whatever happened between them."""
    stayed = [m for m in before["queue"] if m in after["queue"]]
    if not stayed:
        return []
    ahead = before["queue"][: before["queue"].index(stayed[0])]
    entitled = {*before["holders"], *before["offers"], *ahead}
    given = {*after["holders"], *after["offers"]}
    return sorted(given - entitled)


def test_the_look_sees_who_jumps_the_line() -> None:
    before = {"holders": ["a"], "offers": {}, "queue": ["b", "c"]}
    assert jumped(before, {"holders": [], "offers": {"b": 1}, "queue": ["c", "d"]}) == []
    assert jumped(before, {"holders": [], "offers": {"c": 1}, "queue": ["b"]}) == ["c"]
    assert jumped(before, {"holders": ["new"], "offers": {}, "queue": ["b", "c"]}) == ["new"]


async def watched(ctx: Context, over: asyncio.Event) -> tuple[int, list[str]]:
    """Look at the session as often as possible: how many states were seen, and what was wrong."""
    before, states, wrong = None, 0, list[str]()
    while not over.is_set():
        after = await ctx.stores.database["exam_plans"].find_one({"_id": PLAN})
        assert after is not None
        taken = len(after["holders"]) + len(after["offers"])
        if taken > after["capacity"]:
            wrong.append(f"{taken} places given of {after['capacity']}")
        if before is not None and before["rev"] != after["rev"]:
            states += 1
            wrong += [f"{matter} jumped the line" for matter in jumped(before, after)]
            stayed = [m for m in before["queue"] if m in after["queue"]]
            if stayed != [m for m in after["queue"] if m in before["queue"]]:
                wrong.append("the line changed its order")
        before = after
        await asyncio.sleep(0.002)
    return states, wrong


async def raced(
    urls: EngineUrls, database: str, folder: Path, start: float, people: Sequence[Student]
) -> Counter[str]:
    """Three processes, each with its share of the students: what they did."""
    racers = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.races.line_racer", urls.mongo_url, urls.redis_url),
            *(database, str(folder), PLAN, str(start), str(SECONDS)),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(PROCESSES)
    ]
    for racer in racers:
        assert racer.stdout is not None and await racer.stdout.readline() == b"ready\n"
    shares = [json.dumps([p.token for p in people[n::PROCESSES]]) for n in range(PROCESSES)]
    told = await asyncio.gather(
        *(r.communicate(f"{share}\n".encode()) for r, share in zip(racers, shares, strict=True))
    )
    done = Counter[str]()
    for out, _ in told:
        done.update(json.loads(out))
    return done


@pytest.mark.gen_test(timeout=240)
async def test_first_come_first_served(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        people, over, start = await students(ctx, STUDENTS), asyncio.Event(), time.time()
        await published(ctx, PLAN, days=40, capacity=SEATS)
        watching = asyncio.ensure_future(watched(ctx, over))
        done = Counter[str]()
        while min(done[step] for step in STEPS) == 0:
            # Where the machine is busy, one race may be too short for all of it.
            done += await raced(engine_urls, mongo_database, tmp_path, start, people)
        over.set()
        states, wrong = await watching
        print(f"{states} states of the session seen; {dict(done)}")
        assert wrong == []
        assert states > done["accept"]
        stopped = clock_from(start)()
        then = replace(ctx, clock=lambda: stopped)
        while await attend_due(then):
            continue
        await swept(then)
        assert await faults(then) == []
