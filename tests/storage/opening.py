"""Stores for a test: opened on a database of its own, closed at the end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from storage.engines import EngineUrls
from storage.session_documents import NewSession
from storage.stores import Stores, open_stores

MASTER, INDEX = b"m" * 32, b"i" * 32
NOW = datetime(2026, 3, 2, 1, 30, 15, 123000, tzinfo=UTC)
ID_NUMBER, NAME, PHONE = "41010519900307131X", "王小明", "13900010001"


@asynccontextmanager
async def opened(urls: EngineUrls, database: str) -> AsyncIterator[Stores]:
    """The stores of one process."""
    stores = await open_stores(urls.mongo_url, urls.redis_url, database, MASTER, INDEX)
    try:
        yield stores
    finally:
        await stores.close()


async def registered(stores: Stores, id_number: str = ID_NUMBER) -> str:
    """A person with an account; gives the ID-number key."""
    key = stores.vault.id_key(id_number)
    assert await stores.sessions.create(NewSession(key, id_number, NAME, PHONE, NOW, "cause-1"))
    return key
