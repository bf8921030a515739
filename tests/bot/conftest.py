"""A running service with a sandbox, and people of the registry to talk to it."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from bianmin.app import open_house
from bianmin.settings import PREFIX, Settings
from casework.context import Context
from casework.exchange import import_file
from casework.facesign import face_sign
from casework.officers import Officer
from storage.engines import EngineUrls
from tests.bot.phone import OFFICE, Person, Phone, new_person, phones, write_registry
from tests.support.processes import House

_HOLDERS, _OTHERS = 90, 20


@pytest.fixture(scope="session")
def house(
    engine_urls: EngineUrls, tmp_path_factory: pytest.TempPathFactory
) -> Iterator["RunningHouse"]:
    """Service and sandbox with a registry of twenty-four people."""
    folder = tmp_path_factory.mktemp("bot")
    with House(folder, engine_urls, "bot_conversations") as processes:
        running = RunningHouse(processes)
        running.load_registry()
        processes.start_sandbox()
        processes.start_service()
        processes.start_code_sender()
        yield running


class RunningHouse:
    """The processes, the people nobody has used yet, and what officers do meanwhile."""

    def __init__(self, processes: House) -> None:
        self.processes = processes
        self.holders = [new_person() for _ in range(_HOLDERS)]
        self.others = [new_person() for _ in range(_OTHERS)]
        self._phone: Callable[[Person], Phone] = phones(processes.sandbox_url)

    def holder(self) -> Phone:
        """The phone of somebody with a licence."""
        return self._phone(self.holders.pop())

    def phone_of(self, person: Person) -> Phone:
        """One more WeChat account of somebody's, on a phone that gets the same SMS."""
        return self._phone(person)

    def other(self) -> Phone:
        """The phone of somebody the vehicle office does not know."""
        return self._phone(self.others.pop())

    def stranger(self) -> Phone:
        """The phone of somebody no registry knows."""
        return self._phone(new_person())

    def open(self) -> AbstractAsyncContextManager[Context]:
        """The house from inside, for what an officer does."""
        values = {
            name.removeprefix(PREFIX).lower(): value for name, value in self.processes.env.items()
        }
        settings = Settings(_env_file=None, **values)  # type: ignore[arg-type]  # any field
        return open_house(settings, self.processes.urls, with_lab=False)

    def load_registry(self) -> None:
        """Import the registry's files."""
        folder: Path = self.processes.folder
        write_registry(folder, self.holders, self.others)

        async def load() -> None:
            async with self.open() as ctx:
                for kind in ("offices", "population", "licences"):
                    report = await import_file(ctx, kind, folder / f"{kind}.csv", lambda _: None)
                    assert not report.errors, report.errors

        asyncio.run(load())

    def face_sign(self, person: Person) -> None:
        """An officer of the issuing office signs the person up."""

        async def sign() -> None:
            async with self.open() as ctx:
                officer = await officer_of(ctx)
                await face_sign(
                    ctx,
                    officer,
                    id_number=person.id_number,
                    phone=person.phone,
                    cause=f"test:{person.id_number[-6:]}",
                )

        asyncio.run(sign())


async def officer_of(ctx: Context) -> Officer:
    """An officer of the office that issued the licences."""
    office = await ctx.office(OFFICE)
    assert office is not None
    return Officer("tester", "测试民警", "reviewer", office)
