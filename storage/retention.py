"""What has been kept long enough: found by its age in batches, deleted where it still is old.

Each deletion decides inside the document, so that what was touched since it was found stays. Parts
of a session expire, never the session.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from rules.matter import State
from storage.changes import literal
from storage.indexes import EPOCH

_EXPIRES = "talk.expires_at"


@dataclass(frozen=True)
class Aged:
    """Something old: its id, and the time it is old by."""

    id: str
    at: datetime


class Retention:
    """Finds and deletes. Raises pymongo's errors when the engine does not answer."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]]) -> None:
        self._database = database

    # -- matters ------------------------------------------------------------------------------

    async def matters(self, state: State, before: datetime, limit: int) -> list[Aged]:
        """Matters in a state that nothing happened to since ``before``, the oldest first."""
        return await self._matters({"state": state.value}, ("state",), before, limit)

    async def thrown_away(self, before: datetime, limit: int) -> list[Aged]:
        """Drafts thrown away before ``before``: withdrawn, never submitted."""
        wanted = {"state": State.WITHDRAWN.value, "submitted_at": None}
        return await self._matters(wanted, ("state", "submitted_at"), before, limit)

    async def _matters(
        self, wanted: dict[str, Any], order: tuple[str, ...], before: datetime, limit: int
    ) -> list[Aged]:
        age = {"updated_at": {"$gt": EPOCH, "$lte": before}}
        cursor = (
            self._database["matters"]
            .find({**wanted, **age}, {"updated_at": 1})
            .sort([*((name, 1) for name in order), ("updated_at", 1)])
            .limit(limit)
        )
        return [Aged(d["_id"], d["updated_at"]) async for d in cursor]

    async def delete_matter(self, number: str) -> None:
        """Delete a matter's document; its pictures go before it."""
        await self._database["matters"].delete_one({"_id": number})

    # -- parts of sessions --------------------------------------------------------------------

    async def talks(self, now: datetime, limit: int) -> list[Aged]:
        """Citizens' talks that have expired."""
        found = await self._older("sessions", _EXPIRES, now, limit)
        return [Aged(d["_id"], d["talk"]["expires_at"]) for d in found]

    async def forget_talk(self, key: str, now: datetime) -> bool:
        """Forget an expired dialogue and the answers given in it; the turn stays, for the next
        answer is written conditionally on it."""
        expired = {"$lte": ["$talk.expires_at", literal(now)]}
        bare = {"turn": "$talk.turn", "replies": literal([])}
        change = [{"$set": {"talk": {"$cond": [expired, bare, "$talk"]}}}]
        result = await self._database["sessions"].update_one({"_id": key}, change)
        return bool(result.modified_count)

    async def logins(self, now: datetime, limit: int) -> list[Aged]:
        """Accounts with a device whose login has ended."""
        found = await self._older("sessions", "devices.expires_at", now, limit)
        return [Aged(d["_id"], min(x["expires_at"] for x in d["devices"])) for d in found]

    async def forget_logins(self, key: str, now: datetime) -> bool:
        """Forget the devices whose login has ended."""
        lasting = {"$gt": ["$$device.expires_at", literal(now)]}
        kept = {"input": {"$ifNull": ["$devices", []]}, "as": "device", "cond": lasting}
        change = [{"$set": {"devices": {"$filter": kept}}}]
        result = await self._database["sessions"].update_one({"_id": key}, change)
        return bool(result.modified_count)

    # -- what belongs to nobody's account -------------------------------------------------------

    async def visitors(self, before: datetime, limit: int) -> list[Aged]:
        """Visitors whose talk expired before ``before``."""
        found = await self._older("visitors", _EXPIRES, before, limit)
        return [Aged(d["_id"], d["talk"]["expires_at"]) for d in found]

    async def forget_visitor(self, visitor: Aged) -> bool:
        """Forget a visitor, unless he has talked since."""
        result = await self._database["visitors"].delete_one(
            {"_id": visitor.id, _EXPIRES: visitor.at}
        )
        return bool(result.deleted_count)

    async def late_messages(self, before: datetime, limit: int) -> list[Aged]:
        """Messages that came before ``before`` and were never answered."""
        found = await self._older("late_messages", "since", before, limit)
        return [Aged(d["_id"], d["since"]) for d in found]

    async def forget_late_message(self, message: Aged) -> bool:
        """Forget a message."""
        result = await self._database["late_messages"].delete_one({"_id": message.id})
        return bool(result.deleted_count)

    async def mandates(self, before: datetime, limit: int) -> list[Aged]:
        """Mandates that nothing happened to since ``before``."""
        found = await self._older("mandates", "updated_at", before, limit)
        return [Aged(d["_id"], d["updated_at"]) for d in found]

    async def delete_mandate(self, mandate: Aged) -> bool:
        """Delete a mandate, unless the same two people have made another one since."""
        result = await self._database["mandates"].delete_one(
            {"_id": mandate.id, "updated_at": mandate.at}
        )
        return bool(result.deleted_count)

    async def _older(
        self, collection: str, field: str, until: datetime, limit: int
    ) -> list[dict[str, Any]]:
        cursor = (
            self._database[collection]
            .find({field: {"$gt": EPOCH, "$lte": until}}, {field: 1})
            .sort(field, 1)
            .limit(limit)
        )
        return await cursor.to_list(limit)
