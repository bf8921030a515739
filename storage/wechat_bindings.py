"""The collection ``wechat_bindings``: which citizen a WeChat account speaks for.

``_id`` is the blind index of appid and openid, so one account speaks for one person at most. The
person's session names the account the other way round, one for each app; only where both agree is
the account the person's (see docs/decisions/0011). ``due`` is set while a binding is being made or
its end told: whatever is left of it then, the sweep puts in order. ``claim`` is new with every
binding, so that what is deleted is what was read.

Beside them lie the unionids, by their blind index, with the person they were last bound to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cachetools import LRUCache
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from storage.changes import literal
from storage.indexes import EPOCH

_REMEMBERED = 100_000
_FORMER = 20
UNION = "union"
"""The app of a unionid, which is none."""


@dataclass(frozen=True)
class Binding:
    """What an account's document says. ``session`` is None when it speaks for nobody any more;
    ``former`` are persons it spoke for before, who may still name it; ``tell``: the citizen has to
    be told of it."""

    account: str
    app: str
    session: str | None
    claim: str
    bound_at: datetime
    due: datetime | None = None
    former: tuple[str, ...] = ()
    tell: bool = False


class WechatBindings:
    """Reads and writes bindings."""

    def __init__(self, collection: AsyncCollection[dict[str, Any]]) -> None:
        self._bindings = collection
        self._seen: LRUCache[str, str] = LRUCache(_REMEMBERED)

    async def bind(self, new: Binding) -> None:
        """Bind an account to a person, in place of whom it spoke for before, who is remembered in
        ``former``."""
        values = {n: v for n, v in vars(new).items() if n not in ("account", "former")}
        values = {name: value for name, value in values.items() if value not in (None, False)}
        try:
            await self._bindings.insert_one({"_id": new.account, **values})
        except DuplicateKeyError:
            await self._bindings.update_one({"_id": new.account}, _taken_over(new.session, values))

    async def get(self, account: str) -> Binding | None:
        """What an account's document says; None when there is none."""
        found = await self._bindings.find_one({"_id": account})
        if found is None or "session" not in found:
            self._seen.pop(account, None)
        else:
            self._seen[account] = found["session"]
        return _binding(found) if found is not None else None

    def last_seen(self, account: str) -> str | None:
        """Whom the account spoke for when this process last looked: worth reading his session
        while the binding is looked up, and nothing more."""
        return self._seen.get(account)

    async def settled(self, account: str, claim: str) -> None:
        """Nothing is left to be done for this very binding."""
        this = {"$eq": ["$claim", literal(claim)]}
        gone = {n: {"$cond": [this, "$$REMOVE", f"${n}"]} for n in ("due", "former", "tell")}
        await self._bindings.update_one({"_id": account}, [{"$set": gone}])

    async def later(self, account: str, claim: str, due: datetime, until: datetime) -> bool:
        """Take a binding that is ``due`` in hand until a moment; False when somebody else has
        it."""
        this = {"$and": [{"$eq": ["$claim", literal(claim)]}, {"$eq": ["$due", due]}]}
        change = [{"$set": {"due": {"$cond": [this, until, "$due"]}}}]
        result = await self._bindings.update_one({"_id": account}, change)
        return bool(result.modified_count)

    async def unbind(self, account: str, session: str, at: datetime) -> None:
        """The account does not speak for this person any more; nothing happens when it speaks for
        another. Its document is deleted, by the sweep if this process does not live to do it."""
        this = {"$eq": ["$session", literal(session)]}
        kept = {n: f"${n}" for n in ("_id", "app", "claim", "bound_at", "former")}
        bare = {**kept, "due": at}
        change = [{"$replaceWith": {"$cond": [this, bare, "$$ROOT"]}}]
        self._seen.pop(account, None)
        await self._bindings.update_one({"_id": account}, change)
        found = await self._bindings.find_one({"_id": account})
        if found is not None and "session" not in found and not found.get("former"):
            await self.drop(account, found["claim"])

    async def drop(self, account: str, claim: str) -> None:
        """Delete this very binding."""
        self._seen.pop(account, None)
        await self._bindings.delete_one({"_id": account, "claim": claim})

    async def due(self, now: datetime, limit: int) -> list[Binding]:
        """WechatBindings with something left to do, longest first."""
        cursor = self._bindings.find({"due": {"$gt": EPOCH, "$lte": now}}).sort("due", 1)
        return [_binding(d) async for d in cursor.limit(limit)]


def _taken_over(session: str | None, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The account's next binding, with those it spoke for before and is not settled with yet."""
    known = {"$ifNull": ["$former", []]}
    last = {"$cond": [{"$eq": [{"$type": "$session"}, "string"]}, ["$session"], []]}
    former = {
        "$filter": {
            "input": {"$concatArrays": [known, last]},
            "as": "person",
            "cond": {"$ne": ["$$person", literal(session)]},
        }
    }
    after = {name: literal(value) for name, value in values.items()}
    made = {"_id": "$_id", **after, "former": {"$slice": [former, -_FORMER]}}
    return [{"$replaceWith": made}]


def _binding(found: Mapping[str, Any]) -> Binding:
    return Binding(
        account=found["_id"],
        app=found["app"],
        session=found.get("session"),
        claim=found["claim"],
        bound_at=found["bound_at"],
        due=found.get("due"),
        former=tuple(found.get("former", ())),
        tell=found.get("tell", False),
    )
