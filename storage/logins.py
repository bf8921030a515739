"""The part ``devices`` of a session: the devices a citizen is logged in on.

A token lies here only as hashes, a device's name sealed. Every change is one conditional write by
the session's ``_id``; the decision what a token is worth is ``rules.logins``'.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection

from rules.logins import Device
from storage.changes import literal
from storage.vault import Vault

_DEVICES = 10


class Logins:
    """Reads and writes devices."""

    def __init__(self, collection: AsyncCollection[dict[str, Any]], vault: Vault) -> None:
        self._sessions = collection
        self._vault = vault

    def sealed_name(self, key: str, name: str) -> bytes:
        """A device's name as it is kept."""
        return self._vault.seal(name, f"sessions/{key}/device")

    def name(self, key: str, device: Device) -> str:
        """What the citizen calls the device."""
        return self._vault.open_text(device.label, f"sessions/{key}/device")

    async def add(self, key: str, device: Device) -> None:
        """Keep a login; the oldest of more than ten are signed out."""
        entry = {k: _plain(v) for k, v in vars(device).items() if v not in (None, "")}
        await self._sessions.update_one(
            {"_id": key}, {"$push": {"devices": {"$each": [entry], "$slice": -_DEVICES}}}
        )

    async def renew(
        self,
        key: str,
        device: Device,
        secret: str,
        *,
        before_until: datetime,
        expires_at: datetime,
    ) -> bool:
        """Put a new secret (its hash) in place of the one that was read, which works until
        ``before_until``; False when another renewal was faster."""
        after = {
            "secret": secret,
            "before": device.secret,
            "before_until": before_until,
            "expires_at": expires_at,
        }
        return await self._change(
            key, device.id, {"$eq": ["$$device.secret", literal(device.secret)]}, after
        )

    async def seen(self, key: str, device: str, day: date) -> None:
        """Note the day a device was used."""
        earlier = {"$lt": ["$$device.seen", day.isoformat()]}
        await self._change(key, device, earlier, {"seen": day.isoformat()})

    async def reused(self, key: str, device: Device, day: date) -> bool:
        """Sign a device out because a token was used that it had given up, and remember that for
        the citizen; False when that was done, or the token renewed, before."""
        same = {"$eq": ["$$device.secret", literal(device.secret)]}
        gone = {"secret": "", "family": "", "before": "", "reused_on": day.isoformat()}
        return await self._change(key, device.id, same, gone)

    async def drop(self, key: str, device: str) -> bool:
        """Sign a device out; False when it was not logged in."""
        result = await self._sessions.update_one(
            {"_id": key}, {"$pull": {"devices": {"id": device}}}
        )
        return bool(result.modified_count)

    async def drop_others(self, key: str, device: str | None) -> bool:
        """Sign out every device but this one; all of them when none is named."""
        kept: dict[str, Any] = {
            "$filter": {
                "input": {"$ifNull": ["$devices", []]},
                "as": "device",
                "cond": {"$eq": ["$$device.id", literal(device)]},
            }
        }
        result = await self._sessions.update_one({"_id": key}, [{"$set": {"devices": kept}}])
        return bool(result.modified_count)

    async def _change(
        self, key: str, device: str, fits: Mapping[str, Any], values: Mapping[str, Any]
    ) -> bool:
        """Set fields of one device if ``fits`` (``$$device`` is it) holds."""
        wanted = {"$and": [{"$eq": ["$$device.id", literal(device)]}, fits]}
        changed = {"$mergeObjects": ["$$device", literal(dict(values))]}
        devices = {
            "$map": {
                "input": {"$ifNull": ["$devices", []]},
                "as": "device",
                "in": {"$cond": [wanted, changed, "$$device"]},
            }
        }
        result = await self._sessions.update_one({"_id": key}, [{"$set": {"devices": devices}}])
        return bool(result.modified_count)


def device_of(entry: Mapping[str, Any]) -> Device:
    """A device from the session's document."""
    days = {n: date.fromisoformat(entry[n]) for n in ("since", "seen", "reused_on") if n in entry}
    return Device(**{**entry, **days})


def _plain(value: Any) -> Any:
    # BSON has no date without a time.
    is_day = isinstance(value, date) and not isinstance(value, datetime)
    return value.isoformat() if is_day else value
