"""The collection ``matters``: one document a matter, its timeline inside.

Clear fields exist for indexes only (state, office, times); everything a person said or is lies
sealed in the events' data. Case events are conditional on ``version``; delivery is conditional on
``notice_rev``, so that a worker and an officer never refuse each other.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from rules.effects import Effect
from rules.exams.telling import TOLD, untold_place
from rules.flow import replay
from rules.matter import Matter, State
from rules.notices import Notice, from_data, next_due, to_data
from rules.reminders import NOTHING_TO_COME
from storage.indexes import EPOCH
from storage.matter_documents import (
    ROW,
    STAMP,
    MatterRow,
    Owed,
    Stamp,
    StoredMatter,
    clear_fields,
    dues_of,
    place_of,
    row_of,
)
from storage.timelines import opened_event, sealed_event
from storage.vault import Vault


class Matters:
    """Reads and writes matters. Raises pymongo's errors when the engine does not answer."""

    def __init__(self, collection: AsyncCollection[dict[str, Any]], vault: Vault) -> None:
        self._matters = collection
        self._vault = vault

    async def insert(self, matter: Matter, owed: Owed) -> bool:
        """Store a matter just begun; False when its number exists already."""
        event = matter.timeline[0]
        document: dict[str, Any] = {
            "_id": matter.number,
            "service": matter.service,
            "applicant": matter.applicant,
            "subject": matter.subject,
            "created_at": matter.created_at,
            "timeline": [sealed_event(self._vault, place_of(matter.number), event)],
            "notices": {n.id: to_data(n) for n in owed.notices},
            "notice_rev": 0,
            "effects": {e.id: {"kind": e.kind, "data": dict(e.data)} for e in owed.effects},
            **clear_fields(matter),
        }
        if matter.mandate is not None:
            # Only what an agent applied for is found by the person it is about, beside his own.
            document |= {"mandate": matter.mandate, "principal": matter.subject}
        document.update(dues_of(owed, event.at))
        try:
            await self._matters.insert_one(document)
        except DuplicateKeyError:
            return False
        return True

    async def append(
        self, before: Matter, after: Matter, owed: Owed, *, settles: str | None = None
    ) -> bool:
        """The one write of a step: event, state, notices and effects; False when someone else
        wrote since ``before`` was read. ``settles`` is the one effect still owed, which this step
        answers."""
        event = after.timeline[-1]
        change: dict[str, Any] = {
            "$push": {"timeline": sealed_event(self._vault, place_of(after.number), event)},
            "$set": clear_fields(after),
        }
        for notice in owed.notices:
            change["$set"][f"notices.{notice.id}"] = to_data(notice)
        for effect in owed.effects:
            change["$set"][f"effects.{effect.id}"] = {
                "kind": effect.kind,
                "data": dict(effect.data),
            }
        dues = dues_of(owed, event.at)
        notice_due = dues.pop("notice_due", None)
        change["$set"].update(dues)
        if notice_due is not None:
            # An earlier due time stays; a delivery that read the old list is made to read again.
            change["$min"] = {"notice_due": notice_due}
            change["$inc"] = {"notice_rev": 1}
        gone = [f"effects.{settles}"] if settles else []
        if settles and not owed.effects:
            gone.append("effect_due")
        if event.type == "exported":
            gone.append("export_due")
        elif event.type in NOTHING_TO_COME:
            gone.append("remind_due")
        elif event.type == TOLD:
            gone.append("untold")
        if gone:
            change["$unset"] = dict.fromkeys(gone, "")
        result = await self._matters.update_one(
            {"_id": before.number, "version": before.version}, change
        )
        return bool(result.modified_count)

    async def nothing_to_remind(self, number: str, version: int) -> None:
        """The day that was waited for is over, or it is waited for no more."""
        await self._matters.update_one(
            {"_id": number, "version": version}, {"$unset": {"remind_due": ""}}
        )

    async def get(self, number: str) -> StoredMatter | None:
        """One matter, opened; None when there is none."""
        document = await self._matters.find_one({"_id": number})
        return self._opened(document) if document else None

    async def stamp(self, number: str) -> Stamp | None:
        """What tells whether a matter changed, without opening it."""
        found = await self._matters.find_one({"_id": number}, STAMP)
        if found is None:
            return None
        return Stamp(
            applicant=found["applicant"],
            subject=found["subject"],
            mandate=found.get("mandate"),
            version=found["version"],
            notice_rev=found["notice_rev"],
        )

    async def of_applicant(self, key: str, limit: int) -> list[MatterRow]:
        """The matters a citizen applied for, newest first: his own and those he is agent in."""
        return await self._of("applicant", key, limit)

    async def of_principal(self, key: str, limit: int) -> list[MatterRow]:
        """The matters an agent applied for on behalf of a citizen, newest first."""
        return await self._of("principal", key, limit)

    async def _of(self, who: str, key: str, limit: int) -> list[MatterRow]:
        cursor = (
            self._matters.find({who: key}, ROW).sort([(who, -1), ("created_at", -1)]).limit(limit)
        )
        return [row_of(d) async for d in cursor]

    async def worklist(
        self, office: str, state: State, limit: int, after: str = ""
    ) -> list[MatterRow]:
        """An office's matters in one state, the longest waiting first; those behind the place
        ``after``."""
        return await self._queued("office", office, state, limit, after)

    async def count(self, office: str, state: State, most: int) -> int:
        """How many an office has in a state, counted up to ``most``."""
        return await self._counted("office", office, state, most)

    async def of_school(
        self, school: str, state: State, limit: int, after: str = ""
    ) -> list[MatterRow]:
        """A driving school's students in one state, the longest waiting first; those behind the
        place ``after``."""
        return await self._queued("school", school, state, limit, after)

    async def _queued(
        self, whose: str, code: str, state: State, limit: int, after: str
    ) -> list[MatterRow]:
        cursor = (
            self._matters.find({whose: code, "state": state.value, "queue": {"$gt": after}}, ROW)
            .sort([(whose, 1), ("state", 1), ("queue", 1)])
            .limit(limit)
        )
        return [row_of(d) async for d in cursor]

    async def count_of_school(self, school: str, state: State, most: int) -> int:
        """How many a school has in a state, counted up to ``most``."""
        return await self._counted("school", school, state, most)

    async def _counted(self, whose: str, code: str, state: State, most: int) -> int:
        cursor = self._matters.find({whose: code, "state": state.value}, {"_id": 1})
        return len(await cursor.limit(most).to_list(most))

    # -- what is owed -----------------------------------------------------------------------

    async def with_notice_due(self, now: datetime, limit: int) -> list[str]:
        """Numbers of matters with a notice to send or to settle, longest due first."""
        return await self._due("notice_due", now, limit)

    async def with_effect_due(self, before: datetime, limit: int) -> list[str]:
        """Numbers of matters with an effect recorded before ``before`` and not yet applied."""
        return await self._due("effect_due", before, limit)

    async def with_remind_due(self, now: datetime, limit: int) -> list[str]:
        """Numbers of matters whose reminder is due."""
        return await self._due("remind_due", now, limit)

    async def with_export_due(self, now: datetime, limit: int) -> list[str]:
        """Numbers of decided matters that have not left for the internal system."""
        return await self._due("export_due", now, limit)

    async def _due(self, field: str, until: datetime, limit: int) -> list[str]:
        # Both ends are given: the embedded engine reads the whole collection for an open range.
        cursor = (
            self._matters.find({field: {"$gt": EPOCH, "$lte": until}}, {"_id": 1})
            .sort(field, 1)
            .limit(limit)
        )
        return [d["_id"] async for d in cursor]

    async def save_notice(self, stored: StoredMatter, notice: Notice) -> bool:
        """Write one notice's new state; False when another delivery wrote since it was read."""
        notices = {**stored.notices, notice.id: notice}
        due = next_due(notices)
        change: dict[str, Any] = {
            "$set": {f"notices.{notice.id}": to_data(notice)},
            "$inc": {"notice_rev": 1},
        }
        gone = dict.fromkeys(("notice_due", "untold"), "")
        for name, value in (("notice_due", due), ("untold", untold_place(stored.matter, notices))):
            if value is not None:
                change["$set"][name] = value
                del gone[name]
        if gone:
            change["$unset"] = gone
        result = await self._matters.update_one(
            {"_id": stored.matter.number, "notice_rev": stored.notice_rev}, change
        )
        return bool(result.modified_count)

    async def untold(
        self, office: str, since: date, limit: int, after: str = ""
    ) -> list[tuple[str, str]]:
        """An office's bookings whose students were not reached by the last message about a test on
        ``since`` or later, by day; those behind the place ``after``: (number, place)."""
        first = max(f"{office}:{since.isoformat()}", f"{office}:{after}")
        between = {"$gt": first, "$lt": f"{office}:~"}
        cursor = self._matters.find({"untold": between}, {"untold": 1}).sort("untold", 1)
        return [
            (d["_id"], d["untold"].removeprefix(f"{office}:")) async for d in cursor.limit(limit)
        ]

    async def effects_done(self, number: str, done: Sequence[str], version: int) -> None:
        """Note that these effects were applied. They were all that was owed at ``version``, so
        nothing is, unless an event came after it."""
        gone = {f"effects.{effect_id}": "" for effect_id in done}
        result = await self._matters.update_one(
            {"_id": number, "version": version}, {"$unset": {**gone, "effect_due": ""}}
        )
        if not result.matched_count and gone:
            await self._matters.update_one({"_id": number}, {"$unset": gone})

    def _opened(self, document: Mapping[str, Any]) -> StoredMatter:
        number = document["_id"]
        place = place_of(number)
        events = tuple(opened_event(self._vault, place, e) for e in document["timeline"])
        return StoredMatter(
            matter=replay(number, document["service"], events),
            notices={k: from_data(k, v) for k, v in document.get("notices", {}).items()},
            notice_rev=document["notice_rev"],
            effects=tuple(
                Effect(id=k, kind=v["kind"], data=v["data"])
                for k, v in sorted(document.get("effects", {}).items())
            ),
        )
