"""The collection ``exam_plans``: one document a published session of a test, its places inside.

Nothing of a person is in it but the numbers of matters. ``when`` orders the sessions of an office,
a site or a subject, and no two have the same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from rules.exams.plan import Plan, Subject
from rules.places import Places
from storage.changes import Pipeline, literal
from storage.places import fresh

_ROW = dict.fromkeys(("holders", "queue", "offers", "owed", "accepted_by", "results", "history"), 0)

_OUTCOMES = ("passed", "failed", "missed", "excused")
_TOLD = ("passed", "failed", "missed")
_LONGEST_WINDOW = 32


@dataclass(frozen=True)
class Sums:
    """The sessions of one month (``2026-11``), site, subject and class in sums."""

    month: str
    site: str
    subject: str
    vehicle_class: str
    site_name: str
    sessions: int
    capacity: int
    booked: int
    passed: int
    failed: int
    missed: int


class ExamPlans:
    """Reads and writes plans; their places are ``storage.places``'. Raises pymongo's errors when
    the engine does not answer."""

    def __init__(self, collection: AsyncCollection[dict[str, Any]]) -> None:
        self._plans = collection

    async def publish(self, plan: Plan, places: Places, by: Mapping[str, Any]) -> bool:
        """Store a plan; False when there is one of that code. ``by``: who published it."""
        try:
            await self._plans.insert_one(published(plan, places, by))
        except DuplicateKeyError:
            return False
        return True

    async def get(self, code: str) -> Plan | None:
        """One plan, without who holds its places."""
        document = await self._plans.find_one({"_id": code}, _ROW)
        return _plan(document) if document else None

    async def history(self, code: str) -> list[dict[str, Any]]:
        """What was done to a plan, oldest first."""
        document = await self._plans.find_one({"_id": code}, {"history": 1})
        return list(document["history"]) if document else []

    async def between(
        self,
        where: Mapping[str, str],
        since: date,
        until: date,
        *,
        after: str = "",
        limit: int,
    ) -> list[tuple[str, Plan]]:
        """Plans of ``where`` (office; site; region; or office, subject and vehicle_class) from one
        day to another, both included, in the order of their time; behind the cursor ``after``. Each
        with its own cursor. A cursor that never was one finds nothing."""
        found: list[tuple[str, Plan]] = []
        for first, last in _windows(since, until, after):
            # The embedded engine reads all that fits before it sorts and takes the first: it is
            # asked for a few days at a time, twice as many each time, until there are enough.
            cursor = (
                self._plans.find({**where, "when": {"$gt": first, "$lt": last}}, _ROW)
                .sort([*((name, 1) for name in where), ("when", 1)])
                .limit(limit - len(found))
            )
            found += [(d["when"], _plan(d)) async for d in cursor]
            if len(found) >= limit:
                break
        return found

    async def sums(self, where: Mapping[str, str], since: date, until: date) -> list[Sums]:
        """The sessions of ``where`` (office; site) from one day to another in sums, but for those
        cancelled."""
        within = {"$gt": since.isoformat(), "$lt": _day_after(until)}
        group = {name: f"${name}" for name in ("site", "subject", "vehicle_class")}
        of_outcomes = {name: {"$sum": f"$outcomes.{name}"} for name in _TOLD}
        stages: Pipeline = [
            {"$match": {**where, "when": within}},
            {"$match": {"status": {"$ne": "cancelled"}}},
            {
                "$group": {
                    "_id": {"month": {"$substrCP": ["$day", 0, 7]}, **group},
                    "site_name": {"$max": "$site_name"},
                    "sessions": {"$sum": 1},
                    "capacity": {"$sum": "$capacity"},
                    "booked": {"$sum": "$booked"},
                    **of_outcomes,
                }
            },
        ]
        found = [d async for d in await self._plans.aggregate(stages)]
        return [
            Sums(
                **d["_id"],
                **{n: d[n] for n in ("site_name", "sessions", "capacity", "booked")},
                **{n: d[n] for n in _TOLD},
            )
            for d in found
        ]

    async def note_result(self, code: str, matter: str, outcome: str, version: int) -> None:
        """Count a result; the same matter's later one (by ``version``) takes its place, whichever
        arrives first."""
        fresh = {"outcome": outcome, "version": version}
        newer = {"$gt": [version, {"$ifNull": [f"$results.{matter}.version", 0]}]}
        merged = {"$mergeObjects": ["$results", {matter: literal(fresh)}]}
        results = {"$cond": [newer, merged, "$results"]}
        whole = {"$objectToArray": "$results"}
        values = {"$map": {"input": whole, "as": "one", "in": "$$one.v.outcome"}}
        counts = {
            name: {
                "$size": {
                    "$filter": {
                        "input": values,
                        "as": "value",
                        "cond": {"$eq": ["$$value", name]},
                    }
                }
            }
            for name in _OUTCOMES
        }
        stages: Pipeline = [{"$set": {"results": results}}, {"$set": {"outcomes": counts}}]
        await self._plans.update_one({"_id": code}, stages)


def _windows(since: date, until: date, after: str) -> Iterator[tuple[str, str]]:
    """Days of longer and longer stretches from one to another, as ranges of ``when`` open at both
    ends; what is not behind the cursor is left out."""
    start, low = since, since.isoformat()
    if after > low:
        try:
            start, low = date.fromisoformat(after[:10]), after
        except ValueError:
            return
    days = 1
    while start <= until:
        following = min(start + timedelta(days=days), until + timedelta(days=1))
        yield low, following.isoformat()
        start, low = following, following.isoformat()
        days = min(2 * days, _LONGEST_WINDOW)


def _day_after(day: date) -> str:
    return (day + timedelta(days=1)).isoformat()


def published(plan: Plan, places: Places, by: Mapping[str, Any]) -> dict[str, Any]:
    """A plan just published, as stored."""
    return {
        "_id": plan.code,
        **details(plan),
        "published_at": plan.published_at,
        "outcomes": {},
        "results": {},
        "history": [{**by, "at": plan.published_at, "what": "published"}],
        **fresh(places, plan.published_at),
    }


def details(plan: Plan) -> dict[str, Any]:
    """What a change of a plan may change, as stored."""
    return {
        "office": plan.office,
        "region": plan.region,
        "site": plan.site,
        "site_name": plan.site_name,
        "subject": plan.subject.value,
        "vehicle_class": plan.vehicle_class,
        "day": plan.day.isoformat(),
        "starts": plan.starts,
        "ends": plan.ends,
        "when": f"{plan.day.isoformat()}T{plan.starts}-{plan.code}",
    }


def _plan(document: Mapping[str, Any]) -> Plan:
    return Plan(
        code=document["_id"],
        **{name: document[name] for name in ("office", "region", "site", "site_name")},
        subject=Subject(document["subject"]),
        vehicle_class=document["vehicle_class"],
        day=date.fromisoformat(document["day"]),
        **{name: document[name] for name in ("starts", "ends", "capacity", "closes_at")},
        **{name: document[name] for name in ("published_at", "status", "booked", "left")},
        waiting=document["waiting"],
        outcomes=dict(document["outcomes"]),
        changes=document["changes"],
    )
