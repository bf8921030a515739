"""What a blind index was and what it becomes: found from every plain value that lies sealed.

An index cannot be read backwards. So everything sealed is opened once, and each ID number, phone,
plate, openid and message id in it gives a pair in ``reindex_map``: its index under the old key and
under the new one. Whatever looks like an index, wherever it lies, is then looked up there.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError

from storage.sealed_places import SealedValue, sealed_values, with_values
from storage.vault import Vault, VaultError

MAP = "reindex_map"
_DUPLICATE = 11000
# Alone, or before the number of an event ("<index>-0001").
_INDEX = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?=-\d{4}(?!\d)|(?![A-Za-z0-9_-]))")
_ID_NUMBER = re.compile(r"\d{17}[\dX]")
_PHONE = re.compile(r"1\d{10}")
_PLATE = re.compile(r"[\u4e00-\u9fff][A-Z][A-Z0-9]{4,7}[\u4e00-\u9fff]?")

Document = dict[str, Any]

MAPPED = frozenset({"id-number", "phone", "plate", "openid", "message", "mandate"})
"""Kinds of blind index that lie in documents and are made anew."""

LEFT = frozenset(
    {
        # Numbers and ids made from a cause: they are known to people and stay.
        *("matter-number", "school-batch", "exam-plan"),
        # Worked out whenever they are asked for, or kept in Redis only, where they expire.
        *("vehicle-handle", "sms-code", "sms-code-claim", "login-renewal", "desk-login", "memory"),
        # Tell a repeated row, picture or message; a repetition across the change is done anew.
        *("school-row", "upload", "farewell"),
        # Devices known by a ticket that only they hold: they are strangers once.
        "asker",
        # The chains of the access log, which are made anew (storage/reindex_chain.py).
        "access-log",
    }
)
"""Kinds that are not; a test finds every kind in one of the two sets."""


class OldAndNew:
    """Makes pairs and uses them. ``apps``: those whose openids are known."""

    def __init__(
        self, database: AsyncDatabase[Document], old: Vault, new: Vault, apps: Sequence[str]
    ) -> None:
        self._map = database[MAP]
        self._old = old
        self._new = new
        self._apps = apps

    async def learn(self, collection: str, documents: Sequence[Mapping[str, Any]]) -> int:
        """Keep the pairs of everything these documents hold sealed; how many values did not
        open."""
        pairs: dict[str, str] = {}
        broken = 0
        for document in documents:
            for value in sealed_values(collection, document):
                try:
                    plain = value.reopened(self._old)
                except VaultError:
                    broken += 1
                    continue
                for kind, text in _plain_values(value, plain):
                    if kind == "openid":
                        pairs |= self._of_openid(text)
                    else:
                        pairs[self._old.index(kind, text)] = self._new.index(kind, text)
        await self._keep(pairs)
        return broken

    async def learn_mandates(self, mandates: Sequence[Mapping[str, Any]]) -> None:
        """Keep the pairs of mandates, whose index is made of the indexes of two persons."""
        parties = ("principal", "agent")
        known = await self.known([m[party] for m in mandates for party in parties])
        pairs = {}
        for mandate in mandates:
            if all(mandate[party] in known for party in parties):
                both = "/".join(known[mandate[party]] for party in parties)
                pairs[mandate["_id"]] = self._new.index("mandate", both)
        await self._keep(pairs)

    async def _keep(self, pairs: Mapping[str, str]) -> None:
        if pairs:
            rows = [{"_id": old, "new": new} for old, new in pairs.items()]
            try:
                await self._map.insert_many(rows, ordered=False)
            except BulkWriteError as error:
                if any(e["code"] != _DUPLICATE for e in error.details["writeErrors"]):
                    raise

    def _of_openid(self, openid: str) -> dict[str, str]:
        return {
            self._old.openid_key(app, openid): self._new.openid_key(app, openid)
            for app in self._apps
        }

    async def known(self, indexes: Sequence[str]) -> dict[str, str]:
        """Old index → new index, of those that are known."""
        found = self._map.find({"_id": {"$in": list(indexes)}})
        return {d["_id"]: d["new"] async for d in found}

    async def moved(self, collection: str, documents: Sequence[Document]) -> list[Document | None]:
        """The documents with every old index replaced and sealed for where they lie then; None in
        place of one that holds none."""
        opened = [
            [(v, _opened(v, self._old)) for v in sealed_values(collection, d)] for d in documents
        ]
        wanted: set[str] = set()
        for document, values in zip(documents, opened, strict=True):
            wanted.update(_indexes_in(document))
            for _, content in values:
                wanted.update(_indexes_in(content))
        known = await self.known(sorted(wanted)) if wanted else {}
        return [
            self._moved(collection, document, values, known)
            for document, values in zip(documents, opened, strict=True)
        ]

    def _moved(
        self,
        collection: str,
        document: Document,
        values: Sequence[tuple[SealedValue, Any]],
        known: Mapping[str, str],
    ) -> Document | None:
        moved: Document = _rewritten(document, known)
        sealed = {}
        # The same values in the same order, now at their new places.
        for (before, content), after in zip(values, sealed_values(collection, moved), strict=True):
            fresh = _rewritten(content, known)
            if content is not None and (fresh != content or after.context != before.context):
                sealed[after.steps] = self._new.seal(fresh, after.context)
        if not sealed and moved == document:
            return None
        return {**moved, **with_values(moved, sealed)}


def _opened(value: SealedValue, vault: Vault) -> Any:
    """What is sealed; None where it does not open, which stays as it is."""
    try:
        plain = value.reopened(vault)
    except VaultError:
        return None
    return orjson.loads(plain) if value.place.json else plain.decode()


def _plain_values(value: SealedValue, plain: bytes) -> Iterator[tuple[str, str]]:
    """(kind, text) of everything in a sealed value of which there may be a blind index."""
    if not value.place.json:
        yield from _kinds(value.place.path.rpartition(".")[2], plain.decode())
        return
    for name, text in _named_texts("", orjson.loads(plain)):
        yield from _kinds(name, text)


def _kinds(name: str, text: str) -> Iterator[tuple[str, str]]:
    if _ID_NUMBER.fullmatch(text):
        yield "id-number", text
    if _PHONE.fullmatch(text):
        yield "phone", text
    if _PLATE.fullmatch(text):
        yield "plate", text
    if name in ("openid", "unionid"):
        yield "openid", text
    if name == "message_id":
        yield "message", text


def _named_texts(name: str, held: Any) -> Iterator[tuple[str, str]]:
    if isinstance(held, str):
        yield name, held
    elif isinstance(held, Mapping):
        for key, value in held.items():
            yield from _named_texts(key, value)
    elif isinstance(held, list):
        for value in held:
            yield from _named_texts(name, value)


def _indexes_in(held: Any) -> Iterator[str]:
    if isinstance(held, str):
        yield from _INDEX.findall(held)
    elif isinstance(held, Mapping):
        for name, value in held.items():
            yield from _INDEX.findall(name)
            yield from _indexes_in(value)
    elif isinstance(held, list):
        for value in held:
            yield from _indexes_in(value)


def _rewritten(held: Any, known: Mapping[str, str]) -> Any:
    """The same with every old index replaced, in names and in values."""
    if isinstance(held, str):
        return _INDEX.sub(lambda m: known.get(m[0], m[0]), held)
    if isinstance(held, Mapping):
        return {_rewritten(n, known): _rewritten(v, known) for n, v in held.items()}
    if isinstance(held, list):
        return [_rewritten(v, known) for v in held]
    return held
