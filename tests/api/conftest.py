"""One running service with its sandbox and a town of people, for all tests of the API."""

import secrets
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from pymongo import MongoClient

from storage.engines import EngineUrls
from tests.support.citizens import Citizen, Town
from tests.support.processes import House


@pytest.fixture(scope="session")
def town(engine_urls: EngineUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Sandbox and service as processes; licences that end in two months, so may be deferred."""
    database = f"test_api_{secrets.token_hex(6)}"
    with House(tmp_path_factory.mktemp("api"), engine_urls, database) as house:
        house.start_sandbox()
        town = Town(house, 100, valid_until=date.today() + timedelta(days=60))
        house.start_service()
        house.start_code_sender()
        yield town
    client: MongoClient[dict[str, object]] = MongoClient(engine_urls.mongo_url)
    with client:
        client.drop_database(database)


@pytest.fixture(scope="session")
def signed(town: Town) -> Citizen:
    """A face-signed citizen for tests that leave no mark on him."""
    return town.face_signed()


@pytest.fixture
def draft(town: Town) -> Iterator[tuple[Citizen, str]]:
    """A citizen of one's own with a fresh draft, and its number."""
    citizen = town.face_signed()
    begun = citizen.call("POST", "/matters", {"service": "licence-deferral"})
    assert begun.status == 201, begun.body
    yield citizen, begun.json()["number"]
