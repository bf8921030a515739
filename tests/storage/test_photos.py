"""Photos: any size comes back the same, what is changed, swapped or cut short does not."""

import os
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from storage.engines import EngineUrls
from storage.photos import PhotoMissing
from storage.pieces import PIECE_BYTES
from storage.stores import Stores
from storage.vault import VaultError
from tests.storage.opening import NOW, opened

SIZES = (0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES + 7)


async def _stream(content: bytes, step: int = 70_001) -> AsyncIterator[bytes]:
    for start in range(0, len(content), step):
        yield content[start : start + step]


async def _read(stores: Stores, photo_id: str) -> bytes:
    return b"".join([piece async for piece in await stores.photos.open(photo_id)])


@pytest.mark.gen_test(timeout=60)
async def test_every_size_comes_back(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        for size in SIZES:
            content = os.urandom(size)
            photo_id = await stores.photos.save(_stream(content), matter="1", at=NOW)
            assert await _read(stores, photo_id) == content
            stored = stores.database["photos.chunks"].find({"files_id": photo_id})
            assert size < 32 or not any([content[:32] in c["data"] async for c in stored])


@pytest.mark.gen_test(timeout=60)
async def test_tampering_is_noticed(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        chunks, files = stores.database["photos.chunks"], stores.database["photos.files"]
        content = os.urandom(3 * PIECE_BYTES)

        async def fresh() -> str:
            return await stores.photos.save(_stream(content), matter="1", at=NOW)

        changed = await fresh()
        await chunks.update_one({"files_id": changed, "n": 1}, {"$set": {"data": b"x" * 262160}})
        cut = await fresh()
        await chunks.delete_one({"files_id": cut, "n": 2})
        cut_well = await fresh()
        await chunks.delete_one({"files_id": cut_well, "n": 2})
        length = 2 * (PIECE_BYTES + 16)
        await files.update_one({"_id": cut_well}, {"$set": {"length": length}})
        swapped = await fresh()
        first = await chunks.find_one({"files_id": swapped, "n": 0})
        assert first is not None
        again = {"$set": {"data": first["data"]}}
        await chunks.update_one({"files_id": swapped, "n": 1}, again)
        for photo_id in (changed, cut, cut_well, swapped):
            with pytest.raises(VaultError):
                await _read(stores, photo_id)


@pytest.mark.gen_test(timeout=60)
async def test_an_upload_that_breaks_off_leaves_nothing(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield os.urandom(2 * PIECE_BYTES)
        raise ConnectionError

    async with opened(engine_urls, mongo_database) as stores:
        with pytest.raises(ConnectionError):
            await stores.photos.save(breaking(), matter="1", at=NOW)
        assert await stores.database["photos.files"].count_documents({}) == 0
        assert await stores.database["photos.chunks"].count_documents({}) == 0


@pytest.mark.gen_test(timeout=60)
async def test_unconfirmed_photos_are_found_until_confirmed_or_deleted(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        photos = stores.photos
        ids = [
            await photos.save(_stream(b"x"), matter=f"m{i}", at=NOW + timedelta(hours=i))
            for i in range(4)
        ]
        found = await photos.unconfirmed(NOW + timedelta(hours=2), 10)
        assert [(u.id, u.matter) for u in found] == list(
            zip(ids[:3], ("m0", "m1", "m2"), strict=True)
        )
        await photos.confirm(ids[0])
        await photos.delete(ids[1])
        await photos.delete(ids[1])
        assert [u.id for u in await photos.unconfirmed(NOW + timedelta(hours=9), 10)] == ids[2:]
        assert await _read(stores, ids[0]) == b"x"
        with pytest.raises(PhotoMissing):
            await photos.open(ids[1])
