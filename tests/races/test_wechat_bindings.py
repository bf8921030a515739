"""One WeChat account bound to two persons at once, one person to two accounts at once: three
processes on the same engines, beside a way of binding that does not look again and fails."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from casework.context import Context
from casework.wechat_bindings import openid_of, whoami
from casework.wechat_identity import WechatIdentity, account_of
from storage.engines import EngineUrls
from storage.session_documents import NewSession
from tests.casework.inside import house
from tests.desk.town import id_number
from tests.support.engines import ROOT

RACERS = 3
ROUNDS, CARELESS_ROUNDS = 40, 200
Pairs = list[tuple[str, str]]


class Racers:
    """Three processes, told by each line whom to bind to what."""

    def __init__(
        self, stack: ExitStack, way: str, urls: EngineUrls, database: str, folder: Path
    ) -> None:
        where = (urls.mongo_url, urls.redis_url, database, str(folder))
        command = (sys.executable, "-m", "tests.races.bind_racer", way, *where)
        self._racers = [
            stack.enter_context(
                subprocess.Popen(
                    command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                )
            )
            for _ in range(RACERS)
        ]
        self._hear("ready")

    def race(self, pairs: Pairs) -> None:
        """One round: all at once."""
        for racer, (openid, key) in zip(self._racers, pairs, strict=True):
            assert racer.stdin is not None
            racer.stdin.write(f"{openid} {key}\n")
            racer.stdin.flush()
        self._hear("done")

    def _hear(self, word: str) -> None:
        for racer in self._racers:
            assert racer.stdout is not None and racer.stdout.readline() == f"{word}\n"


async def believed(ctx: Context, openids: set[str], keys: set[str]) -> set[tuple[str, str]]:
    """Every (account, person) the house acts upon: recognised in the chat, or sent messages."""
    found = set()
    for openid in openids:
        citizen = await whoami(ctx, WechatIdentity("mini", openid))
        if citizen is not None:
            found.add((openid, citizen.key))
    for key in keys:
        session = await ctx.stores.sessions.get(key)
        assert session is not None
        reached = await openid_of(ctx, session, "mini")
        if reached is not None:
            found.add((reached, key))
    return found


async def written(ctx: Context, openids: set[str], keys: set[str]) -> set[tuple[str, str]]:
    """Every (account, person) that either document says alone."""
    found = set()
    for openid in openids:
        held = await ctx.stores.wechat_bindings.get(account_of(ctx, WechatIdentity("mini", openid)))
        if held is not None and held.session is not None:
            found.add((openid, held.session))
    for key in keys:
        session = await ctx.stores.sessions.get(key)
        named = session.wechat.get("mini") if session else None
        if named is not None and named.openid in openids:
            found.add((named.openid, key))
    return found


def pairs_of(case: str, number: int, people: list[str]) -> Pairs:
    """Who binds what in a round: one account for three persons, or three accounts for one."""
    if case == "double binding":
        return [(f"o-{number}", key) for key in people]
    return [(f"o-{number}-{n}", people[0]) for n in range(RACERS)]


def raced(
    case: str, way: str, rounds: int, urls: EngineUrls, database: str, folder: Path
) -> list[int]:
    """The rounds after which more, or less, than one account was one person's."""

    async def run(race: Callable[[Pairs], None]) -> list[int]:
        async with house(urls, database, folder) as ctx:
            people = []
            for order in range(RACERS):
                number = id_number(order)
                people.append(ctx.stores.vault.id_key(number))
                new = NewSession(people[-1], number, "王小明", "13900000001", ctx.now(), "c")
                await ctx.stores.sessions.create(new)
            wrong = []
            for number in range(1, rounds + 1):
                pairs = pairs_of(case, number, people)
                await asyncio.to_thread(race, pairs)
                openids, keys = {o for o, _ in pairs}, {k for _, k in pairs}
                said = await (believed if way == "bind" else written)(ctx, openids, keys)
                left = await written(ctx, openids, keys) if way == "bind" else said
                if len(said) != 1 or left != said:
                    wrong.append(number)
                    if way == "careless":
                        break
            return wrong

    with ExitStack() as stack:

        async def with_racers() -> list[int]:
            async with house(urls, database, folder):
                pass  # its secrets are there for the racers
            racers = Racers(stack, way, urls, database, folder)
            return await run(racers.race)

        return asyncio.run(with_racers())


CASES = ["double binding", "two openids at once"]


@pytest.mark.parametrize("case", CASES)
def test_whoever_binds_at_once_one_account_is_one_persons(
    case: str, engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    wrong = raced(case, "bind", ROUNDS, engine_urls, mongo_database, tmp_path)
    print(f"{case}: {ROUNDS} rounds of {RACERS} processes, {len(wrong)} wrong")
    assert wrong == []


@pytest.mark.parametrize("case", CASES)
def test_without_looking_again_the_same_race_fails(
    case: str, engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    wrong = raced(case, "careless", CARELESS_ROUNDS, engine_urls, mongo_database, tmp_path)
    print(f"{case}, careless: wrong in round {wrong} of at most {CARELESS_ROUNDS}")
    assert wrong, f"{CARELESS_ROUNDS} rounds were not enough to show it"
