"""The rush: thousands of students for few seats, at several service processes on one engine.

With all alive; with processes killed at named points and at any moment; with the engine killed.
Whoever has no answer asks again with the same key.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from pymongo import MongoClient

from storage.engines import EngineUrls
from tests.races.rushing import assert_fair, faults, sessions, swept, told, wishes
from tests.support.crowd import Crowd, Wish
from tests.support.engines import engine_process, kill_engine
from tests.support.processes import House, free_port
from tests.support.story import inside
from tests.support.students import students

PROCESSES, CONNECTIONS = 3, 150
POINTS = (
    *("after-claim", "after-matter-write", "before-effect"),
    *("after-seat", "after-effect", "after-answer"),
)
SOME, SESSIONS, SEATS = 3000, 10, 15
"""For the rushes with kills: so many students for 150 seats."""

Trouble = Callable[[asyncio.Event], Awaitable[None]]


def ports_of(house: House) -> list[int]:
    """Where the house's processes listen."""
    return [house.port, *(free_port() for _ in range(PROCESSES - 1))]


async def ready(house: House, people: int, plans: int, seats: int) -> list[Wish]:
    """Students and sessions in the store; what the students wish."""
    async with inside(house) as ctx:
        start = time.perf_counter()
        who = await students(ctx, people)
        found = wishes(who, await sessions(ctx, plans, seats), seed=people)
    print(f"{people} students ready in {time.perf_counter() - start:.1f} s")
    return found


async def rush(ports: Sequence[int], asked: Sequence[Wish], *troubles: Trouble) -> Crowd:
    """Everybody asks until he has an answer, while there is trouble."""
    crowd, over = Crowd(ports, CONNECTIONS), asyncio.Event()
    trouble = [asyncio.ensure_future(one(over)) for one in troubles]
    start = time.perf_counter()
    try:
        await crowd.ask(asked)
    finally:
        over.set()
        await asyncio.gather(*trouble)
    print(told(crowd, time.perf_counter() - start))
    return crowd


def test_ten_thousand_for_five_hundred_seats(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async def play(house: House, ports: Sequence[int]) -> None:
        asked = await ready(house, 10_000, 20, 25)
        crowd = await rush(ports, asked)
        async with inside(house) as ctx:
            # With everybody alive nothing is left to sweep.
            assert await faults(ctx) == []
            await assert_fair(ctx, crowd, asked, 500)
        before = dict(crowd.answers)
        again = [w for w in asked if before[w].status == 201]
        await crowd.ask(again)
        assert [crowd.answers[w].number for w in again] == [before[w].number for w in again]

    with House(tmp_path, engine_urls, mongo_database) as house:
        ports = ports_of(house)
        for port in ports:
            house.start_service(port=port)
        asyncio.run(play(house, ports))


def mortal(house: House, port: int, points: Sequence[str], deaths: Counter[str]) -> Trouble:
    """A service that dies at one point after the other, then once at any moment, and is started
    again each time."""
    dice = random.Random(port)

    async def live(over: asyncio.Event) -> None:
        for point in (*points, "any moment", ""):
            env = {"BIANMIN_CRASH_AT": f"{point}:{dice.randint(1, 3)}"} if point in POINTS else {}
            try:
                one = await asyncio.to_thread(house.start_service, port=port, **env)
            except AssertionError:
                # Dead before it had answered anybody; or it found no engine, and gave up.
                deaths[point] += 1
                continue
            end = time.monotonic() + dice.uniform(0.5, 2.0)
            while one.process.poll() is None and not over.is_set():
                if point == "any moment" and time.monotonic() > end:
                    one.kill()
                await asyncio.sleep(0.02)
            if over.is_set():
                return
            deaths[point] += 1

    return live


async def judged(house: House, crowd: Crowd, asked: Sequence[Wish], seats: int) -> None:
    """After the sweep everything is as if nobody had died."""
    async with inside(house) as ctx:
        await swept(ctx)
        await assert_fair(ctx, crowd, asked, seats)


def test_processes_killed_at_named_points_and_at_random(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    deaths = Counter[str]()

    async def play(house: House) -> None:
        asked = await ready(house, SOME, SESSIONS, SEATS)
        ports = ports_of(house)
        doomed = [mortal(house, p, POINTS[n::PROCESSES], deaths) for n, p in enumerate(ports)]
        crowd = await rush(ports, asked, *doomed)
        await judged(house, crowd, asked, SESSIONS * SEATS)
        print(f"died at {dict(deaths)}, connections broken {crowd.broken}")

    with House(tmp_path, engine_urls, mongo_database) as house:
        asyncio.run(play(house))
    assert set(POINTS) <= set(deaths)


def answers(urls: EngineUrls) -> None:
    """Return once the engine answers."""
    client: MongoClient[dict[str, object]] = MongoClient(urls.mongo_url)
    with client:
        client.admin.command("ping")


def test_the_engine_killed(tmp_path: Path) -> None:
    kills = 0

    (tmp_path / "house").mkdir()
    with engine_process(tmp_path / "engines") as running:

        async def killing(over: asyncio.Event) -> None:
            """Three times, each when it has worked for a moment since it was started again."""
            nonlocal kills
            while kills < 3 and not over.is_set():
                await asyncio.sleep(0.4)
                kill_engine(running)
                kills += 1
                await asyncio.to_thread(answers, running.urls)

        async def play(house: House, ports: Sequence[int]) -> None:
            asked = await ready(house, SOME, SESSIONS, SEATS)
            crowd = await rush(ports, asked, killing)
            await judged(house, crowd, asked, SESSIONS * SEATS)
            print(f"engine killed {kills} times, connections broken {crowd.broken}")

        with House(tmp_path / "house", running.urls, "test_rush") as house:
            ports = ports_of(house)
            for port in ports:
                house.start_service(port=port)
            asyncio.run(play(house, ports))
    assert kills >= 2
