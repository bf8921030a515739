"""Everything that is kept, opened once a process: MongoDB, Redis and the keys."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError
from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from storage.access_log import AccessLog
from storage.claims import Claims
from storage.closing import Closings
from storage.consents import Consents
from storage.conversations import Conversations
from storage.exam_sites import ExamSites
from storage.exams import ExamPlans
from storage.indexes import ensure_indexes
from storage.keyring import Keyring, open_vault
from storage.logins import Logins
from storage.mandates import Mandates
from storage.matters import Matters
from storage.memory import Memory
from storage.officers import Officers
from storage.photos import Photos
from storage.places import PlaceStore
from storage.presence import Presence
from storage.registry import Registry
from storage.retention import Retention
from storage.school_batches import SchoolBatches
from storage.sessions import Sessions
from storage.tiers import Tiers
from storage.vault import Vault
from storage.wechat_accounts import WechatAccounts
from storage.wechat_bindings import WechatBindings

_ANSWER_SECONDS = 20
_FIND_SECONDS = 10

_CONNECTIONS, _CONNECTION_WAIT = 64, 20.0
"""Of a process to Redis, and the seconds a request waits for one."""


class StorageUnavailable(Exception):
    """MongoDB or Redis does not answer at its address."""


@dataclass(frozen=True)
class Stores:
    """One attribute per thing kept. Close it when done."""

    vault: Vault
    keyring: Keyring
    presence: Presence
    sessions: Sessions
    logins: Logins
    consents: Consents
    closings: Closings
    wechat_accounts: WechatAccounts
    retention: Retention
    wechat_bindings: WechatBindings
    conversations: Conversations
    matters: Matters
    enrolments: Claims
    live_bookings: Claims
    exam_plans: ExamPlans
    exam_places: PlaceStore
    exam_sites: ExamSites
    tiers: Tiers
    mandates: Mandates
    registry: Registry
    officers: Officers
    access_log: AccessLog
    photos: Photos
    school_files: Photos
    school_batches: SchoolBatches
    memory: Memory
    database: AsyncDatabase[dict[str, Any]]
    redis: Redis

    async def ping(self) -> bool:
        """Whether both engines answer a real command."""
        try:
            await self.database.command("ping")
            await self.redis.ping()
        except (PyMongoError, RedisError, OSError):
            return False
        return True

    async def close(self) -> None:
        """Close every connection."""
        await self.redis.aclose()
        await self.database.client.close()


def real_time() -> datetime:
    """What processes are seen alive by: never the house's clock, which a test may shift."""
    return datetime.now(UTC)


def _client(mongo_url: str) -> AsyncMongoClient[dict[str, Any]]:
    return AsyncMongoClient(
        mongo_url,
        tz_aware=True,
        appname="bianmin",
        w="majority",
        socketTimeoutMS=_ANSWER_SECONDS * 1000,
        serverSelectionTimeoutMS=_FIND_SECONDS * 1000,
    )


@asynccontextmanager
async def database_alone(
    mongo_url: str, database: str
) -> AsyncIterator[AsyncDatabase[dict[str, Any]]]:
    """The database without keys, for what works on the keys themselves."""
    client = _client(mongo_url)
    try:
        yield client[database]
    finally:
        await client.close()


async def open_stores(
    mongo_url: str, redis_url: str, database: str, master_key: bytes, index_key: bytes
) -> Stores:
    """Connect, check the keys and make missing indexes.

    Raises StorageUnavailable when an engine does not answer, VaultError when a key does not fit
    the data.
    """
    client = _client(mongo_url)
    # In a rush more ask at once than there are connections: they wait for one.
    pool = BlockingConnectionPool.from_url(
        redis_url, max_connections=_CONNECTIONS, timeout=_CONNECTION_WAIT, health_check_interval=30
    )
    redis: Redis = Redis.from_pool(pool)
    db = client[database]
    try:
        await redis.ping()
        # Indexes first: made while collections are empty, and before anything is written.
        await ensure_indexes(db)
        vault = await open_vault(db["keys"], master_key, index_key)
    except PyMongoError as error:
        await _close(client, redis)
        raise StorageUnavailable(f"MongoDB 没有响应：{type(error).__name__}") from error
    except (RedisError, OSError) as error:
        await _close(client, redis)
        raise StorageUnavailable(f"Redis 没有响应：{type(error).__name__}") from error
    except BaseException:
        await _close(client, redis)
        raise
    keyring = Keyring(db["keys"], master_key, index_key)
    sessions = Sessions(db["sessions"], vault)
    return Stores(
        vault=vault,
        keyring=keyring,
        presence=Presence(db, keyring, vault, real_time),
        sessions=sessions,
        logins=Logins(db["sessions"], vault),
        consents=Consents(db["sessions"]),
        closings=Closings(db["sessions"], vault),
        wechat_accounts=WechatAccounts(db["sessions"], vault),
        retention=Retention(db),
        wechat_bindings=WechatBindings(db["wechat_bindings"]),
        conversations=Conversations(db, vault, sessions),
        matters=Matters(db["matters"], vault),
        enrolments=Claims(db["enrolments"]),
        live_bookings=Claims(db["live_bookings"]),
        exam_plans=ExamPlans(db["exam_plans"]),
        exam_places=PlaceStore(db["exam_plans"]),
        exam_sites=ExamSites(db["registry_sites"]),
        tiers=Tiers(db["sessions"], vault),
        mandates=Mandates(db["mandates"], vault),
        registry=Registry(db, vault),
        officers=Officers(db["officers"], vault),
        access_log=AccessLog(db, vault),
        photos=Photos(db, vault),
        school_files=Photos(db, vault, "school"),
        school_batches=SchoolBatches(db["school_batches"], vault),
        memory=Memory(redis, vault, database),
        database=db,
        redis=redis,
    )


async def _close(client: AsyncMongoClient[dict[str, Any]], redis: Redis) -> None:
    await redis.aclose()
    await client.close()
