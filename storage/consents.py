"""The parts ``consents`` and ``privacy`` of a session: what the citizen agreed to.

A tap on a subscribe message is good for one message; the notice of what is held is agreed to by
version.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection

from storage.changes import literal, merged, once, part

_CAUSES = 20
_AGREEMENTS = 10


@dataclass(frozen=True)
class Agreement:
    """A version of the privacy notice agreed to, and by which channel."""

    version: str
    at: datetime
    channel: str


class Consents:
    """Reads and writes consents."""

    def __init__(self, collection: AsyncCollection[dict[str, Any]]) -> None:
        self._sessions = collection

    async def add_consent(self, key: str, template: str, cause: str) -> None:
        """Count one more consent; the same tap counts once."""
        more = {"$add": [{"$ifNull": [f"$consents.{part(template)}", 0]}, 1]}
        changes = {"consents": merged("consents", {template: more})}
        await self._sessions.update_one({"_id": key}, once(cause, _CAUSES, changes, marks="causes"))

    async def agree(self, key: str, version: str, at: datetime, channel: str) -> bool:
        """Note that the person agreed to a version of the privacy notice; False when it is the one
        agreed to last."""
        held = {"$ifNull": ["$privacy", []]}
        more = {"version": version, "at": at, "channel": channel}
        longer = {"$slice": [{"$concatArrays": [held, [literal(more)]]}, -_AGREEMENTS]}
        last = {"last": {"$arrayElemAt": [held, -1]}}
        again = {"$let": {"vars": last, "in": {"$eq": ["$$last.version", literal(version)]}}}
        change = [{"$set": {"privacy": {"$cond": [again, "$privacy", longer]}}}]
        result = await self._sessions.update_one({"_id": key}, change)
        return bool(result.modified_count)

    async def use_consent(self, key: str, template: str) -> bool:
        """Use one consent up; False when none is left."""
        left = f"$consents.{part(template)}"
        fewer = {"$cond": [{"$gt": [left, 0]}, {"$subtract": [left, 1]}, left]}
        result = await self._sessions.update_one(
            {"_id": key}, [{"$set": {f"consents.{template}": fewer}}]
        )
        return bool(result.modified_count)

    async def return_consent(self, key: str, template: str) -> None:
        """Give back a consent that was not used up after all."""
        await self._sessions.update_one({"_id": key}, {"$inc": {f"consents.{part(template)}": 1}})
