"""Registering and logging in with a million citizens stored, beside ten thousand."""

import json
import os
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count

from bianmin.app import open_house
from casework.askers import asker_at
from casework.codes import slot
from casework.context import Context
from tests.bench.harness import Result, Side, beside
from tests.bench.population import Person, load, person
from tests.bench.town import Town, settings_of
from tests.support.processes import House, free_port

MANY, FEW = 1_000_000, 10_000
_ROUNDS = 9
_A_ROUND = 300
_CODE_SECONDS = 3600
_CODE = "135790"
_CONNECTIONS = 8

Prepare = Callable[[Context, Person], Awaitable[bytes]]


async def registration_scale(town: Town) -> Result:
    """``POST /registrations`` of people the population registry knows, each once, with a million
    accounts and rows of that registry stored. Floor: the same with ten thousand, in a database of
    its own on the same engine, by a service process of its own, round by round in turn."""

    async def prepare(ctx: Context, one: Person) -> bytes:
        key = ctx.stores.vault.id_key(one.id_number)
        challenge = await _code(ctx, "register", key, one.phone)
        return _post(
            "/api/v1/registrations",
            {
                "id_number": one.id_number,
                "name": one.name,
                "phone": one.phone,
                "sms_code": _CODE,
                "challenge": challenge,
            },
        )

    # Nobody who has an account: the next ones.
    return await _beside("registration-scale", town, prepare, lambda stored: count(stored))


async def login_scale(town: Town) -> Result:
    """``POST /login/id-number`` of citizens spread over all that are stored, a million. Floor: the
    same with ten thousand, as in registration-scale."""

    async def prepare(ctx: Context, one: Person) -> bytes:
        key = ctx.stores.vault.id_key(one.id_number)
        challenge = await _code(ctx, "login", key, one.phone)
        body = {"id_number": one.id_number, "sms_code": _CODE, "challenge": challenge}
        return _post("/api/v1/login/id-number", body)

    requests = (_ROUNDS + 1) * _A_ROUND
    return await _beside(
        "login-scale", town, prepare, lambda stored: count(0, max(stored // requests, 1))
    )


async def _beside(
    name: str, town: Town, prepare: Prepare, numbers: Callable[[int], "count[int]"]
) -> Result:
    start = time.perf_counter()
    async with _province(town, "bench-many", MANY) as (many, ctx):
        took = time.perf_counter() - start
        ours = await _rounds(ctx, prepare, numbers(MANY))
        async with _province(town, "bench-few", FEW) as (few, ctx_of_few):
            floor = await _rounds(ctx_of_few, prepare, numbers(FEW))
            return await beside(
                name,
                town.folder,
                Side(many.port, ours),
                Side(few.port, floor),
                connections=_CONNECTIONS,
                note=f"{MANY:,} stored (loaded in {took:.0f} s) beside {FEW:,}; load average "
                f"{os.getloadavg()[0]:.1f}",
            )


@asynccontextmanager
async def _province(
    town: Town, database: str, citizens: int
) -> AsyncIterator[tuple[House, Context]]:
    """A database with so many citizens and a service process that works on it."""
    with replace(town.house, database=database, port=free_port(), started=[]) as house:
        await load(house.env, citizens)
        house.start_service()
        async with open_house(settings_of(house), house.urls, with_lab=False) as ctx:
            yield house, ctx


async def _rounds(ctx: Context, prepare: Prepare, numbers: "count[int]") -> list[list[bytes]]:
    rounds = [[person(next(numbers)) for _ in range(_A_ROUND)] for _ in range(_ROUNDS + 1)]
    rows = [{"id_number": p.id_number, "name": p.name} for people in rounds for p in people]
    await ctx.stores.registry.upsert_population(rows)
    return [[await prepare(ctx, one) for one in people] for people in rounds]


async def _code(ctx: Context, purpose: str, key: str, phone: str) -> str:
    """Put a code where ``POST /sms-codes`` would: how many codes a phone, an address and the
    gateway may have is not what is measured. Gives the challenge that goes with it."""
    asker = asker_at(ctx, "192.0.2.1")
    await ctx.stores.memory.put_code(slot(ctx, purpose, key, phone, asker), _CODE, _CODE_SECONDS)
    return asker.challenge


def _post(path: str, body: dict[str, str]) -> bytes:
    content = json.dumps(body, ensure_ascii=False).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        f"Idempotency-Key: {secrets.token_urlsafe(16)}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content
