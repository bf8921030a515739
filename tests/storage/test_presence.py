"""Who lives and which keys he knows: nobody seals with a key that others cannot open."""

import asyncio
import os
import socket
import subprocess
from datetime import timedelta

import pytest

from storage.engines import EngineUrls
from storage.presence import LEASE, REINDEX, Processes, ReindexUnderWay
from storage.stores import real_time
from storage.vault import Vault, VaultError
from tests.storage.opening import ID_NUMBER, INDEX, opened
from tests.storage.test_rotation import rotation


@pytest.mark.gen_test(timeout=60)
async def test_a_key_seals_only_when_everybody_can_open_it(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with (
        opened(engine_urls, mongo_database) as rotating,
        rotating.presence.kept("keys"),
        opened(engine_urls, mongo_database) as service,
    ):
        # A service that is slow to look: it beats once, and then only when it is told to.
        await service.presence.seen("service")
        turning = asyncio.create_task(rotation(rotating).rotate())
        await asyncio.sleep(1)
        assert not turning.done()
        keys = await rotating.keyring.documents()
        assert [(k["number"], k["sealing"]) for k in keys] == [(1, True), (2, False)]
        assert service.vault.sealing == rotating.vault.sealing == 1
        await service.presence.beat("service")  # it knows the key now
        await asyncio.sleep(1)
        assert not turning.done() and rotating.vault.sealing == 2
        sealed = rotating.vault.seal("先", "a")
        assert service.vault.open_text(sealed, "a") == "先"
        await service.presence.beat("service")  # and seals with it
        assert (await turning).number == 2
        assert service.vault.sealing == 2


@pytest.mark.gen_test(timeout=60)
async def test_without_announcing_a_process_could_not_read(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with (
        opened(engine_urls, mongo_database) as hasty,
        opened(engine_urls, mongo_database) as service,
    ):
        await hasty.keyring.announce(2)
        await hasty.keyring.seal_with(2)
        await hasty.keyring.refresh(hasty.vault)
        with pytest.raises(VaultError, match="没有编号为 2 的数据密钥"):
            service.vault.open_text(hasty.vault.seal("先", "a"), "a")


def test_keys_that_were_not_read_for_long_do_nothing() -> None:
    vault = Vault({1: b"1" * 32}, INDEX)
    sealed = vault.seal("x", "a")
    vault.believe(-1)
    for work in (
        lambda: vault.seal("x", "a"),
        lambda: vault.id_key(ID_NUMBER),
        lambda: vault.file_key(b"s"),
    ):
        with pytest.raises(VaultError, match="太久没有更新"):
            work()
    assert vault.open_text(sealed, "a") == "x"  # reading does no harm
    vault.believe(9)
    assert vault.open_text(vault.seal("y", "a"), "a") == "y"


def _ended_process() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


@pytest.mark.gen_test(timeout=60)
async def test_who_is_alive(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        now = real_time()
        beat = {"kind": "worker", "host": "elsewhere", "pid": 1, "seen_at": now}
        beat |= {"knows": 1, "seals": 1, "master": "m"}
        ended = await asyncio.to_thread(_ended_process)
        await stores.database["processes"].insert_many(
            [
                {"_id": "alive", **beat},
                {"_id": "silent", **beat, "seen_at": now - LEASE - timedelta(seconds=1)},
                {"_id": "forgotten", **beat, "seen_at": now - timedelta(days=2)},
                {"_id": "ended", **beat, "host": socket.gethostname(), "pid": ended},
                {"_id": "ours", **beat, "host": socket.gethostname(), "pid": os.getpid()},
            ]
        )
        processes = Processes(stores.database, real_time)
        assert {b.id for b in await processes.living()} == {"alive", "ours"}
        left = [d["_id"] async for d in stores.database["processes"].find({})]
        assert "forgotten" not in left
        async with stores.presence.kept("service"):
            assert stores.presence.id in {b.id for b in await processes.living()}
        assert stores.presence.id not in {b.id for b in await processes.living()}


@pytest.mark.gen_test(timeout=60)
async def test_nobody_starts_while_indexes_change(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        await stores.database["upkeep"].insert_one({"_id": REINDEX})
        with pytest.raises(ReindexUnderWay):
            async with stores.presence.kept("service"):
                raise AssertionError("it started")
        assert await stores.database["processes"].count_documents({}) == 0
