"""One house with three service processes on one engine."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from pymongo import MongoClient

from storage.engines import EngineUrls
from tests.support.processes import House, free_port
from tests.support.story import QuickTown, at


@dataclass(frozen=True)
class Trio:
    """A town served by three processes."""

    town: QuickTown
    houses: tuple[House, ...]

    def house(self, number: int) -> House:
        """The house as seen through one of its processes, taken in turn."""
        return self.houses[number % len(self.houses)]


@pytest.fixture(scope="session")
def trio(engine_urls: EngineUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trio]:
    """Sandbox and three services; licences that end in two months, so may be deferred."""
    database = f"test_races_{secrets.token_hex(6)}"
    with House(tmp_path_factory.mktemp("races"), engine_urls, database) as house:
        house.start_sandbox()
        house.start_code_sender()
        town = QuickTown(house, 40, valid_until=date.today() + timedelta(days=60))
        ports = (house.port, free_port(), free_port())
        for port in ports:
            house.start_service(port=port)
        yield Trio(town, tuple(at(house, port) for port in ports))
    client: MongoClient[dict[str, object]] = MongoClient(engine_urls.mongo_url)
    with client:
        client.drop_database(database)
