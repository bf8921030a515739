"""One laboratory for all tests of pictures, so that its processes start once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from casework.photos import PhotoLab, Prepared

Develop = Callable[[bytes], Prepared]


class Bench:
    """A laboratory with a loop to run it on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runner = asyncio.Runner()
        self.lab = PhotoLab(folder)
        self.run(self.lab.start())

    def run(self, work: Awaitable[object]) -> object:
        """Wait for something on the bench's loop."""

        async def waited() -> object:
            return await work

        return self.runner.run(waited())

    def close(self) -> None:
        self.run(self.lab.stop())
        self.runner.close()


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = Bench(tmp_path_factory.mktemp("spool"))
    yield made
    made.close()


@pytest.fixture
def develop(bench: Bench) -> Develop:
    """Upload a file and have it prepared."""

    async def upload(data: bytes) -> Prepared:
        async with bench.lab.spool() as spool:
            for start in range(0, len(data), 30_000):
                await spool.write(data[start : start + 30_000])
            return await bench.lab.prepare(spool)

    def developed(data: bytes) -> Prepared:
        prepared = bench.run(upload(data))
        assert isinstance(prepared, Prepared)
        return prepared

    return developed
