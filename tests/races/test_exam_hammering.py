"""Hammering gains nothing: who asks two hundred times at once, wherever, has one booking at most
and is held up; nobody else is."""

import asyncio
import secrets
from collections import Counter
from pathlib import Path

from storage.engines import EngineUrls
from tests.races.rushing import faults, sessions
from tests.support.crowd import Crowd, Wish
from tests.support.processes import House, free_port
from tests.support.story import inside
from tests.support.students import students

REQUESTS, OTHERS = 200, 30


def test_two_hundred_requests_of_one_student(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async def play(house: House, ports: list[int]) -> None:
        async with inside(house) as ctx:
            one, *others = await students(ctx, 1 + OTHERS)
            plans = await sessions(ctx, 20, OTHERS)
            most = int(ctx.figure("exam.tries_per_minute"))
            hammer = [
                Wish(one.token, plans[n % len(plans)], secrets.token_urlsafe(12))
                for n in range(REQUESTS)
            ]
            calm = [
                Wish(other.token, plans[n % len(plans)], secrets.token_urlsafe(12))
                for n, other in enumerate(others)
            ]
            hammering, calmly = Crowd(ports, REQUESTS), Crowd(ports, OTHERS)
            await asyncio.gather(hammering.ask(hammer), calmly.ask(calm))
            heard = Counter(a.code or a.status for a in hammering.answers.values())
            print(f"of {REQUESTS} requests of one student: {dict(heard)}")
            assert heard[201] == 1
            assert heard[201] + heard["already-booked"] <= most
            assert heard["too-many-tries"] >= REQUESTS - most
            assert set(heard) == {201, "already-booked", "too-many-tries"}
            assert Counter(a.status for a in calmly.answers.values()) == {201: OTHERS}
            # Nor is another process kinder to him than the one that counted.
            for port in ports:
                again = Crowd([port], 1)
                await again.ask([Wish(one.token, plans[0], secrets.token_urlsafe(12))])
                assert [a.code for a in again.answers.values()] == ["too-many-tries"]
            assert await faults(ctx) == []

    with House(tmp_path, engine_urls, mongo_database) as house:
        ports = [house.port, free_port(), free_port()]
        for port in ports:
            house.start_service(port=port)
        asyncio.run(play(house, ports))
