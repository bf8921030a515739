"""Fixtures every test may use: real engines, started once, and a database of one's own."""

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient

from storage.engines import EngineUrls
from tests.support.engines import engine_process


@pytest.fixture(scope="session", autouse=True)
def no_stray_loop() -> None:
    """pytest-tornado asks for a loop before one runs; asyncio would make one that nobody closes."""
    asyncio.set_event_loop(None)


@pytest.fixture(scope="session")
def engine_urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineUrls]:
    """Both engines for the whole run, as real children in a folder of their own."""
    folder: Path = tmp_path_factory.mktemp("engines")
    with engine_process(folder) as running:
        yield running.urls


@pytest.fixture
def mongo_database(engine_urls: EngineUrls) -> Iterator[str]:
    """The name of a fresh database, dropped afterwards."""
    name = f"test_{secrets.token_hex(8)}"
    yield name
    client: MongoClient[dict[str, object]] = MongoClient(engine_urls.mongo_url)
    with client:
        client.drop_database(name)
