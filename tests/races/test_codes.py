"""An SMS code serves one claim: repeated by it for a while, worth nothing to any other."""

import asyncio

import pytest

from storage.engines import EngineUrls
from tests.storage.opening import opened


@pytest.mark.gen_test(timeout=30)
async def test_the_claim_that_used_a_code_may_repeat_it(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        check = stores.memory.check_code
        await stores.memory.put_code("k", "123456", 60)
        mine = await asyncio.gather(
            *(check("k", "123456", 5, claim="me", again=60) for _ in range(20))
        )
        assert mine == ["ok"] * 20
        assert await check("k", "123456", 5, claim="another", again=60) == "expired"
        assert await check("k", "123456", 5, claim="me", again=60) == "ok"


@pytest.mark.gen_test(timeout=30)
async def test_a_used_code_is_not_guessed(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        check = stores.memory.check_code
        await stores.memory.put_code("k", "123456", 60)
        assert await check("k", "123456", 5, claim="me", again=60) == "ok"
        guesses = [await check("k", f"{n}", 5, claim="me", again=60) for n in range(8)]
        assert guesses == ["expired"] * 4 + ["too_many"] * 4
        assert await check("k", "123456", 5, claim="me", again=60) == "too_many"


@pytest.mark.gen_test(timeout=30)
async def test_the_repetition_ends(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        check = stores.memory.check_code
        await stores.memory.put_code("k", "123456", 60)
        assert await check("k", "123456", 5, claim="me", again=1) == "ok"
        await asyncio.sleep(1.2)
        assert await check("k", "123456", 5, claim="me", again=1) == "expired"
