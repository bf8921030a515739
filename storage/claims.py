"""Claims on what a person has once: ``enrolments`` (being a driving student), ``live_bookings`` (a
booking of one subject). Each names the matter it is for.

The ``_id`` is the ID-number key, for a booking followed by ``:<subject>``, so that there is one,
whoever begins it and wherever. The matter is the truth; a claim is what keeps a second one from
beginning.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from storage.indexes import EPOCH


@dataclass(frozen=True)
class Claim:
    """A person's one place, and the matter it is for; ``unconfirmed`` since when nobody has said
    that the matter was begun."""

    key: str
    matter: str
    unconfirmed: datetime | None


def person_of(claim: Claim) -> str:
    """The ID-number key in a claim's."""
    return claim.key.partition(":")[0]


class Claims:
    """Reads and writes claims. Raises pymongo's errors when the engine does not answer."""

    def __init__(self, collection: AsyncCollection[dict[str, Any]]) -> None:
        self._claims = collection

    async def claim(self, key: str, matter: str, at: datetime) -> Claim:
        """Claim a person's one place: ours, or the one that holds it. Unconfirmed until
        ``confirm``, so that the sweep finds what was left behind."""
        while True:
            try:
                await self._claims.insert_one({"_id": key, "matter": matter, "unconfirmed": at})
            except DuplicateKeyError:
                held = await self.get(key)
                if held is not None:
                    return held
                # Given back between the two: the next round finds it free.
            else:
                return Claim(key, matter, at)

    async def get(self, key: str) -> Claim | None:
        """The claim of a person's place; None when it is free."""
        found = await self._claims.find_one({"_id": key})
        return Claim(key, found["matter"], found.get("unconfirmed")) if found else None

    async def take_up(self, claim: Claim, at: datetime) -> bool:
        """Go on with a claim whose matter was never begun, so that the sweep leaves it alone;
        False when it is not as it was read."""
        result = await self._claims.update_one(
            {"_id": claim.key, "unconfirmed": claim.unconfirmed}, {"$set": {"unconfirmed": at}}
        )
        return bool(result.matched_count)

    async def confirm(self, key: str, matter: str) -> None:
        """Its matter was begun: the claim stays until the matter ends."""
        change: Mapping[str, Any] = {"$unset": {"unconfirmed": ""}}
        await self._claims.update_one({"_id": key, "matter": matter}, change)

    async def release(self, key: str, matter: str) -> bool:
        """Give the place back, if this matter still holds it."""
        result = await self._claims.delete_one({"_id": key, "matter": matter})
        return bool(result.deleted_count)

    async def give_up(self, claim: Claim) -> bool:
        """Give back a claim whose matter was never begun, unless somebody took it up since."""
        result = await self._claims.delete_one({"_id": claim.key, "unconfirmed": claim.unconfirmed})
        return bool(result.deleted_count)

    async def unconfirmed(self, before: datetime, limit: int) -> list[Claim]:
        """Claims made before ``before`` and not confirmed, oldest first."""
        cursor = (
            self._claims.find({"unconfirmed": {"$gt": EPOCH, "$lte": before}})
            .sort("unconfirmed", 1)
            .limit(limit)
        )
        return [Claim(d["_id"], d["matter"], d["unconfirmed"]) async for d in cursor]
