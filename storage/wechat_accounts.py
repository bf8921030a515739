"""The part ``wechat`` of a session: the one account of each app the person is reached by.

Openid and unionid lie here sealed; ``key`` and ``union`` are blind indexes, by which their own
documents in ``wechat_bindings`` are found.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection

from storage.changes import literal, part, set_if_absent, unset_if
from storage.vault import Vault

_BEFORE = 20


@dataclass(frozen=True)
class WechatAccount:
    """A WeChat account the session names. ``claim`` is that of the binding that named it;
    ``before`` are accounts it took the place of and that may still be bound."""

    key: str
    claim: str
    openid: str
    bound_at: datetime
    unionid: str | None = None
    union: str | None = None
    before: tuple[str, ...] = ()


class WechatAccounts:
    """Reads and writes the accounts sessions name."""

    def __init__(self, collection: AsyncCollection[dict[str, Any]], vault: Vault) -> None:
        self._sessions = collection
        self._vault = vault

    async def put(self, session: str, app: str, account: WechatAccount) -> None:
        """Name an account in place of another, which is remembered in ``before``."""
        field = f"wechat.{part(app)}"
        known = {"$ifNull": [f"${field}.before", []]}
        last = {"$cond": [{"$eq": [{"$type": f"${field}.key"}, "string"]}, [f"${field}.key"], []]}
        others = {
            "$filter": {
                "input": {"$concatArrays": [known, last]},
                "as": "one",
                "cond": {"$ne": ["$$one", literal(account.key)]},
            }
        }
        # Merged from nothing: a map set on a map would keep what it does not name.
        named = {
            "$mergeObjects": [
                literal(self._entry(session, app, account)),
                {"before": {"$slice": [others, -_BEFORE]}},
            ]
        }
        await self._sessions.update_one({"_id": session}, [{"$set": {field: named}}])

    async def put_if_none(self, session: str, app: str, account: WechatAccount) -> bool:
        """Name an account where none is named; False when one is."""
        change = set_if_absent(f"wechat.{part(app)}", self._entry(session, app, account))
        result = await self._sessions.update_one({"_id": session}, change)
        return bool(result.modified_count)

    async def settled(self, session: str, app: str, claim: str) -> None:
        """Those named before are settled with."""
        field = f"wechat.{part(app)}"
        change = unset_if(f"{field}.before", f"{field}.claim", claim)
        await self._sessions.update_one({"_id": session}, change)

    async def remove(self, session: str, app: str, claim: str) -> None:
        """Name the account of this claim no more; one named since stays."""
        field = f"wechat.{part(app)}"
        await self._sessions.update_one({"_id": session}, unset_if(field, f"{field}.claim", claim))

    async def remember_last(self, session: str, app: str, account: str | None) -> None:
        """Note which account (blind index) the person unbound himself; None forgets it."""
        field = f"wechat_last.{part(app)}"
        change = {"$set": {field: account}} if account else {"$unset": {field: ""}}
        await self._sessions.update_one({"_id": session}, change)

    def _entry(self, session: str, app: str, account: WechatAccount) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "key": account.key,
            "claim": account.claim,
            "openid": self._vault.seal(account.openid, f"sessions/{session}/{app}"),
            "bound_at": account.bound_at,
        }
        if account.unionid is not None:
            context = f"sessions/{session}/{app}/unionid"
            entry["unionid"] = self._vault.seal(account.unionid, context)
            entry["union"] = account.union
        return entry


def accounts_of(document: Mapping[str, Any], vault: Vault) -> dict[str, WechatAccount]:
    """The accounts a session's document names, by app."""
    return {
        app: WechatAccount(
            key=entry["key"],
            claim=entry["claim"],
            openid=vault.open_text(entry["openid"], f"sessions/{document['_id']}/{app}"),
            bound_at=entry["bound_at"],
            unionid=_unionid(document["_id"], app, entry, vault),
            union=entry.get("union"),
            before=tuple(entry.get("before", ())),
        )
        for app, entry in document.get("wechat", {}).items()
    }


def _unionid(session: str, app: str, entry: Mapping[str, Any], vault: Vault) -> str | None:
    sealed = entry.get("unionid")
    return vault.open_text(sealed, f"sessions/{session}/{app}/unionid") if sealed else None
