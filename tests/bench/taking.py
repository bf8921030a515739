"""The floor of ``booking-rush``: nothing but the conditional update that sells a seat.

python -m tests.bench.taking MONGO DATABASE COUNT LOOPS PLAN…; a line on standard input starts
it, a line on standard output says how many seats it got.
"""

import asyncio
import random
import secrets
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from pymongo import AsyncMongoClient

from storage.places import PlaceStore

COLLECTION = "floor_plans"


async def main(mongo: str, database: str, count: int, loops: int, plans: list[str]) -> None:
    """Make ``count`` updates of plans taken at random, ``loops`` of them in flight."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongo, tz_aware=True, w="majority")
    places, sold = PlaceStore(client[database][COLLECTION]), 0
    wishes = iter([random.choice(plans) for _ in range(count)])

    async def loop(wanted: Iterator[str]) -> None:
        nonlocal sold
        for plan in wanted:
            taken = await places.take(plan, secrets.token_hex(6), datetime.now(UTC))
            sold += taken

    await client.admin.command("ping")
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await asyncio.gather(*(loop(wishes) for _ in range(loops)))
    print(sold, flush=True)
    await client.close()


if __name__ == "__main__":
    _, mongo_url, name, updates, in_flight, *codes = sys.argv
    asyncio.run(main(mongo_url, name, int(updates), int(in_flight), codes))
