"""The mirrors of the internal systems' registries: population, licences, vehicles, offices.

Rows come by import only and are found by ID-number key; what is personal in them is sealed. A
licence row also carries the holds that matters put on it, which no import touches.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from cachetools import TTLCache
from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError

from rules.facts import Licence, Office, Vehicle
from storage.changes import literal, once
from storage.vault import Vault

_CHUNK = 500
_DUPLICATE = 11000
_EFFECTS = 50
_OFFICES, _OFFICE_SECONDS = 10_000, 30.0


@dataclass(frozen=True)
class PhoneOnFile:
    """The name and phone a vehicle office has on file; the phone is empty where none is."""

    name: str
    phone: str


@dataclass(frozen=True)
class Hold:
    """What a matter does to a licence. ``kind``: pending, or deferred until an ISO date."""

    matter: str
    kind: str
    until: str | None


class Registry:
    """Reads and writes the mirrors. Raises pymongo's errors when the engine does not answer."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]], vault: Vault) -> None:
        self._population = database["registry_population"]
        self._licences = database["registry_licences"]
        self._vehicles = database["registry_vehicles"]
        self._offices = database["registry_offices"]
        self._known_offices: TTLCache[str, Office] = TTLCache(_OFFICES, _OFFICE_SECONDS)
        self._vault = vault

    # -- in: rows as rules/formats reads them -------------------------------------------------

    async def upsert_population(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take in persons: id_number, name, and card_valid_until where it is given."""
        await upsert(self._population, [self._person_row(r) for r in rows])

    async def upsert_licences(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take in licences; the holds on them stay."""
        await upsert(self._licences, [self._licence_row(r) for r in rows])

    async def upsert_vehicles(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take in vehicles with their owners."""
        await upsert(self._vehicles, [self._vehicle_row(r) for r in rows])

    async def upsert_offices(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take in offices."""
        await upsert(self._offices, [(r["code"], _without(r, "code")) for r in rows])

    # -- out ----------------------------------------------------------------------------------

    async def population_name(self, key: str) -> str | None:
        """The name of a person; None when the population registry does not know him."""
        document = await self._population.find_one({"_id": key})
        if document is None:
            return None
        return self._vault.open_text(document["name"], f"registry_population/{key}/name")

    async def card_valid_until(self, key: str) -> date | None:
        """Until when a person's ID card is valid; None when the registry does not say."""
        document = await self._population.find_one({"_id": key})
        sealed = (document or {}).get("card")
        if sealed is None:
            return None
        return date.fromisoformat(self._vault.open_text(sealed, f"registry_population/{key}/card"))

    async def set_portrait(self, key: str, photo: str) -> None:
        """Name the stored picture of a person the population registry knows."""
        await self._population.update_one({"_id": key}, {"$set": {"portrait": photo}})

    async def portrait(self, key: str) -> str | None:
        """The stored picture of a person, if the registry has one."""
        document = await self._population.find_one({"_id": key}, {"portrait": 1})
        return str(document["portrait"]) if document and document.get("portrait") else None

    async def licence(self, key: str) -> Licence | None:
        """A person's licence with what matters hold on it."""
        document = await self._licences.find_one({"_id": key})
        if document is None:
            return None
        person = self._vault.open_json(document["person"], f"registry_licences/{key}")
        holds = document.get("holds", [])
        deferred = [date.fromisoformat(h["until"]) for h in holds if h["kind"] == "deferred"]
        return Licence(
            number=person["number"],
            holder_name=person["name"],
            vehicle_class=document["vehicle_class"],
            status=document["status"],
            issued_on=date.fromisoformat(document["issued_on"]),
            valid_from=date.fromisoformat(document["valid_from"]),
            valid_until=date.fromisoformat(document["valid_until"]),
            issuing_office=document["issuing_office"],
            points=document["points"],
            deferred_until=max(deferred, default=None),
            deferral_pending=any(h["kind"] == "pending" for h in holds),
        )

    async def phone_on_file(self, key: str) -> PhoneOnFile | None:
        """What the vehicle offices have on file: of the licence, else of a vehicle. None when the
        person holds neither."""
        found = await self._vehicles.find({"owner": key}).to_list()
        people = [
            self._vault.open_json(d["person"], f"registry_vehicles/{d['_id']}")
            for d in sorted(found, key=lambda d: str(d["_id"]))
        ]
        licence = await self._licences.find_one({"_id": key}, {"person": 1})
        if licence is not None:
            person = self._vault.open_json(licence["person"], f"registry_licences/{key}")
            people.insert(0, person)
        if not people:
            return None
        best = next((p for p in people if p["phone"]), people[0])
        return PhoneOnFile(best["name"], best["phone"] or "")

    async def vehicles_of(self, key: str) -> list[Vehicle]:
        """A person's vehicles, by plate."""
        found = [
            Vehicle(
                plate=self._vault.open_json(d["person"], f"registry_vehicles/{d['_id']}")["plate"],
                kind=d["kind"],
                registering_office=d["registering_office"],
                status=d["status"],
            )
            async for d in self._vehicles.find({"owner": key})
        ]
        return sorted(found, key=lambda v: v.plate)

    async def office(self, code: str) -> Office | None:
        """An office by its code; a change of it shows within half a minute."""
        known = self._known_offices.get(code)
        if known is not None:
            return known
        document = await self._offices.find_one({"_id": code})
        if document is None:
            return None
        known = self._known_offices[code] = _office(document)
        return known

    async def offices(self, region: str | None = None, kind: str | None = None) -> list[Office]:
        """The offices of a region and kind, by code; all when neither is given."""
        wanted = {"region": region, "kind": kind}
        cursor = self._offices.find({k: v for k, v in wanted.items() if v is not None})
        return sorted([_office(d) async for d in cursor], key=lambda o: o.code)

    # -- holds --------------------------------------------------------------------------------

    async def hold_licence(self, key: str, effect_id: str, hold: Hold) -> bool:
        """Put a hold on a licence in place of the matter's former one; False when this effect was
        applied before or there is no such licence."""
        holds = {"$concatArrays": [_held_by_others(hold.matter), [literal(vars(hold))]]}
        return await self._hold(key, effect_id, holds)

    async def release_hold(self, key: str, effect_id: str, matter: str) -> bool:
        """Take a matter's hold off a licence; False as above."""
        return await self._hold(key, effect_id, _held_by_others(matter))

    async def _hold(self, key: str, effect_id: str, holds: Mapping[str, Any]) -> bool:
        result = await self._licences.update_one(
            {"_id": key}, once(effect_id, _EFFECTS, {"holds": holds})
        )
        return bool(result.modified_count)

    # -- sealing ------------------------------------------------------------------------------

    def _person_row(self, row: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        key = self._vault.id_key(row["id_number"])
        place = f"registry_population/{key}"
        sealed = self._vault.seal(str(row["name"]), f"{place}/name")
        # Read by a change of the index key only, which has to find everybody anew.
        number = self._vault.seal(row["id_number"], f"{place}/id_number")
        values = {"name": sealed, "id_number": number}
        until = row.get("card_valid_until")
        if until is not None:
            values["card"] = self._vault.seal(until.isoformat(), f"{place}/card")
        return key, values

    def _licence_row(self, row: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        key = self._vault.id_key(row["id_number"])
        person = {name: row[name] for name in ("id_number", "name", "phone", "number")}
        values = {k: _plain(v) for k, v in row.items() if k not in person}
        values["points"] = values.get("points") or 0
        return key, {**values, "person": self._vault.seal(person, f"registry_licences/{key}")}

    def _vehicle_row(self, row: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        key = self._vault.index("plate", row["plate"])
        person = {
            "plate": row["plate"],
            "id_number": row["owner_id_number"],
            "name": row["owner_name"],
            "phone": row["owner_phone"],
        }
        return key, {
            "owner": self._vault.id_key(row["owner_id_number"]),
            "person": self._vault.seal(person, f"registry_vehicles/{key}"),
            "kind": row["kind"],
            "registering_office": row["registering_office"],
            "status": row["status"],
        }


def _held_by_others(matter: str) -> dict[str, Any]:
    others = {"$ne": ["$$hold.matter", literal(matter)]}
    return {"$filter": {"input": {"$ifNull": ["$holds", []]}, "as": "hold", "cond": others}}


async def upsert(
    collection: AsyncCollection[dict[str, Any]], rows: Sequence[tuple[str, dict[str, Any]]]
) -> None:
    """Insert or change documents, each given as its ``_id`` and the fields to set."""
    for start in range(0, len(rows), _CHUNK):
        # Of two rows with one key in a file the later one holds.
        chunk = dict(rows[start : start + _CHUNK])
        known = collection.find({"_id": {"$in": list(chunk)}}, {"_id": 1})
        there = {d["_id"] async for d in known}
        # Inserted together: the embedded engine commits every upsert by itself,
        # eight times slower.
        fresh = [{"_id": key, **values} for key, values in chunk.items() if key not in there]
        try:
            if fresh:
                await collection.insert_many(fresh, ordered=False)
        except BulkWriteError as error:
            if any(e["code"] != _DUPLICATE for e in error.details["writeErrors"]):
                raise
            there.update(chunk)  # another import was faster with some of them
        updates = [UpdateOne({"_id": k}, {"$set": chunk[k]}, upsert=True) for k in there]
        if updates:
            await collection.bulk_write(updates, ordered=False)


def _plain(value: Any) -> Any:
    # BSON has no date without a time.
    return value.isoformat() if isinstance(value, date) else value


def _without(row: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {k: _plain(v) for k, v in row.items() if k != name}


def _office(document: Mapping[str, Any]) -> Office:
    names = ("name", "kind", "region", "address", "hours", "phone")
    values = {n: document[n] or "" for n in names}
    # Rows taken in before schools were listed have no supervisor.
    return Office(code=document["_id"], **values, supervisor=document.get("supervisor") or "")
