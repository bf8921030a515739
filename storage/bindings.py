"""The collection ``wechat_bindings``: which citizen a WeChat account speaks for.

``_id`` is the blind index of appid and openid, so one account is bound to one person at most.
"""

from datetime import datetime
from typing import Any

from cachetools import LRUCache
from pymongo.asynchronous.collection import AsyncCollection

_REMEMBERED = 100_000


class Bindings:
    """Reads and writes bindings."""

    def __init__(self, collection: AsyncCollection[dict[str, Any]]) -> None:
        self._bindings = collection
        self._seen: LRUCache[str, str] = LRUCache(_REMEMBERED)

    async def bind(self, openid_key: str, app: str, session: str, at: datetime) -> None:
        """Bind the account to a person, in place of whom it spoke for before."""
        change = {"$set": {"app": app, "session": session, "bound_at": at}}
        await self._bindings.update_one({"_id": openid_key}, change, upsert=True)

    async def session_of(self, openid_key: str) -> str | None:
        """The ID-number key of the person the account speaks for."""
        found = await self._bindings.find_one({"_id": openid_key})
        if found is None:
            self._seen.pop(openid_key, None)
            return None
        self._seen[openid_key] = str(found["session"])
        return str(found["session"])

    def last_seen(self, openid_key: str) -> str | None:
        """Whom the account spoke for when this process last looked. Another process may have
        changed it: believe it only if the person's session still names the account."""
        return self._seen.get(openid_key)

    async def unbind_as_of(self, openid_key: str, bound_at: datetime) -> None:
        """The account speaks for nobody any more, unless it was bound anew since."""
        await self._bindings.delete_one({"_id": openid_key, "bound_at": bound_at})

    async def unbind(self, openid_key: str) -> None:
        """The account speaks for nobody any more."""
        await self._bindings.delete_one({"_id": openid_key})
