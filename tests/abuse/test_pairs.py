"""An ID number with an account and one that is nowhere: same answers, and the very same commands to
the engines, so that the time taken tells nobody. ``tests.abuse.pairs`` measures that time.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from pymongo import monitoring
from redis.asyncio import Redis
from tornado.httpclient import AsyncHTTPClient

from bianmin.app import make_application
from casework.askers import prover_at
from casework.codes import slot
from casework.context import Context
from casework.conversations import Conversations
from rules.masking import mask_phone
from storage.engines import EngineUrls
from storage.session_documents import NewSession
from tests.abuse.attacker import Seen, seen
from tests.abuse.test_every_route import served
from tests.casework.inside import house, officer, settings_of, silent
from tests.support.citizens import OFFICE, Known, known
from tests.support.web import Reply

CODE, STRANGE_PHONE = "135790", "13700000000"


@dataclass
class Commands(monitoring.CommandListener):
    """MongoDB's commands, while it listens: name and collection."""

    listening: bool = False
    heard: list[str] = field(default_factory=list)

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if self.listening:
            of = event.command.get(event.command_name)
            self.heard.append(f"{event.command_name} {of if isinstance(of, str) else ''}")

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Nothing to learn."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Nothing to learn."""


COMMANDS = Commands()
monitoring.register(COMMANDS)


@asynccontextmanager
async def overheard(redis: Redis, prefix: str) -> AsyncIterator[list[str]]:
    """The commands both engines get during the block; a script counts as one."""
    found: list[str] = []
    end = f"{prefix}-end"
    async with redis.monitor() as monitor:
        COMMANDS.heard.clear()
        COMMANDS.listening = True
        yield found
        COMMANDS.listening = False
        await redis.echo(end)
        while True:
            one = await monitor.next_command()
            command = str(one["command"])
            if end in command:
                break
            if f"{prefix}:" in command and one["client_type"] != "lua":
                found.append(" ".join(command.split()[:1]).upper())
        found.extend(COMMANDS.heard)


async def registered(ctx: Context, person: Known, licence: bool) -> None:
    """Somebody with an account."""
    if licence:
        await licensed(ctx, person)
    await ctx.stores.sessions.create(
        NewSession(
            key=ctx.stores.vault.id_key(person.id_number),
            id_number=person.id_number,
            name=person.name,
            phone=person.phone,
            created_at=ctx.now(),
            cause=person.id_number,
        )
    )


async def licensed(ctx: Context, person: Known) -> None:
    """Somebody the vehicle office has on file."""
    today = ctx.today()
    row = {
        "id_number": person.id_number,
        "name": person.name,
        "phone": person.phone,
        "number": person.id_number,
        "vehicle_class": "C1",
        "status": "正常",
        "issued_on": today - timedelta(days=2000),
        "valid_from": today - timedelta(days=2000),
        "valid_until": today + timedelta(days=200),
        "issuing_office": OFFICE,
        "points": 0,
    }
    await ctx.stores.registry.upsert_licences([row])


@pytest.mark.gen_test(timeout=120)
async def test_the_same_answers_and_the_same_commands(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        await officer(ctx)
        people = {name: known(n) for n, name in enumerate(("both", "account", "licence", "name"))}
        people["nowhere"] = known(3000)
        # Whatever a process or an address has for the first time only, it has with this one.
        asked = {"first": known(3999), **people}
        await registered(ctx, people["both"], licence=True)
        await registered(ctx, people["account"], licence=False)
        await licensed(ctx, people["licence"])
        only_name = {"id_number": people["name"].id_number, "name": people["name"].name}
        await ctx.stores.registry.upsert_population([only_name])
        told: dict[str, list[tuple[Seen, list[str]]]] = {}
        settings, registry = settings_of(mongo_database, tmp_path), CollectorRegistry()
        application = make_application(ctx, settings, Conversations(silent), registry)
        client = AsyncHTTPClient(force_instance=True)
        async with served(application) as base:

            async def ask(path: str, value: dict[str, str]) -> tuple[Seen, list[str]]:
                async with overheard(ctx.stores.redis, mongo_database) as commands:
                    answer = await client.fetch(
                        f"{base}/api/v1{path}",
                        method="POST",
                        body=json.dumps(value),
                        headers={"Idempotency-Key": "0123456789"},
                        raise_error=False,
                    )
                status, told = seen(Reply(answer.code, {}, answer.body))
                shown = mask_phone(value.get("phone", "-"))
                return (status, told.replace(shown, "PHONE")), commands

            for name, person in asked.items():
                number = {"id_number": person.id_number}
                key = ctx.stores.vault.id_key(person.id_number)
                claim = {**number, "name": "张三丰", "phone": STRANGE_PHONE, "region": "4101"}
                told[name] = [
                    await ask("/login/id-number", {**number, "sms_code": "000000"}),
                    await ask("/sms-codes", {**number, "purpose": "login"}),
                    await ask("/sms-codes", {**number, "purpose": "login"}),
                    await ask("/login/id-number", {**number, "sms_code": "000000"}),
                    await ask(
                        "/sms-codes", {**number, "purpose": "register", "phone": person.phone}
                    ),
                    await ask("/registrations", {**claim, "sms_code": "000000"}),
                ]
                place = slot(ctx, "register", key, STRANGE_PHONE, prover_at(ctx, "127.0.0.1"))
                await ctx.stores.memory.put_code(place, CODE, 60)
                told[name].append(await ask("/registrations", {**claim, "sms_code": CODE}))
        client.close()
        statuses = [status for (status, _), _ in told["nowhere"]]
        assert statuses == [422, 200, 429, 422, 200, 422, 422]
        assert all(len(commands) >= 3 for _, commands in told["nowhere"])
        for name in people:
            for step, (mine, theirs) in enumerate(zip(told[name], told["nowhere"], strict=True)):
                assert mine == theirs, (name, step)


@pytest.mark.gen_test(timeout=60)
async def test_a_difference_would_be_overheard(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """What the test above would see of a look that only one of them gets."""
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        heard = []
        for more in (False, True):
            async with overheard(ctx.stores.redis, mongo_database) as commands:
                await ctx.stores.memory.hit("x", 5, 60)
                await ctx.stores.sessions.get("x")
                if more:
                    await asyncio.gather(
                        ctx.stores.registry.population_name("x"), ctx.stores.memory.hit("x", 5, 60)
                    )
            heard.append(commands)
        assert len(heard[1]) > len(heard[0]) and "find registry_population" in heard[1]
