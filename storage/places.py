"""Scarce places as they lie in a document, of whatever collection: one conditional write decides.

Taking one, which thousands may do at once, is decided inside the document by the engine. Every
other change is decided by ``rules.places`` on what was read, and written if nobody wrote since
(``rev``).
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from weakref import WeakValueDictionary

from pymongo.asynchronous.collection import AsyncCollection

from rules.places import Places
from storage.changes import Pipeline, literal
from storage.indexes import EPOCH

_TRIES = 64
_READ = {
    **dict.fromkeys(("capacity", "closes_at", "status", "holders", "queue", "offers"), 1),
    **dict.fromkeys(("owed", "accepted_by", "rev", "changes"), 1),
}


class PlacesContended(Exception):
    """Others were faster every time: try again in a moment."""


class PlaceStore:
    """Reads and changes the places of one collection's documents. Raises pymongo's errors when the
    engine does not answer."""

    def __init__(self, collection: AsyncCollection[dict[str, Any]]) -> None:
        self._places = collection
        # One at a time of this process: hundreds at once would only make each other try again.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def get(self, code: str) -> Places | None:
        """The places of one document; None when there is none."""
        document = await self._places.find_one({"_id": code}, _READ)
        return places_of(document) if document else None

    async def take(self, code: str, matter: str, now: datetime) -> bool:
        """Take a place if one is free, nobody waits and the time is not over; False when the
        document did not change, be it that the matter holds one already."""
        result = await self._places.update_one({"_id": code}, _taking(matter, now))
        return bool(result.modified_count)

    async def change(
        self,
        code: str,
        decide: Callable[[Places], Places | None],
        now: datetime,
        extra: Mapping[str, Any] | None = None,
        history: Mapping[str, Any] | None = None,
        *,
        anew: bool = False,
    ) -> Places | None:
        """Write what ``decide`` makes of the places, reading again as often as somebody was
        faster; None when it makes nothing of them or there is no such document. ``extra`` is
        written with it, ``history`` added to what was done to the document. ``now`` is when what is
        owed is due; it is written ``anew`` even where nothing else changes. Raises PlacesContended.
        """
        turn = self._turns.setdefault(code, asyncio.Lock())
        async with turn:
            return await self._change(code, decide, now, extra, history, anew)

    async def _change(
        self,
        code: str,
        decide: Callable[[Places], Places | None],
        now: datetime,
        extra: Mapping[str, Any] | None,
        history: Mapping[str, Any] | None,
        anew: bool,
    ) -> Places | None:
        for _ in range(_TRIES):
            before = await self.get(code)
            after = decide(before) if before else None
            if before is None or after is None:
                return None
            if after == before and not extra and not anew:
                return after
            update: dict[str, Any] = {
                "$set": {**_stored(after), **(extra or {})},
                "$inc": {"rev": 1},
            }
            if history is not None:
                update["$push"] = {"history": dict(history)}
            due = after.due(now)
            if due is None:
                update["$unset"] = {"due": ""}
            else:
                update["$set"]["due"] = due
            result = await self._places.update_one({"_id": code, "rev": before.rev}, update)
            if result.modified_count:
                return after
        raise PlacesContended(code)

    async def due(self, now: datetime, limit: int) -> list[str]:
        """Documents at which something is to be done, the longest due first."""
        cursor = (
            self._places.find({"due": {"$gt": EPOCH, "$lte": now}}, {"_id": 1})
            .sort("due", 1)
            .limit(limit)
        )
        return [d["_id"] async for d in cursor]


def _taking(matter: str, now: datetime) -> Pipeline:
    fits = {
        "$and": [
            {"$eq": ["$status", "open"]},
            {"$gt": ["$closes_at", literal(now)]},
            {"$gt": ["$left", 0]},
            {"$eq": [{"$size": "$queue"}, 0]},
            {"$not": [{"$in": [literal(matter), "$holders"]}]},
        ]
    }
    changed = {"$gt": ["$changes", 0]}
    taken = {
        "holders": {"$concatArrays": ["$holders", [literal(matter)]]},
        "left": {"$subtract": ["$left", 1]},
        "booked": {"$add": ["$booked", 1]},
        "rev": {"$add": ["$rev", 1]},
        # He may have asked for what it was before a change: he is owed its news.
        "owed": {"$cond": [changed, {"$mergeObjects": ["$owed", {matter: "change"}]}, "$owed"]},
        "due": {"$cond": [changed, literal(now), "$due"]},
    }
    after = {"$mergeObjects": ["$$ROOT", taken]}
    return [{"$replaceWith": {"$cond": [fits, after, "$$ROOT"]}}]


def fresh(places: Places, now: datetime) -> dict[str, Any]:
    """The fields of a document that begins to have places."""
    return {**_stored(places), "rev": 0, "due": places.due(now)}


def places_of(document: Mapping[str, Any]) -> Places:
    """The places as a document holds them."""
    return Places(
        capacity=document["capacity"],
        closes_at=document["closes_at"],
        open=document["status"] == "open",
        holders=tuple(document["holders"]),
        queue=tuple(document["queue"]),
        offers=dict(document["offers"]),
        owed=dict(document["owed"]),
        accepted_by=dict(document.get("accepted_by", {})),
        rev=document["rev"],
        cancelled=document["status"] == "cancelled",
        changes=document["changes"],
    )


def _stored(places: Places) -> dict[str, Any]:
    return {
        "status": "cancelled" if places.cancelled else "open" if places.open else "closed",
        "changes": places.changes,
        "capacity": places.capacity,
        "closes_at": places.closes_at,
        "holders": list(places.holders),
        "queue": list(places.queue),
        "offers": dict(places.offers),
        "owed": dict(places.owed),
        "accepted_by": dict(places.accepted_by),
        # Counted here, so that lists need not read who holds and who waits.
        "left": places.left,
        "booked": len(places.holders),
        "waiting": len(places.queue) + len(places.offers),
    }
