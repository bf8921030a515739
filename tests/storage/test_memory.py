"""What Redis keeps: codes, limits, logins, whose turn it is, wake-up calls, shared tokens."""

import asyncio
import time
from contextlib import AsyncExitStack

import pytest

from storage.engines import EngineUrls
from tests.storage.opening import ID_NUMBER, PHONE, opened


@pytest.mark.gen_test(timeout=30)
async def test_a_code_serves_once(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        memory = stores.memory
        assert await memory.check_code("k", "123456", 5) == "expired"
        await memory.put_code("k", "123456", 60)
        assert await memory.check_code("k", "000000", 5) == "wrong"
        answers = await asyncio.gather(*(memory.check_code("k", "123456", 50) for _ in range(10)))
        assert sorted(answers) == ["expired"] * 9 + ["ok"]


@pytest.mark.gen_test(timeout=30)
async def test_guessing_ends_a_code(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        memory = stores.memory
        await memory.put_code("k", "123456", 60)
        tried = await asyncio.gather(*(memory.check_code("k", f"{i}", 3) for i in range(20)))
        assert sorted(tried) == ["too_many"] * 17 + ["wrong"] * 3
        assert await memory.check_code("k", "123456", 3) == "too_many"
        await memory.put_code("k", "654321", 60)
        assert await memory.check_code("k", "123456", 3) == "wrong"
        assert await memory.check_code("k", "654321", 3) == "ok"


@pytest.mark.gen_test(timeout=30)
async def test_a_code_expires(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        await stores.memory.put_code("k", "123456", 1)
        await asyncio.sleep(1.1)
        assert await stores.memory.check_code("k", "123456", 3) == "expired"


@pytest.mark.gen_test(timeout=30)
async def test_a_limit_holds_over_processes(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with (
        opened(engine_urls, mongo_database) as one,
        opened(engine_urls, mongo_database) as two,
    ):
        hits = await asyncio.gather(
            *(s.memory.hit("a", 7, 2) for s in (one, two) for _ in range(20))
        )
        assert sum(hits) == 7
        assert await one.memory.hit("b", 1, 60)
        await asyncio.sleep(2.1)
        assert await two.memory.hit("a", 7, 2)


@pytest.mark.gen_test(timeout=30)
async def test_desk_logins_are_remembered_and_dropped(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        memory = stores.memory
        await memory.put_desk_session("s", "li", 2)
        for _ in range(3):
            await asyncio.sleep(0.8)
            assert await memory.get_desk_session("s", 2) == "li"
        await asyncio.sleep(2.1)
        assert await memory.get_desk_session("s", 2) is None
        await memory.put_desk_session("s", "li", 60)
        await memory.drop_desk_session("s")
        assert await memory.get_desk_session("s", 60) is None


@pytest.mark.gen_test(timeout=30)
async def test_messages_of_a_person_go_in_order_of_arrival(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with (
        opened(engine_urls, mongo_database) as one,
        opened(engine_urls, mongo_database) as two,
    ):
        assert await one.memory.take_place("p", "m1")
        assert await one.memory.take_place("p", "m1")
        # A retry at another process stands behind its first attempt.
        assert not await two.memory.take_place("p", "m1")
        assert not await one.memory.take_place("p", "m2")
        assert await two.memory.take_place("other", "m9")
        await one.memory.leave_place("p", "m1")
        assert not await one.memory.take_place("p", "m2")
        assert await two.memory.take_place("p", "m1")
        await two.memory.leave_place("p", "m1")
        assert await one.memory.take_place("p", "m2")


@pytest.mark.gen_test(timeout=30)
async def test_who_no_longer_asks_loses_his_place(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        memory = stores.memory
        assert await memory.take_place("p", "m1")
        assert not await memory.take_place("p", "gone")
        await memory.leave_place("p", "m1")
        assert not await memory.take_place("p", "m3")
        for _ in range(12):
            await asyncio.sleep(0.2)
            turn = await memory.take_place("p", "m3")
        assert turn


@pytest.mark.gen_test(timeout=30)
async def test_a_waiting_worker_is_woken(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with (
        opened(engine_urls, mongo_database) as one,
        opened(engine_urls, mongo_database) as two,
    ):
        began = time.monotonic()
        waiting = asyncio.ensure_future(one.memory.wait("notices", 3))
        await asyncio.sleep(0.2)
        await two.memory.wake("notices")
        assert await waiting and time.monotonic() - began < 2
        assert not await one.memory.wait("notices", 0.2)


@pytest.mark.gen_test(timeout=60)
async def test_one_holds_a_lock_and_a_dead_holder_loses_it(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with AsyncExitStack() as stack:
        houses = [
            await stack.enter_async_context(opened(engine_urls, mongo_database)) for _ in range(3)
        ]
        inside = most = 0

        async def work(index: int) -> None:
            nonlocal inside, most
            async with houses[index % 3].memory.tokens.lock("wx", 10):
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0.01)
                inside -= 1

        await asyncio.gather(*(work(i) for i in range(12)))
        assert most == 1
        async with houses[0].memory.lock("a", 0.3):
            await asyncio.sleep(0.4)
            async with houses[1].memory.lock("a", 10):
                pass


@pytest.mark.gen_test(timeout=30)
async def test_a_token_is_shared_until_its_end(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with (
        opened(engine_urls, mongo_database) as one,
        opened(engine_urls, mongo_database) as two,
    ):
        assert await one.memory.tokens.get("wx") is None
        end = time.time() + 1.5
        await one.memory.tokens.put("wx", "token-secret", end)
        assert await two.memory.tokens.get("wx") == ("token-secret", end)
        await asyncio.sleep(1.7)
        assert await two.memory.tokens.get("wx") is None


@pytest.mark.gen_test(timeout=30)
async def test_nothing_personal_or_secret_lies_in_redis(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        memory = stores.memory
        await memory.put_code(f"{ID_NUMBER}:{PHONE}", "987654", 60)
        await memory.hit(f"code:{PHONE}", 1, 60)
        await memory.take_place("o-openid", "o-openid:17")
        await memory.tokens.put("wx", "token-secret", time.time() + 60)
        await memory.put_desk_session("desk-secret", "li", 60)
        held = b""
        async for name in stores.redis.scan_iter(f"{mongo_database}:*"):
            held += name + (await stores.redis.dump(name) or b"")
        assert held
        for secret in (ID_NUMBER, PHONE, "987654", "o-openid", "token-secret", "desk-secret"):
            assert secret.encode() not in held


@pytest.mark.gen_test(timeout=60)
async def test_a_thousand_at_once_are_all_answered(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    """More than there are connections: whoever finds none waits for one."""
    async with opened(engine_urls, mongo_database) as stores:
        asked = (stores.memory.hit(f"rush-{n}", 1, 60) for n in range(1_000))
        assert await asyncio.gather(*asked) == [True] * 1_000
