"""What the rush would look like without the guards of booking: seats sold twice, two bookings."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from storage.engines import EngineUrls
from tests.casework.inside import house
from tests.races.rushing import faults, sessions, swept
from tests.support.engines import ROOT
from tests.support.students import Student, students

PROCESSES, STUDENTS, SESSIONS, SEATS = 3, 180, 3, 10

Wishes = list[tuple[str, str]]


def raced(urls: EngineUrls, database: str, folder: Path, way: str, asked: Sequence[Wishes]) -> int:
    """Let every process make its wishes at the same moment; how many were granted."""
    command = (sys.executable, "-m", "tests.races.careless_seats", way)
    with ExitStack() as stack:
        racers = [
            stack.enter_context(
                subprocess.Popen(
                    (*command, urls.mongo_url, urls.redis_url, database, str(folder)),
                    cwd=ROOT,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in asked
        ]
        pipes = [(r.stdin, r.stdout) for r in racers]
        for _, out in pipes:
            assert out is not None and out.readline() == "ready\n"
        for (into, _), wanted in zip(pipes, asked, strict=True):
            assert into is not None
            into.write(json.dumps(wanted) + "\n")
            into.flush()
        heard = Counter[str]()
        for _, out in pipes:
            assert out is not None
            heard.update(json.loads(out.readline()))
    return heard["accepted"]


def one_each(people: Sequence[Student], plans: Sequence[str]) -> list[Wishes]:
    """Every student asks for one session, at one of the processes."""
    all_wishes = [(one.token, plans[n % len(plans)]) for n, one in enumerate(people)]
    return [all_wishes[n::PROCESSES] for n in range(PROCESSES)]


def all_at_once(people: Sequence[Student], plans: Sequence[str]) -> list[Wishes]:
    """Every student asks each process for another session."""
    return [[(one.token, plans[n]) for one in people[:20]] for n in range(PROCESSES)]


@pytest.mark.parametrize(
    ("way", "what"),
    [("guarded", ""), ("seats", "seats sold of"), ("claims", "live bookings")],
)
@pytest.mark.gen_test(timeout=120)
async def test_without_a_guard_the_check_fails(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path, way: str, what: str
) -> None:
    """The same race and the same check as of the rush: with the guards nothing is found."""
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        people = await students(ctx, STUDENTS)
        plans = await sessions(ctx, SESSIONS, SEATS)
        asked = all_at_once(people, plans) if way == "claims" else one_each(people, plans)
        granted = raced(engine_urls, mongo_database, tmp_path, way, asked)
        await swept(ctx)
        found = await faults(ctx)
        print(f"{way}: {granted} granted of {SESSIONS * SEATS}; {found[:4]}")
        if way == "guarded":
            assert found == []
            assert granted == SESSIONS * SEATS
        else:
            assert any(what in fault for fault in found), found
