"""A running service to knock at, without a sandbox: pushes are made here, right and wrong."""

from collections.abc import Iterator

import pytest

from storage.engines import EngineUrls
from tests.support.processes import House, Started


@pytest.fixture(scope="session")
def door_house(
    engine_urls: EngineUrls, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """The processes of these tests."""
    with House(tmp_path_factory.mktemp("official"), engine_urls, "official_door") as processes:
        yield processes


@pytest.fixture(scope="session")
def service(door_house: House) -> Started:
    """The service."""
    return door_house.start_service()
