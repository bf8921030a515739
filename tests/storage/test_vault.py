"""Keys, sealing, blind indexes: what opens, what does not, and who agrees on the first key."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymongo import AsyncMongoClient

from storage.engines import EngineUrls
from storage.keyring import add_data_key, open_vault
from storage.stores import open_stores
from storage.vault import Vault, VaultError
from tests.storage.opening import ID_NUMBER, INDEX, MASTER, opened

VAULT = Vault({1: b"1" * 32, 2: b"2" * 32}, INDEX)


@given(st.text(), st.text(max_size=40))
def test_what_is_sealed_opens_in_its_place(text: str, context: str) -> None:
    sealed = VAULT.seal(text, context)
    assert VAULT.open_text(sealed, context) == text
    assert VAULT.seal(text, context) != sealed


def test_a_mapping_is_kept_as_json() -> None:
    assert VAULT.open_json(VAULT.seal({"姓名": ["甲"]}, "a"), "a") == {"姓名": ["甲"]}


def test_a_moved_value_does_not_open() -> None:
    with pytest.raises(VaultError):
        VAULT.open_text(VAULT.seal("x", "sessions/a/name"), "sessions/b/name")


def test_a_changed_or_cut_value_does_not_open() -> None:
    sealed = VAULT.seal("13900010001", "a")
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(VaultError):
            VAULT.open_text(changed, "a")
        with pytest.raises(VaultError):
            VAULT.open_text(sealed[:at], "a")


def test_an_older_key_opens_and_the_newest_seals() -> None:
    old = Vault({1: b"1" * 32}, INDEX).seal("x", "a")
    assert VAULT.open_text(old, "a") == "x"
    with pytest.raises(VaultError):
        Vault({1: b"1" * 32}, INDEX).open_text(VAULT.seal("x", "a"), "a")


def test_indexes_are_blind_and_apart() -> None:
    key = VAULT.id_key(ID_NUMBER)
    assert len(key) == 43 and ID_NUMBER not in key and key == VAULT.id_key(ID_NUMBER)
    assert key != VAULT.index("phone", ID_NUMBER)
    assert key != Vault({1: b"1" * 32}, b"j" * 32).id_key(ID_NUMBER)
    assert VAULT.openid_key("wx1", "o") != VAULT.openid_key("wx2", "o")


@pytest.mark.gen_test(timeout=30)
async def test_processes_that_start_together_agree_on_the_first_key(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(engine_urls.mongo_url)
    async with client:
        keys = client[mongo_database]["keys"]
        vaults = await asyncio.gather(*(open_vault(keys, MASTER, INDEX) for _ in range(8)))
        sealed = [v.seal("同", "a") for v in vaults]
        assert all(v.open_text(s, "a") == "同" for v in vaults for s in sealed)
        assert await keys.count_documents({}) == 1


@pytest.mark.gen_test(timeout=30)
async def test_a_second_data_key_takes_over(engine_urls: EngineUrls, mongo_database: str) -> None:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(engine_urls.mongo_url)
    async with client:
        keys = client[mongo_database]["keys"]
        before = await open_vault(keys, MASTER, INDEX)
        sealed = before.seal("旧", "a")
        assert await add_data_key(keys, MASTER, INDEX, 2)
        assert not await add_data_key(keys, MASTER, INDEX, 2)
        after = await open_vault(keys, MASTER, INDEX)
        assert after.open_text(sealed, "a") == "旧"
        with pytest.raises(VaultError):
            before.open_text(after.seal("新", "a"), "a")


@pytest.mark.gen_test(timeout=30)
async def test_a_wrong_key_stops_the_start(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database):
        pass
    for master, index, word in (
        (b"x" * 32, INDEX, "主密钥与数据不符"),
        (MASTER, b"x" * 32, "索引密钥与数据不符"),
        (b"short", INDEX, "BIANMIN_MASTER_KEY"),
    ):
        with pytest.raises(VaultError, match=word):
            await open_stores(
                engine_urls.mongo_url, engine_urls.redis_url, mongo_database, master, index
            )
