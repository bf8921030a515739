"""Booking tests: the rush for seats, and looking for sessions among a hundred thousand."""

import asyncio
import os
import random
import secrets
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from datetime import time as hour

from bianmin.app import open_house
from casework.context import Context
from rules.calendar import HOUSE_ZONE
from rules.exams.plan import Plan, Subject
from rules.places import Places
from storage.exams import published
from tests.bench.harness import Result, Side, beside
from tests.bench.taking import COLLECTION
from tests.bench.town import Town, settings_of
from tests.casework.inside import OFFICE
from tests.support.crowd import Crowd, Wish
from tests.support.processes import House, free_port
from tests.support.students import Student, students

STUDENTS, SESSIONS, SEATS, PROCESSES, IN_FLIGHT = 10_000, 20, 25, 3, 150
_RUSHES = 3
_WARM = 300

MANY, FEW, AN_OFFICE = 100_000, 1_000, 500
_ROUNDS, _A_ROUND, _DAYS = 5, 300, 60
_CHUNK = 2000


async def booking_rush(town: Town) -> Result:
    """``POST /bookings``: 10,000 students, each with a login of his own, ask for one of 20 sessions
    of 25 seats, over three service processes on one engine, 150 requests in flight, until each has
    an answer: a booking, or that the session is full. Students answered a second.

    Floor: three bare processes that make 10,000 times, 150 in flight, the conditional update by
    which a seat is sold (``PlaceStore.take`` on a pymongo client: one ``update_one``) on copies of
    the same 20 documents: no HTTP, no login, no limit, no claim, no matter, nothing told. Both in
    turn, three times, with fresh sessions and students. The note says what one such loop does by
    itself, one update after the other: nobody is in its way, as everybody is in a rush.
    """
    with replace(town.house, database="bench-rush", port=free_port(), started=[]) as house:
        async with open_house(settings_of(house), house.urls, with_lab=False) as ctx:
            who = await students(ctx, _RUSHES * STUDENTS + _WARM)
            ports = [house.port, *(free_port() for _ in range(PROCESSES - 1))]
            for port in ports:
                await asyncio.to_thread(house.start_service, port=port)
            warm = await _sessions(ctx, "warm")
            await Crowd(ports, IN_FLIGHT).ask(_wishes(who[-_WARM:], warm))
            ours, floors, alone = list[float](), list[float](), list[float]()
            late, sold = list[float](), 0
            for number in range(_RUSHES):
                plans = await _sessions(ctx, f"rush{number}")
                alone.append(await _floor(ctx, house, plans, 1, 1))
                await _afresh(ctx, plans)
                floors.append(await _floor(ctx, house, plans, PROCESSES, IN_FLIGHT))
                crowd = Crowd(ports, IN_FLIGHT)
                people = who[number * STUDENTS : (number + 1) * STUDENTS]
                start = time.perf_counter()
                await crowd.ask(_wishes(people, plans))
                ours.append(STUDENTS / (time.perf_counter() - start))
                seconds = sorted(a.seconds for a in crowd.answers.values())
                late.append(seconds[int(len(seconds) * 0.99)])
                granted = sum(a.status == 201 for a in crowd.answers.values())
                full = sum(a.code == "plan-full" for a in crowd.answers.values())
                if granted != SESSIONS * SEATS or granted + full != STUDENTS:
                    raise RuntimeError(f"{granted} booked, {full} heard that it is full")
                sold += granted
    return Result(
        name="booking-rush",
        value=round(statistics.median(ours), 1),
        unit="students/s",
        floor=round(statistics.median(floors), 1),
        ratio=round(statistics.median(a / b for a, b in zip(ours, floors, strict=True)), 3),
        n=_RUSHES * STUDENTS,
        note=f"{sold // _RUSHES} of {SESSIONS * SEATS} seats sold in each of {_RUSHES} rushes; "
        f"p99 {statistics.median(late) * 1000:.0f} ms; {IN_FLIGHT} in flight, {PROCESSES} "
        f"processes; one bare loop by itself {statistics.median(alone):.0f}/s; "
        f"load average {os.getloadavg()[0]:.1f}",
    )


def _wishes(people: Sequence[Student], plans: Sequence[str]) -> list[Wish]:
    return [Wish(p.token, random.choice(plans), secrets.token_urlsafe(12)) for p in people]


async def _sessions(ctx: Context, name: str) -> list[str]:
    plans = [_plan(ctx, f"{name}-{n:02d}", OFFICE, 20, n) for n in range(SESSIONS)]
    rows = [_row(plan) for plan in plans]
    for collection in ("exam_plans", COLLECTION):
        await ctx.stores.database[collection].insert_many(rows)
    return [plan.code for plan in plans]


def _plan(ctx: Context, code: str, office: str, days: int, slot: int) -> Plan:
    day = ctx.today() + timedelta(days=days)
    return Plan(
        code=code,
        office=office,
        region=office[:4],
        site=f"{office}-K1",
        site_name="第一考场",
        subject=Subject.FIELD,
        vehicle_class="C1",
        day=day,
        starts=f"{8 + slot // 4 % 10:02d}:{slot % 4 * 15:02d}",
        ends="18:30",
        capacity=SEATS,
        closes_at=datetime.combine(day - timedelta(days=5), hour(18, 0), HOUSE_ZONE),
        published_at=ctx.now(),
    )


def _row(plan: Plan) -> dict[str, object]:
    return published(plan, Places(plan.capacity, plan.closes_at), {"by": "bench"})


async def _afresh(ctx: Context, plans: Sequence[str]) -> None:
    """The floor's sessions with every place free again."""
    floor = ctx.stores.database[COLLECTION]
    await floor.delete_many({"_id": {"$in": list(plans)}})
    rows = await ctx.stores.database["exam_plans"].find({"_id": {"$in": list(plans)}}).to_list()
    await floor.insert_many(rows)


async def _floor(
    ctx: Context, house: House, plans: Sequence[str], processes: int, in_flight: int
) -> float:
    """Updates a second of the bare loops."""
    each = STUDENTS // processes
    loops = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.taking", house.urls.mongo_url, house.database,
            str(each), str(in_flight // processes), *plans,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(processes)
    ]  # fmt: skip
    for one in loops:
        if one.stdout is None or await one.stdout.readline() != b"ready\n":
            raise RuntimeError("the floor did not start")
    start = time.perf_counter()
    told = await asyncio.gather(*(one.communicate(b"\n") for one in loops))
    took = time.perf_counter() - start
    sold = sum(int(out) for out, _ in told)
    if sold != SESSIONS * SEATS:
        raise RuntimeError(f"the floor sold {sold} seats")
    return each * processes / took


async def plan_query_scale(town: Town) -> Result:
    """``GET /exam-plans`` of an office, subject and class for a week, the office and the week taken
    at random, with 100,000 sessions stored. Floor: the same with 1,000 stored, in a database of its
    own on the same engine, by a service process of its own, round by round in turn; an office has
    500 sessions in sixty days in either."""
    async with (
        _sites(town, "bench-plans-many", MANY) as many,
        _sites(town, "bench-plans-few", FEW) as few,
    ):
        return await beside(
            "plan-query-scale",
            town.folder,
            Side(many.port, _queries(town.ctx, MANY)),
            Side(few.port, _queries(town.ctx, FEW)),
            connections=8,
            note=f"{MANY:,} sessions beside {FEW:,}; load average {os.getloadavg()[0]:.1f}",
        )


@asynccontextmanager
async def _sites(town: Town, database: str, count: int) -> AsyncIterator[House]:
    """A database with so many sessions and a service process that works on it."""
    with replace(town.house, database=database, port=free_port(), started=[]) as house:
        async with open_house(settings_of(house), house.urls, with_lab=False) as ctx:
            offices = [
                {"code": _office(n), "name": f"第{n}车管所", "kind": "vehicle_office"}
                | {"region": "4101", "address": "示范路1号", "hours": "工作日", "phone": "12123"}
                for n in range(count // AN_OFFICE)
            ]
            await ctx.stores.registry.upsert_offices(offices)
            rows = [
                _row(_plan(ctx, f"{_office(n)}-{i}", _office(n), 10 + i % _DAYS, i // _DAYS))
                for n in range(count // AN_OFFICE)
                for i in range(AN_OFFICE)
            ]
            for at in range(0, count, _CHUNK):
                await ctx.stores.database["exam_plans"].insert_many(rows[at : at + _CHUNK])
        await asyncio.to_thread(house.start_service)
        yield house


def _office(number: int) -> str:
    return f"41V{number:03d}"


def _queries(ctx: Context, stored: int) -> list[list[bytes]]:
    return [
        [_query(ctx, random.randrange(stored // AN_OFFICE)) for _ in range(_A_ROUND)]
        for _ in range(_ROUNDS + 1)
    ]


def _query(ctx: Context, office: int) -> bytes:
    first = ctx.today() + timedelta(days=10 + random.randrange(_DAYS - 7))
    path = (
        f"/api/v1/exam-plans?office={_office(office)}&subject=2&vehicle_class=C1"
        f"&from={first}&to={first + timedelta(days=6)}"
    )
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()
