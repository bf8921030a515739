"""The collection ``sessions``: one document a citizen, found by the ID-number key.

Each part is written by itself with ``$set``; nobody writes the whole document after it is created.
No part of it is a secret in clear: the person is sealed, tokens are hashed.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from rules.people import Tier
from storage.changes import literal, merged, once, set_if_absent, unset_if
from storage.consents import Agreement
from storage.logins import device_of
from storage.session_documents import NewSession, Opening, Person, Session
from storage.tiers import student_of
from storage.vault import Vault
from storage.wechat_accounts import accounts_of

_CAUSES = 20
_EFFECTS = 50
_ASKERS = 10
_NOBODY = "nobody"


class Sessions:
    """Reads and writes accounts."""

    def __init__(self, collection: AsyncCollection[dict[str, Any]], vault: Vault) -> None:
        self._sessions = collection
        self._vault = vault

    async def create(self, new: NewSession) -> bool:
        """Open an account, or a closed one anew; False when the person has one: the ``_id``
        decides, nothing else."""
        document = self.document_of(new)
        try:
            await self._sessions.insert_one(document)
        except DuplicateKeyError:
            return await self._open_anew(document, new.cause)
        return True

    def document_of(self, new: NewSession) -> dict[str, Any]:
        """A new account as it is stored."""
        return {
            "_id": new.key,
            "person": self._person(new.key, new.id_number, new.name, new.phone),
            "phone_key": self._vault.phone_key(new.phone),
            "tiers": {Tier.DIRECT.value: {"since": new.created_at}} if new.direct else {},
            "consents": {},
            "created_at": new.created_at,
            "causes": [new.cause],
            # The first turn of the talk is written conditionally on this one.
            "talk": {"turn": 0, "replies": []},
        }

    async def _open_anew(self, document: Mapping[str, Any], cause: str) -> bool:
        """Put a fresh account in place of a closed one. What opened it before does not do so
        again, and what closing left to do stays noted."""
        opens = [
            {"$ne": [{"$type": "$closed_at"}, "missing"]},
            {"$not": [{"$in": [literal(cause), {"$ifNull": ["$effects", []]}]}]},
        ]
        kept = {name: f"${name}" for name in ("effects", "farewell", "farewell_due")}
        after = {"$mergeObjects": [kept, literal(dict(document))]}
        result = await self._sessions.update_one(
            {"_id": document["_id"]},
            [{"$replaceWith": {"$cond": [{"$and": opens}, after, "$$ROOT"]}}],
        )
        return bool(result.modified_count)

    async def remember(self, key: str, cause: str) -> None:
        """Note the cause of something done, so that its repetition is known."""
        await self._sessions.update_one({"_id": key}, once(cause, _CAUSES, {}, marks="causes"))

    def _person(self, key: str, id_number: str, name: str, phone: str) -> dict[str, bytes]:
        return {
            "id_number": self._vault.seal(id_number, f"sessions/{key}/id_number"),
            "name": self._vault.seal(name, f"sessions/{key}/name"),
            "phone": self._vault.seal(phone, f"sessions/{key}/phone"),
        }

    async def get(self, key: str) -> Session | None:
        """An account, opened; None when the person has none, or closed it."""
        document = await self._sessions.find_one({"_id": key}, _WITHOUT_TALK)
        return self.opened(document) if document and "closed_at" not in document else None

    async def opening(self, key: str) -> Opening:
        """When an account was opened, and its tiers as they are kept. Raises LookupError."""
        document = await self._sessions.find_one({"_id": key}, {"created_at": 1, "tiers": 1})
        if document is None:
            raise LookupError("no such account")
        return Opening(document["created_at"], document["tiers"])

    async def get_evenly(self, key: str) -> Session | None:
        """The same at the same cost for who has no account, where strangers may ask: a decoy is
        opened in place of what is not there."""
        found = await self.get(key)
        if found is None:
            person = self._person(_NOBODY, "0" * 18, "无名氏", "0" * 11)
            self.opened({"_id": _NOBODY, "person": person, "tiers": {Tier.DIRECT.value: {}}})
        return found

    async def person(self, key: str) -> Person | None:
        """Who it is, for the file of a matter: also when the account is closed, then without
        phone. None when that is no longer kept."""
        document = await self._sessions.find_one({"_id": key}, {"person": 1})
        held = (document or {}).get("person")
        if not held:
            return None
        values = {
            name: self._vault.open_text(held[name], f"sessions/{key}/{name}")
            for name in ("id_number", "name", "phone")
            if name in held
        }
        return Person(**values)

    def opened(self, document: Mapping[str, Any]) -> Session:
        """An account from its document."""
        key = document["_id"]
        person = document["person"]
        licence = document.get("licence")
        text = self._vault.open_text
        return Session(
            key=key,
            id_number=text(person["id_number"], f"sessions/{key}/id_number"),
            name=text(person["name"], f"sessions/{key}/name"),
            phone=text(person["phone"], f"sessions/{key}/phone"),
            tiers=frozenset(Tier(t) for t in document["tiers"]),
            licence_number=text(licence["number"], f"sessions/{key}/licence") if licence else None,
            plates=frozenset(
                text(v["plate"], f"sessions/{key}/vehicles/{name}")
                for name, v in document.get("vehicles", {}).items()
            ),
            wechat=accounts_of(document, self._vault),
            devices=tuple(device_of(d) for d in document.get("devices", ())),
            open=document.get("open", {}),
            consents=document.get("consents", {}),
            privacy=tuple(Agreement(**a) for a in document.get("privacy", ())),
            causes=tuple(document.get("causes", ())),
            askers=tuple(document.get("askers", ())),
            wechat_last=document.get("wechat_last", {}),
            student=student_of(document["tiers"]),
        )

    # -- places, effects --------------------------------------------------------------------

    async def claim_open(self, key: str, service: str, number: str) -> str:
        """Claim the citizen's one place for a service: the number of the matter that holds it,
        ours or the winner's."""
        field = f"open.{service}"
        while True:
            result = await self._sessions.update_one({"_id": key}, set_if_absent(field, number))
            if result.modified_count:
                return number
            document = await self._sessions.find_one({"_id": key}, {field: 1})
            if document is None:
                raise LookupError("no such account")
            held = document.get("open", {}).get(service)
            if held:
                return str(held)
            # Released between the two: the next round finds it free.

    async def release_open(self, key: str, service: str, number: str) -> bool:
        """Give the place back, if this matter still holds it."""
        field = f"open.{service}"
        result = await self._sessions.update_one({"_id": key}, unset_if(field, field, number))
        return bool(result.modified_count)

    async def grant_tier(
        self,
        key: str,
        tier: Tier,
        effect_id: str,
        *,
        since: datetime,
        office: str,
        phone: str,
        licence: str | None,
        licence_office: str | None,
        plates: Iterable[str] = (),
    ) -> bool:
        """Grant a tier seen in person, with the phone given there, the licence and the vehicles
        bound in place of former ones; False when this effect was applied before."""
        granted = {tier.value: literal({"since": since, "office": office})}
        sealed = self._vault.seal(phone, f"sessions/{key}/phone")
        changes: dict[str, Any] = {
            "tiers": merged("tiers", granted),
            "person": merged("person", {"phone": literal(sealed)}),
            "phone_key": literal(self._vault.phone_key(phone)),
            "vehicles": literal(self._bound(key, plates, since)),
        }
        if licence is not None:
            number = self._vault.seal(licence, f"sessions/{key}/licence")
            changes["licence"] = literal(
                {"number": number, "office": licence_office, "bound_at": since}
            )
        result = await self._sessions.update_one({"_id": key}, once(effect_id, _EFFECTS, changes))
        return bool(result.modified_count)

    async def change_phone(self, key: str, effect_id: str, phone: str) -> bool:
        """Put another phone in place, sign every device out and name no WeChat account any more;
        False when this effect was applied before, or there is no such account."""
        sealed = self._vault.seal(phone, f"sessions/{key}/phone")
        changes = {
            "person": merged("person", {"phone": literal(sealed)}),
            "phone_key": literal(self._vault.phone_key(phone)),
            "devices": [],
            "wechat": literal({}),
            "wechat_last": literal({}),
        }
        result = await self._sessions.update_one({"_id": key}, once(effect_id, _EFFECTS, changes))
        return bool(result.modified_count)

    def _bound(self, key: str, plates: Iterable[str], at: datetime) -> dict[str, Any]:
        # Found by blind index, as in the registry; the plate itself is sealed.
        names = {self._vault.index("plate", plate): plate for plate in plates}
        return {
            name: {
                "plate": self._vault.seal(plate, f"sessions/{key}/vehicles/{name}"),
                "bound_at": at,
            }
            for name, plate in names.items()
        }

    async def unbind_vehicle(self, key: str, plate: str) -> None:
        """Forget that a vehicle is bound; nothing happens when it is not."""
        name = self._vault.index("plate", plate)
        await self._sessions.update_one({"_id": key}, {"$unset": {f"vehicles.{name}": ""}})

    async def unbind_licence(self, key: str) -> None:
        """Forget that a licence is bound; nothing happens when none is."""
        await self._sessions.update_one({"_id": key}, {"$unset": {"licence": ""}})

    # -- askers -------------------------------------------------------------------------------

    async def know_asker(self, key: str, asker: str) -> None:
        """Remember a device that proved itself by a code (its blind index)."""
        await self._sessions.update_one({"_id": key}, once(asker, _ASKERS, {}, marks="askers"))


_WITHOUT_TALK = {"talk": 0, "effects": 0}
