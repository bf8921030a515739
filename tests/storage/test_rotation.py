"""Sealing anew beside concurrent work: the guards, and what happens without each of them."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from storage.changes import swap
from storage.engines import EngineUrls
from storage.pieces import PIECE_BYTES
from storage.rotation import Rotation
from storage.sealed_places import sealed_values, with_values
from storage.stores import Stores, real_time
from storage.vault import VaultError, key_number
from tests.storage.opening import NOW, PHONE, opened, registered
from tests.storage.test_photos import _read, _stream
from tests.storage.test_sessions import _grant

NEW_PHONE = "13900010007"


def rotation(stores: Stores) -> Rotation:
    """One that waits for nobody."""
    return Rotation(
        stores,
        real_time,
        tell=lambda line: None,
        progress=lambda *bar: None,
        checkpoint=lambda name: None,
        readers=timedelta(0),
        lease=timedelta(0),
    )


@asynccontextmanager
async def alone(urls: EngineUrls, database: str) -> AsyncIterator[Stores]:
    """Stores of a command that works on the keys."""
    async with opened(urls, database) as stores, stores.presence.kept("keys"):
        yield stores


async def second_key(stores: Stores) -> None:
    """A second data key that seals already, as in the middle of a rotation."""
    await stores.keyring.announce(2)
    await stores.keyring.seal_with(2)
    await stores.keyring.refresh(stores.vault)


async def resealed_fields(stores: Stores, key: str) -> dict[str, tuple[Any, Any]]:
    """What sealing a session anew would write, from what is read now."""
    document = await stores.database["sessions"].find_one({"_id": key})
    assert document is not None
    values = sealed_values("sessions", document)
    fresh = {v.steps: stores.vault.seal(v.reopened(stores.vault), v.context) for v in values}
    fields = with_values(document, fresh)
    return {name: (document[name], new) for name, new in fields.items()}


@pytest.mark.gen_test(timeout=60)
async def test_a_write_in_between_is_kept(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        sessions = stores.database["sessions"]
        key = await registered(stores)
        await second_key(stores)
        fields = await resealed_fields(stores, key)
        await _grant(stores, key, "e1", NEW_PHONE)
        result = await sessions.update_one({"_id": key}, swap(fields))
        assert result.modified_count == 0
        session = await stores.sessions.get(key)
        assert session is not None and session.phone == NEW_PHONE


@pytest.mark.gen_test(timeout=60)
async def test_without_the_comparison_it_would_be_lost(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        key = await registered(stores)
        await second_key(stores)
        fields = await resealed_fields(stores, key)
        await _grant(stores, key, "e1", NEW_PHONE)
        blind = {"$set": {name: new for name, (_, new) in fields.items()}}
        await stores.database["sessions"].update_one({"_id": key}, blind)
        session = await stores.sessions.get(key)
        assert session is not None and session.phone == PHONE


@pytest.mark.gen_test(timeout=60)
async def test_writers_at_full_speed_lose_nothing(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with alone(engine_urls, mongo_database) as stores:
        key = await registered(stores)
        stop = asyncio.Event()
        written: list[str] = []

        async def write() -> None:
            while not stop.is_set():
                phone = f"139{len(written):08d}"
                await _grant(stores, key, f"e{len(written)}", phone)
                written.append(phone)
                session = await stores.sessions.get(key)
                assert session is not None and session.phone == phone

        writing = asyncio.create_task(write())
        for number in (2, 3, 4):
            done = await rotation(stores).rotate()
            assert done.number == number
        stop.set()
        await writing
        assert len(written) > 10
        document = await stores.database["sessions"].find_one({"_id": key})
        assert document is not None
        numbers = {key_number(v.blob) for v in sealed_values("sessions", document)}
        assert numbers == {4}


@pytest.mark.gen_test(timeout=60)
async def test_a_photo_is_read_while_it_is_sealed_anew(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        photos, chunks = stores.photos, stores.database["photos.chunks"]
        content = os.urandom(12 * PIECE_BYTES + 7)
        photo = await photos.save(_stream(content), matter="1", at=NOW)
        await second_key(stores)

        reading, slow = await photos.open(photo), await photos.open(photo)
        first = await anext(reading)
        assert await photos.reseal(photo) and not await photos.reseal(photo)
        assert await photos.with_former_pieces() == [photo]
        assert first + b"".join([piece async for piece in reading]) == content
        assert await _read(stores, photo) == content
        await photos.drop_former_pieces(photo)
        # Whoever is slower than the wait is told, and given nothing that is wrong.
        with pytest.raises(VaultError):
            await anext(slow)
        assert await _read(stores, photo) == content
        assert await chunks.count_documents({}) == 13
        assert await photos.under_older_keys(2) == []
        await photos.delete(photo)
        assert await chunks.count_documents({}) == 0


@pytest.mark.gen_test(timeout=60)
async def test_a_photo_deleted_meanwhile_leaves_nothing(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        photos, database = stores.photos, stores.database
        await second_key(stores)
        for _ in range(5):
            stores.vault.renew({1: stores.vault.data_keys[1]})
            photo = await photos.save(_stream(os.urandom(900_000)), matter="1", at=NOW)
            await stores.keyring.refresh(stores.vault)
            await asyncio.gather(photos.reseal(photo), photos.delete(photo))
            assert await database["photos.files"].count_documents({}) == 0
            assert await database["photos.chunks"].count_documents({}) == 0


@pytest.mark.gen_test(timeout=60)
async def test_what_does_not_open_is_left_and_named(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with alone(engine_urls, mongo_database) as stores:
        key = await registered(stores)
        torn = {"$set": {"person.name": stores.vault.seal("王", "elsewhere")}}
        await stores.database["sessions"].update_one({"_id": key}, torn)
        done = await rotation(stores).rotate()
        left = done.left["sessions"]
        assert (left.older, left.broken, left.examples) == (0, 1, [f"sessions/{key}"])
