"""The collection ``exam_plans``: one document a published session of a test, its places inside.

Nothing of a person is in it but the numbers of matters. ``when`` orders the sessions of an office,
a site or a subject, and no two have the same.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from rules.exams.plan import Plan, Subject
from rules.places import Places
from storage.changes import Pipeline, literal
from storage.places import fresh

_ROW = dict.fromkeys(("holders", "queue", "offers", "owed", "results", "history"), 0)


class ExamPlans:
    """Reads and writes plans; their places are ``storage.places``'. Raises pymongo's errors when
    the engine does not answer."""

    def __init__(self, collection: AsyncCollection[dict[str, Any]]) -> None:
        self._plans = collection

    async def publish(self, plan: Plan, places: Places, by: Mapping[str, Any]) -> bool:
        """Store a plan; False when there is one of that code. ``by``: who published it."""
        document = {
            "_id": plan.code,
            **details(plan),
            "published_at": plan.published_at,
            "outcomes": {},
            "results": {},
            "history": [{**by, "at": plan.published_at, "what": "published"}],
            **fresh(places, plan.published_at),
        }
        try:
            await self._plans.insert_one(document)
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
        with its own cursor."""
        first = max(since.isoformat(), after)
        last = (until + timedelta(days=1)).isoformat()
        cursor = (
            self._plans.find({**where, "when": {"$gt": first, "$lt": last}}, _ROW)
            .sort([*((name, 1) for name in where), ("when", 1)])
            .limit(limit)
        )
        return [(d["when"], _plan(d)) async for d in cursor]

    async def note_result(self, code: str, matter: str, outcome: str, version: int) -> None:
        """Count a result; the same matter's later one (by ``version``) takes its place, whichever
        arrives first."""
        names = ("passed", "failed", "missed", "excused")
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
            for name in names
        }
        stages: Pipeline = [{"$set": {"results": results}}, {"$set": {"outcomes": counts}}]
        await self._plans.update_one({"_id": code}, stages)


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
