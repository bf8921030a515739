"""The collection ``officers``: who may log in at the desk, and for which office."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from storage.changes import if_holds, literal
from storage.vault import Vault


@dataclass(frozen=True)
class OfficerRecord:
    """An officer's account. ``totp_secret`` is the second factor's, None where there is none;
    ``seen`` when somebody else has seen the password, which was made for him."""

    username: str
    password_hash: str
    totp_secret: str | None
    office: str
    role: str
    name: str
    disabled: bool = False
    seen: bool = False


class Officers:
    """Reads and writes officers. Raises pymongo's errors when the engine does not answer."""

    def __init__(self, collection: AsyncCollection[dict[str, Any]], vault: Vault) -> None:
        self._officers = collection
        self._vault = vault

    async def put(self, record: OfficerRecord) -> None:
        """Add an officer, or replace his account."""
        values = self._sealed(record)
        await self._officers.update_one({"_id": record.username}, {"$set": values}, upsert=True)

    async def add(self, record: OfficerRecord) -> bool:
        """Add an officer; False when there is one of this name."""
        try:
            await self._officers.insert_one({"_id": record.username, **self._sealed(record)})
        except DuplicateKeyError:
            return False
        return True

    def _sealed(self, record: OfficerRecord) -> dict[str, Any]:
        username, secret = record.username, record.totp_secret
        return {
            "password_hash": record.password_hash,
            "totp": secret and self._vault.seal(secret, f"officers/{username}/totp"),
            "office": record.office,
            "role": record.role,
            "name": self._vault.seal(record.name, f"officers/{username}/name"),
            "disabled": record.disabled,
            "seen": record.seen,
        }

    async def get(self, username: str) -> OfficerRecord | None:
        """An officer by his user name."""
        document = await self._officers.find_one({"_id": username})
        return self._opened(document) if document else None

    async def all(self) -> list[OfficerRecord]:
        """Every officer, by user name; for the command line."""
        found = [self._opened(d) async for d in self._officers.find({})]
        return sorted(found, key=lambda o: o.username)

    async def of_office(self, office: str) -> list[OfficerRecord]:
        """The officers of an office, or the clerks of a school, by user name."""
        found = [self._opened(d) async for d in self._officers.find({"office": office})]
        return sorted(found, key=lambda o: o.username)

    async def disable(self, username: str) -> bool:
        """Shut an officer out; False when there is none of this name."""
        result = await self._officers.update_one({"_id": username}, {"$set": {"disabled": True}})
        return bool(result.matched_count)

    async def change_password(self, username: str, before: str, after: str) -> bool:
        """Put the officer's own password's hash in place of ``before``; False when that is not
        the one any more."""
        changes = {"password_hash": literal(after), "seen": literal(False)}
        result = await self._officers.update_one(
            {"_id": username}, if_holds("password_hash", before, changes)
        )
        return bool(result.modified_count)

    def _opened(self, document: Mapping[str, Any]) -> OfficerRecord:
        username, totp = document["_id"], document["totp"]
        return OfficerRecord(
            username=username,
            password_hash=document["password_hash"],
            totp_secret=self._vault.open_text(totp, f"officers/{username}/totp") if totp else None,
            office=document["office"],
            role=document["role"],
            name=self._vault.open_text(document["name"], f"officers/{username}/name"),
            disabled=document["disabled"],
            seen=document.get("seen", False),
        )
