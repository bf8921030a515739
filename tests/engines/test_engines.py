"""The embedded engines: started, guarded by a password, restarted, stopped, found again."""

import asyncio
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure
from redis.asyncio import Redis

from bianmin.engines import engines
from bianmin.errors import EngineError
from storage.engines import EngineNotReady, EngineUrls, mongo, redis
from storage.engines.redis import MAX_SOCKET_BYTES, socket_path
from tests.support.engines import engine_process, settings_for
from tests.support.processes import kill

PATIENCE_SECONDS = 20
PROGRAMS = {"secantusd-rs", "valkey-server"}


@asynccontextmanager
async def clients(
    urls: EngineUrls,
) -> AsyncIterator[tuple[AsyncMongoClient[dict[str, int]], Redis]]:
    """One client of each engine."""
    memory = Redis.from_url(urls.redis_url)
    async with AsyncMongoClient[dict[str, int]](urls.mongo_url) as client:
        try:
            yield client, memory
        finally:
            await memory.aclose()


def own_engines() -> dict[str, int]:
    """Process ids of the engines this very process started, by program."""
    # The engines shared by all tests are grandchildren.
    started = {child.name(): child.pid for child in psutil.Process().children()}
    return {name: pid for name, pid in started.items() if name in PROGRAMS}


async def until_ready(url: str) -> None:
    """Wait until the document engine answers again."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                await mongo.ping(url)
            except EngineNotReady:
                await asyncio.sleep(0.1)
            else:
                return


def test_both_answer_a_real_command(engine_urls: EngineUrls) -> None:
    async def ask() -> None:
        assert await mongo.ping(engine_urls.mongo_url)
        assert (await redis.ping(engine_urls.redis_url)).startswith("valkey")

    asyncio.run(ask())


def test_without_the_password_nothing_is_read_or_written(engine_urls: EngineUrls) -> None:
    host = engine_urls.mongo_url.partition("@")[2].partition("/")[0]

    async def without_login() -> None:
        async with AsyncMongoClient[dict[str, int]](f"mongodb://{host}/") as client:
            with pytest.raises(OperationFailure, match="requires authentication"):
                await client.test.things.find_one({})
            with pytest.raises(OperationFailure, match="requires authentication"):
                await client.test.things.insert_one({"a": 1})
            with pytest.raises(OperationFailure, match="requires authentication"):
                await client.admin.command("createUser", "thief", pwd="x", roles=["root"])

    async def with_wrong_password() -> None:
        # Once only: the driver waits 10 seconds before it tries a second time.
        async with AsyncMongoClient[dict[str, int]](f"mongodb://bianmin:wrong@{host}/") as client:
            with pytest.raises(OperationFailure, match="authentication failed"):
                await client.test.things.find_one({})

    asyncio.run(without_login())
    asyncio.run(with_wrong_password())


def test_passwords_and_sockets_are_for_this_user_only(tmp_path: Path) -> None:
    async def look() -> None:
        async with engines(settings_for(tmp_path)):
            for name in ("mongo/credentials.json", "engines.json", "redis/redis.sock"):
                mode = stat.S_IMODE((tmp_path / name).stat().st_mode)
                assert mode == 0o600, name

    asyncio.run(look())


def test_a_killed_engine_comes_back_at_the_same_address_with_its_data(tmp_path: Path) -> None:
    told: list[str] = []

    async def story() -> None:
        async with (
            engines(settings_for(tmp_path), tell=told.append) as urls,
            clients(urls) as (client, memory),
        ):
            await client.test.things.insert_one({"_id": 1, "value": 42})
            await memory.set("kept", "yes")
            await asyncio.sleep(1.2)  # appendfsync everysec: only older writes survive a power cut
            before = own_engines()
            for pid in before.values():
                kill(pid)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while sum("runs again" in line for line in told) < len(before):
                    await asyncio.sleep(0.05)
            await until_ready(urls.mongo_url)
            after = own_engines()
            assert set(after) == set(before)
            assert not set(after.values()) & set(before.values())
            assert await client.test.things.find_one({"_id": 1}) == {"_id": 1, "value": 42}
            assert await memory.get("kept") == b"yes"

    asyncio.run(story())
    assert [line for line in told if "code -9" in line]


def test_a_second_start_finds_the_data_of_the_first(tmp_path: Path) -> None:
    async def first() -> EngineUrls:
        async with engines(settings_for(tmp_path)) as urls, clients(urls) as (client, memory):
            await client.test.things.insert_one({"_id": 1, "value": 7})
            await memory.set("kept", "yes")
        assert own_engines() == {}
        return urls

    async def second() -> EngineUrls:
        async with engines(settings_for(tmp_path)) as urls, clients(urls) as (client, memory):
            assert await client.test.things.find_one({"_id": 1}) == {"_id": 1, "value": 7}
            assert await memory.get("kept") == b"yes"
        return urls

    assert asyncio.run(first()) == asyncio.run(second())


def test_engines_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    with engine_process(tmp_path) as running:
        parent = psutil.Process(running.process.pid)
        children = parent.children(recursive=True)
        assert {child.name() for child in children} == PROGRAMS
        parent.kill()
        assert psutil.wait_procs(children, PATIENCE_SECONDS)[1] == []

    async def again() -> None:
        # The lock the dead process held is free, and so is the folder.
        async with engines(settings_for(tmp_path)) as urls:
            await mongo.ping(urls.mongo_url)

    asyncio.run(again())


def test_a_taken_port_is_chosen_anew(tmp_path: Path) -> None:
    async def story() -> None:
        async with engines(settings_for(tmp_path)) as urls:
            pass
        port = int((tmp_path / "mongo" / "port").read_text())
        thief = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", port)
        async with thief, engines(settings_for(tmp_path)) as moved:
            assert moved.mongo_url != urls.mongo_url
            await mongo.ping(moved.mongo_url)

    asyncio.run(story())


def test_a_long_data_folder_still_gets_a_socket(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)

    async def story() -> None:
        async with engines(settings_for(folder)) as urls, clients(urls) as (_, memory):
            path = urls.redis_url.removeprefix("unix://")
            assert len(path.encode()) <= MAX_SOCKET_BYTES
            assert not path.startswith(str(tmp_path))
            assert await memory.ping()

    asyncio.run(story())
    socket_path(folder / "redis").parent.rmdir()


def test_a_socket_folder_open_to_others_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    place = socket_path(folder).parent
    place.chmod(0o755)
    with pytest.raises(PermissionError, match="private folder"):
        socket_path(folder)
    place.rmdir()


def test_a_second_command_uses_the_engines_of_the_first(tmp_path: Path) -> None:
    with engine_process(tmp_path) as running:

        async def share() -> None:
            async with engines(settings_for(tmp_path)) as urls:
                assert urls == running.urls
                assert len(psutil.Process(running.process.pid).children()) == 2
                assert own_engines() == {}
                await mongo.ping(urls.mongo_url)

        asyncio.run(share())
        asyncio.run(share())


def test_who_must_own_the_engines_says_who_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bianmin.engines.WAIT_SECONDS", 0.3)
    with engine_process(tmp_path) as running:

        async def insist() -> None:
            async with engines(settings_for(tmp_path), own=True):
                raise AssertionError("two owners")

        with pytest.raises(EngineError, match=f"process {running.process.pid}"):
            asyncio.run(insist())


def test_servers_named_by_url_are_used_and_nothing_is_started(
    engine_urls: EngineUrls, tmp_path: Path
) -> None:
    async def story() -> None:
        settings = settings_for(
            tmp_path, mongo_url=engine_urls.mongo_url, redis_url=engine_urls.redis_url
        )
        async with engines(settings) as urls:
            assert urls == engine_urls
        assert list(tmp_path.iterdir()) == []

    asyncio.run(story())


def test_a_named_server_that_does_not_answer_is_an_error_without_its_password(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        settings = settings_for(
            tmp_path,
            mongo_url="mongodb://me:hush@127.0.0.1:9/?serverSelectionTimeoutMS=300",
            redis_url="redis://127.0.0.1:9",
        )
        async with engines(settings):
            raise AssertionError("nobody listens there")

    with pytest.raises(EngineError, match="BIANMIN_MONGO_URL does not answer") as caught:
        asyncio.run(story())
    assert "hush" not in str(caught.value)
