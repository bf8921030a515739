"""Closing an account: its document stays as the claim on the ID number, nearly all in it goes.

One conditional write closes it; what lies elsewhere (the SMS that tells it, WeChat bindings) is
noted in ``farewell`` in the same write and done afterwards, by whoever comes first. Until the last
matter of the person is deleted, name and ID number stay for its file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection

from storage.changes import literal
from storage.indexes import EPOCH
from storage.vault import Vault

_TELLING = timedelta(minutes=1)
_LEFT = ("_id", "person", "created_at", "effects", "tiers", "closed_at", "closed_due")
"""What stays of a closed account."""
_CLOSED = {"$ne": [{"$type": "$closed_at"}, "missing"]}


@dataclass(frozen=True)
class Seen:
    """What an account held when it was looked at: it is closed only as long as it still does."""

    open: Mapping[str, str]
    wechat: Mapping[str, Any]

    def bindings(self) -> tuple["Bound", ...]:
        """The WeChat accounts bound to it."""
        return tuple(
            Bound(entry[name], entry["claim"])
            for _, entry in sorted(self.wechat.items())
            for name in ("key", "union")
            if name in entry
        )


@dataclass(frozen=True)
class Bound:
    """A WeChat account or unionid (blind index), and the binding that was made of it."""

    key: str
    claim: str


@dataclass(frozen=True)
class Farewell:
    """What is left to do for a closed account. ``tried``: when telling was begun, if it was."""

    phone: str
    closed_at: datetime
    tried: datetime | None
    bindings: tuple[Bound, ...]


class Closings:
    """Closes accounts and finishes what closing leaves to do. The collection is ``sessions``."""

    def __init__(self, collection: AsyncCollection[dict[str, Any]], vault: Vault) -> None:
        self._sessions = collection
        self._vault = vault

    async def look(self, key: str) -> Seen | None:
        """What the account holds now; None when there is none or it is closed."""
        found = await self._sessions.find_one(
            {"_id": key}, {"open": 1, "wechat": 1, "closed_at": 1}
        )
        if found is None or "closed_at" in found:
            return None
        return Seen(found.get("open", {}), found.get("wechat", {}))

    async def close(self, key: str, seen: Seen, at: datetime, again: datetime) -> bool:
        """Close the account in one write, to be looked at ``again``; False when it holds something
        else than was seen, or is closed already."""
        bound = [{"key": b.key, "claim": b.claim} for b in seen.bindings()]
        unchanged = [
            {"$eq": [{"$type": "$closed_at"}, "missing"]},
            {"$eq": [{"$ifNull": ["$open", {}]}, literal(dict(seen.open))]},
            {"$eq": [{"$ifNull": ["$wechat", {}]}, literal(dict(seen.wechat))]},
        ]
        after: dict[str, Any] = {
            "_id": "$_id",
            "person": {"id_number": "$person.id_number", "name": "$person.name"},
            "created_at": "$created_at",
            "effects": {"$ifNull": ["$effects", []]},
            "tiers": literal({}),
            "closed_at": literal(at),
            "closed_due": literal(again),
            "farewell_due": literal(at),
            "farewell": {
                "phone": "$person.phone",
                "closed_at": literal(at),
                "wechat": literal(bound),
            },
        }
        change = [{"$replaceWith": {"$cond": [{"$and": unchanged}, after, "$$ROOT"]}}]
        result = await self._sessions.update_one({"_id": key}, change)
        return bool(result.modified_count)

    # -- what closing leaves to do ------------------------------------------------------------

    async def telling(self, now: datetime, limit: int) -> list[str]:
        """Keys of accounts whose closing is to be told, longest first."""
        return await self._due("farewell_due", now, limit)

    async def kept(self, now: datetime, limit: int) -> list[str]:
        """Keys of closed accounts to be looked at: does a file still need the person?"""
        return await self._due("closed_due", now, limit)

    async def _due(self, field: str, now: datetime, limit: int) -> list[str]:
        cursor = (
            self._sessions.find({field: {"$gt": EPOCH, "$lte": now}}, {"_id": 1})
            .sort(field, 1)
            .limit(limit)
        )
        return [d["_id"] async for d in cursor]

    async def farewell(self, key: str) -> Farewell | None:
        """What is left to do for an account; None when it is done."""
        found = await self._sessions.find_one({"_id": key}, {"farewell": 1})
        held = (found or {}).get("farewell")
        if not held:
            return None
        phone = held.get("phone")
        return Farewell(
            self._vault.open_text(phone, f"sessions/{key}/phone") if phone else "",
            held["closed_at"],
            held.get("tried"),
            tuple(Bound(w["key"], w["claim"]) for w in held["wechat"]),
        )

    async def begin_telling(self, key: str, farewell: Farewell, now: datetime) -> bool:
        """Note that the SMS is about to be sent; False when somebody else did since ``farewell``
        was read. Until a minute later nobody else tries."""
        tried = {"$eq": [{"$ifNull": ["$farewell.tried", None]}, literal(farewell.tried)]}
        still = {"$and": [{"$eq": [{"$type": "$farewell"}, "object"]}, tried]}
        changed = {
            "farewell": {"$mergeObjects": ["$farewell", {"tried": literal(now)}]},
            "farewell_due": literal(now + _TELLING),
        }
        after = {"$mergeObjects": ["$$ROOT", changed]}
        result = await self._sessions.update_one(
            {"_id": key}, [{"$replaceWith": {"$cond": [still, after, "$$ROOT"]}}]
        )
        return bool(result.modified_count)

    async def done(self, key: str) -> None:
        """Everything is done: the phone goes, and whatever a request under way wrote into the
        account after it was closed."""
        left = {name: f"${name}" for name in _LEFT}
        told = {"$set": {"farewell": "$$REMOVE", "farewell_due": "$$REMOVE"}}
        stripped = {"$replaceWith": {"$cond": [_CLOSED, left, "$$ROOT"]}}
        await self._sessions.update_one({"_id": key}, [told, stripped])

    async def tell_later(self, key: str, at: datetime) -> None:
        """Try to tell again at that time."""
        await self._put_off(key, "farewell_due", at)

    async def look_again(self, key: str, at: datetime) -> None:
        """Look at the closed account again at that time."""
        await self._put_off(key, "closed_due", at)

    async def _put_off(self, key: str, field: str, at: datetime) -> None:
        # Only where it is still there: meanwhile it may be done, or the account opened anew.
        later = {"$cond": [{"$eq": [{"$type": f"${field}"}, "missing"]}, "$$REMOVE", literal(at)]}
        await self._sessions.update_one({"_id": key}, [{"$set": {field: later}}])

    async def forget_person(self, key: str) -> bool:
        """No file needs name and ID number any more: they go, the claim stays. False when the
        account was opened anew or they are gone."""
        gone = {n: {"$cond": [_CLOSED, "$$REMOVE", f"${n}"]} for n in ("person", "closed_due")}
        change = [{"$set": gone}]
        result = await self._sessions.update_one({"_id": key}, change)
        return bool(result.modified_count)
