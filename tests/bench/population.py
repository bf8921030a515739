"""A province for benches: citizens with accounts, loaded in bulk by several processes.

python -m tests.bench.population FIRST COUNT
"""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from stdnum.iso7064 import mod_11_2

from bianmin.settings import Settings
from storage.engines import EngineUrls
from storage.session_documents import NewSession
from storage.stores import Stores, open_stores

_CHUNK = 2000
_ORDERS = 900
_BIRTH = date(1950, 1, 1)
_FAMILY = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"


@dataclass(frozen=True)
class Person:
    """A citizen as the registry knows him; the same number gives the same one."""

    id_number: str
    name: str
    phone: str


def person(number: int) -> Person:
    """One of eighteen million."""
    born = _BIRTH + timedelta(days=number // _ORDERS)
    body = f"410105{born:%Y%m%d}{100 + number % _ORDERS}"
    name = _FAMILY[number % 20] + "测" + _FAMILY[number // 20 % 20]
    return Person(body + mod_11_2.calc_check_digit(body), name, f"13{number:09d}")


async def load(env: Mapping[str, str], count: int) -> None:
    """Store so many citizens, registered and known to the population registry. Raises
    RuntimeError when a process fails."""
    workers = os.cpu_count() or 1
    share = -(-count // workers)
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.population",
            str(first), str(min(share, count - first)), env={**os.environ, **env},
        )
        for first in range(0, count, share)
    ]  # fmt: skip
    if any([await p.wait() for p in processes]):
        raise RuntimeError("the citizens were not loaded")


async def _load(stores: Stores, first: int, count: int) -> None:
    vault, sessions = stores.vault, stores.database["sessions"]
    now = datetime.now(UTC)
    for start in range(first, first + count, _CHUNK):
        people = [person(n) for n in range(start, min(start + _CHUNK, first + count))]
        documents = [
            stores.sessions.document_of(
                NewSession(vault.id_key(p.id_number), p.id_number, p.name, p.phone, now, "bench")
            )
            for p in people
        ]
        await sessions.insert_many(documents, ordered=False)
        rows = [{"id_number": p.id_number, "name": p.name} for p in people]
        await stores.registry.upsert_population(rows)


async def _main(first: int, count: int) -> None:
    settings = Settings(_env_file=None)  # type: ignore[call-arg]  # pydantic-settings' own
    urls = EngineUrls(settings.mongo_url.get_secret_value(), settings.redis_url.get_secret_value())
    stores = await open_stores(
        urls.mongo_url,
        urls.redis_url,
        settings.mongo_database,
        settings.master_key_bytes(),
        settings.index_key_bytes(),
    )
    try:
        await _load(stores, first, count)
    finally:
        await stores.close()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2])))
