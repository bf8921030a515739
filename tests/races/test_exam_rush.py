"""The rush: thousands of students for few seats, at several service processes on one engine."""

import asyncio
import time
from pathlib import Path

from storage.engines import EngineUrls
from tests.races.rushing import assert_fair, sessions, told, wishes
from tests.support.crowd import Crowd
from tests.support.processes import House, free_port
from tests.support.story import inside
from tests.support.students import students

STUDENTS, SESSIONS, SEATS, PROCESSES, CONNECTIONS = 10_000, 20, 25, 3, 150


def test_ten_thousand_for_five_hundred_seats(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async def rush(house: House, ports: list[int]) -> None:
        async with inside(house) as ctx:
            start = time.perf_counter()
            people = await students(ctx, STUDENTS)
            plans = await sessions(ctx, SESSIONS, SEATS)
            print(f"{len(people)} students ready in {time.perf_counter() - start:.1f} s")
            asked = wishes(people, plans, 1)
            crowd = Crowd(ports, CONNECTIONS)
            start = time.perf_counter()
            await crowd.ask(asked)
            print(told(crowd, time.perf_counter() - start))
            await assert_fair(ctx, crowd, asked, SESSIONS * SEATS)
            # The same keys again: everybody hears the same.
            before = dict(crowd.answers)
            again = [w for w in asked if before[w].status == 201]
            await crowd.ask(again)
            assert [crowd.answers[w].number for w in again] == [before[w].number for w in again]

    with House(tmp_path, engine_urls, mongo_database) as house:
        ports = [house.port, *(free_port() for _ in range(PROCESSES - 1))]
        for port in ports:
            house.start_service(port=port)
        asyncio.run(rush(house, ports))
