"""Tiers of a citizen's account that come and go by effects of matters, each applied once.

They lie in the same document as the account (``storage.sessions``), whose other parts this leaves
alone. A student's tier says for which matter, school and class, and until when.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection

from rules.people import Tier
from storage.changes import literal, merged, once
from storage.vault import Vault

_EFFECTS = 50
_STUDENT = Tier.STUDENT.value


@dataclass(frozen=True)
class StudentTier:
    """What makes somebody a student: the matter that did, his school's office code (empty for who
    was enrolled at the vehicle office), class, last day, and whether he has logged in."""

    matter: str
    school: str
    vehicle_class: str
    until: date
    active: bool = False


class Tiers:
    """Each verb gives False when its effect was applied before or there is no such account."""

    def __init__(self, collection: AsyncCollection[dict[str, Any]], vault: Vault) -> None:
        self._sessions = collection
        self._vault = vault

    async def grant_student(
        self, key: str, effect_id: str, student: StudentTier, *, since: datetime, office: str
    ) -> bool:
        """Make somebody a student; his other tiers and his phone stay."""
        tier = {
            "since": since,
            "office": office,
            "matter": student.matter,
            "school": student.school,
            "vehicle_class": student.vehicle_class,
            "until": student.until.isoformat(),
            "active": False,
        }
        changes = {"tiers": merged("tiers", {_STUDENT: literal(tier)})}
        return await self._once(key, effect_id, changes)

    async def change_student(self, key: str, effect_id: str, matter: str, **values: Any) -> bool:
        """Set ``school``, ``office`` or ``active`` of the tier this matter gave."""
        fresh = {"$mergeObjects": ["$tiers.student", literal(values)]}
        mine = {"$eq": ["$tiers.student.matter", literal(matter)]}
        changed = {"$cond": [mine, merged("tiers", {_STUDENT: fresh}), "$tiers"]}
        return await self._once(key, effect_id, {"tiers": changed})

    async def revoke_student(self, key: str, effect_id: str, matter: str) -> bool:
        """Take away the tier this matter gave."""
        result = await self._sessions.update_one(
            {"_id": key}, [_without_student(effect_id, matter), *once(effect_id, _EFFECTS, {})]
        )
        return bool(result.modified_count)

    async def license_student(
        self,
        key: str,
        effect_id: str,
        matter: str,
        *,
        since: datetime,
        licence: str,
        licence_office: str,
    ) -> bool:
        """From student to licence holder with face-signed rights, the licence bound (REQ A6)."""
        face = Tier.FACE_SIGNED.value
        signed = {"since": since, "office": licence_office, "by": matter}
        number = self._vault.seal(licence, f"sessions/{key}/licence")
        changes = {
            # Who added a class was signed up before: that stays.
            "tiers": merged("tiers", {face: {"$ifNull": [f"$tiers.{face}", literal(signed)]}}),
            "licence": literal({"number": number, "office": licence_office, "bound_at": since}),
        }
        result = await self._sessions.update_one(
            {"_id": key}, [_without_student(effect_id, matter), *once(effect_id, _EFFECTS, changes)]
        )
        return bool(result.modified_count)

    async def grant_direct(self, key: str, since: datetime) -> None:
        """Direct registration of somebody whose account a matter opened."""
        there = {"$ifNull": ["$tiers.direct", literal({"since": since})]}
        await self._sessions.update_one({"_id": key}, [{"$set": {"tiers.direct": there}}])

    async def _once(self, key: str, effect_id: str, changes: dict[str, Any]) -> bool:
        result = await self._sessions.update_one({"_id": key}, once(effect_id, _EFFECTS, changes))
        return bool(result.modified_count)


def _without_student(effect_id: str, matter: str) -> dict[str, Any]:
    """The stage before an effect's mark: the student's tier goes if this matter gave it and the
    effect was not applied yet."""
    marked = {"$in": [literal(effect_id), {"$ifNull": ["$effects", []]}]}
    mine = {"$eq": ["$tiers.student.matter", literal(matter)]}
    goes = {"$and": [mine, {"$not": [marked]}]}
    return {"$set": {"tiers.student": {"$cond": [goes, "$$REMOVE", "$tiers.student"]}}}


def student_of(tiers: Any) -> StudentTier | None:
    """The student's tier among an account's tiers as stored."""
    held = tiers.get(_STUDENT)
    if held is None:
        return None
    return StudentTier(
        matter=held["matter"],
        school=held["school"],
        vehicle_class=held["vehicle_class"],
        until=date.fromisoformat(held["until"]),
        active=held["active"],
    )
