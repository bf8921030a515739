"""The collection ``mandates``: one document a pair of principal and agent, its timeline inside.

``_id`` is the blind index of the pair, so there is one mandate a pair, whoever writes first. Names
and terms lie sealed in the events. Events are conditional on ``version``, delivery of notices on
``notice_rev``, both decided inside the document.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from rules.mandates import Mandate, replay
from rules.notices import Notice, from_data, next_due, to_data
from storage.changes import REMOVE, appended, if_holds, literal
from storage.indexes import EPOCH
from storage.timelines import opened_event, sealed_event
from storage.vault import Vault


@dataclass(frozen=True)
class StoredMandate:
    """A mandate with the notices owed because of it."""

    mandate: Mandate
    notices: Mapping[str, Notice]
    notice_rev: int


class Mandates:
    """Reads and writes mandates. Raises pymongo's errors when the engine does not answer."""

    def __init__(self, collection: AsyncCollection[dict[str, Any]], vault: Vault) -> None:
        self._mandates = collection
        self._vault = vault

    def pair(self, principal: str, agent: str) -> str:
        """The ``_id`` of a pair's mandate, from two ID-number keys."""
        return self._vault.index("mandate", f"{principal}/{agent}")

    async def insert(self, mandate: Mandate, notices: Sequence[Notice]) -> bool:
        """Store the first giving between two people; False when they have a mandate already."""
        event = mandate.timeline[0]
        document = {
            "_id": mandate.id,
            "principal": mandate.principal,
            "agent": mandate.agent,
            "version": mandate.version,
            "updated_at": event.at,
            "timeline": [sealed_event(self._vault, _place(mandate.id), event)],
            "notices": {n.id: to_data(n) for n in notices},
            "notice_rev": 0,
            "notice_due": event.at,
        }
        try:
            await self._mandates.insert_one(document)
        except DuplicateKeyError:
            return False
        return True

    async def append(self, before: Mandate, after: Mandate, notices: Sequence[Notice]) -> bool:
        """The one write of an event; False when somebody wrote since ``before`` was read."""
        event = after.timeline[-1]
        sealed = sealed_event(self._vault, _place(after.id), event)
        changes: dict[str, Any] = {
            "timeline": appended("timeline", sealed),
            "version": literal(after.version),
            "updated_at": literal(event.at),
            # Due at once, and a delivery that read the old list is made to read again.
            "notice_due": literal(event.at),
            "notice_rev": {"$add": ["$notice_rev", 1]},
            **{f"notices.{n.id}": literal(to_data(n)) for n in notices},
        }
        change = if_holds("version", before.version, changes)
        result = await self._mandates.update_one({"_id": before.id}, change)
        return bool(result.modified_count)

    async def get(self, mandate_id: str) -> StoredMandate | None:
        """One mandate, opened; None when there is none."""
        document = await self._mandates.find_one({"_id": mandate_id})
        return self._opened(document) if document else None

    async def of_principal(self, key: str, limit: int) -> list[StoredMandate]:
        """The mandates a citizen gave, the last changed first."""
        return await self._of("principal", key, limit)

    async def of_agent(self, key: str, limit: int) -> list[StoredMandate]:
        """The mandates given to a person, the last changed first."""
        return await self._of("agent", key, limit)

    async def _of(self, party: str, key: str, limit: int) -> list[StoredMandate]:
        cursor = (
            self._mandates.find({party: key}).sort([(party, -1), ("updated_at", -1)]).limit(limit)
        )
        return [self._opened(d) async for d in cursor]

    async def with_notice_due(self, now: datetime, limit: int) -> list[str]:
        """Mandates with a notice to send or to settle, longest due first."""
        cursor = (
            self._mandates.find({"notice_due": {"$gt": EPOCH, "$lte": now}}, {"_id": 1})
            .sort("notice_due", 1)
            .limit(limit)
        )
        return [d["_id"] async for d in cursor]

    async def save_notice(self, stored: StoredMandate, notice: Notice) -> bool:
        """Write one notice's new state; False when another delivery wrote since it was read."""
        due = next_due({**stored.notices, notice.id: notice})
        changes: dict[str, Any] = {
            f"notices.{notice.id}": literal(to_data(notice)),
            "notice_rev": {"$add": ["$notice_rev", 1]},
            "notice_due": REMOVE if due is None else literal(due),
        }
        change = if_holds("notice_rev", stored.notice_rev, changes)
        result = await self._mandates.update_one({"_id": stored.mandate.id}, change)
        return bool(result.modified_count)

    def _opened(self, document: Mapping[str, Any]) -> StoredMandate:
        place = _place(document["_id"])
        events = tuple(opened_event(self._vault, place, e) for e in document["timeline"])
        return StoredMandate(
            mandate=replay(document["_id"], events),
            notices={k: from_data(k, v) for k, v in document["notices"].items()},
            notice_rev=document["notice_rev"],
        )


def _place(mandate_id: str) -> str:
    return f"mandates/{mandate_id}"
