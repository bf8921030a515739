"""The chat as stored: the turn, the dialogue under way, the last answers, answers still owed.

Before registration it lies in ``visitors`` under the blind index of the WeChat account, afterwards
in the person's session. One conditional write on ``turn`` makes an answer the answer. What could
not be answered in time lies in ``late_messages`` until it is. Texts and message ids (which may
name an openid) are sealed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from storage.changes import next_turn
from storage.indexes import EPOCH
from storage.session_documents import Session
from storage.sessions import Sessions
from storage.vault import Vault

_REPLIES = 10


@dataclass(frozen=True)
class Place:
    """Where a talk lies: with a visitor (blind index of the account) or in a session."""

    kind: Literal["visitors", "sessions"]
    key: str


@dataclass(frozen=True)
class SealedReply:
    """An answer given: opened only when its message comes again. ``id`` is a blind index."""

    place: Place
    id: str
    sealed: bytes


@dataclass(frozen=True)
class StoredTalk:
    """A talk as read at ``turn``, with the last answers given."""

    turn: int = 0
    dialogue: Mapping[str, Any] | None = None
    expires_at: datetime | None = None
    replies: tuple[SealedReply, ...] = ()

    def dialogue_at(self, now: datetime) -> Mapping[str, Any] | None:
        """The dialogue, unless it has expired."""
        return self.dialogue if self.expires_at is not None and self.expires_at > now else None

    def carrying(self, before: "StoredTalk") -> "StoredTalk":
        """This talk, not begun yet, going on with what was said elsewhere before."""
        return replace(before, turn=self.turn, replies=(*before.replies, *self.replies))


@dataclass(frozen=True)
class LateMessage:
    """A message whose answer was promised; ``message`` are its plain values."""

    place: Place
    message: Mapping[str, Any]
    due: datetime


class Conversations:
    """Reads and writes talks. Raises pymongo's errors when the engine does not answer."""

    def __init__(
        self, database: AsyncDatabase[dict[str, Any]], vault: Vault, sessions: Sessions
    ) -> None:
        self._sessions = sessions
        self._collections = {kind: database[kind] for kind in ("visitors", "sessions")}
        self._late = database["late_messages"]
        self._vault = vault

    async def load(self, place: Place) -> StoredTalk:
        """The talk at a place; an empty one when nothing was said yet."""
        collection = self._collections[place.kind]
        document = await collection.find_one({"_id": place.key}, {"talk": 1})
        return self._opened(place, (document or {}).get("talk"))

    async def of_citizen(self, key: str) -> tuple[Session, StoredTalk] | None:
        """A citizen's account and his talk in one read; None when there is no account, or it is
        closed."""
        document = await self._collections["sessions"].find_one({"_id": key}, {"effects": 0})
        if document is None or "closed_at" in document:
            return None
        opened = self._opened(Place("sessions", key), document.get("talk"))
        return self._sessions.opened(document), opened

    async def commit(
        self,
        place: Place,
        turn: int,
        *,
        message_id: str,
        reply: str,
        dialogue: Mapping[str, Any] | None,
        expires_at: datetime,
    ) -> bool:
        """Keep the answer to a message and where the dialogue stands; False when another answer
        was kept since ``turn`` was read."""
        kept = {
            "id": self._vault.index("message", message_id),
            "reply": self._vault.seal(reply, _reply_context(place)),
        }
        talk: dict[str, Any] = {"turn": turn + 1, "expires_at": expires_at}
        if dialogue is not None:
            talk["dialogue"] = self._vault.seal(dialogue, f"{_context(place)}/dialogue")
        if place.kind == "sessions":
            change = next_turn("talk", turn, talk, kept, _REPLIES)
            result = await self._collections["sessions"].update_one({"_id": place.key}, change)
            return bool(result.modified_count)
        if turn == 0:
            # A visitor's first answer makes his document; the slower of two meets its _id.
            first = {"_id": place.key, "talk": {**talk, "replies": [kept]}}
            try:
                await self._collections["visitors"].insert_one(first)
            except DuplicateKeyError:
                return False
            return True
        change = next_turn("talk", turn, talk, kept, _REPLIES)
        result = await self._collections["visitors"].update_one({"_id": place.key}, change)
        return bool(result.modified_count)

    async def drop(self, visitor: str) -> None:
        """Forget what a visitor said."""
        await self._collections["visitors"].delete_one({"_id": visitor})

    # -- answers still owed -------------------------------------------------------------------

    async def postpone(
        self, place: Place, message_id: str, message: Mapping[str, Any], due: datetime
    ) -> bool:
        """Keep a message that cannot be answered in time; False when it was kept before."""
        late_id = self._late_id(message_id)
        try:
            await self._late.insert_one(
                {
                    "_id": late_id,
                    "kind": place.kind,
                    "key": place.key,
                    "message": self._vault.seal(message, f"late_messages/{late_id}"),
                    "due": due,
                    "since": due,
                }
            )
        except DuplicateKeyError:
            return False
        return True

    async def late_due(self, now: datetime, limit: int) -> list[LateMessage]:
        """Promised answers that are due, longest first."""
        cursor = self._late.find({"due": {"$gt": EPOCH, "$lte": now}}).sort("due", 1).limit(limit)
        return [
            LateMessage(
                place=Place(d["kind"], d["key"]),
                message=self._vault.open_json(d["message"], f"late_messages/{d['_id']}"),
                due=d["due"],
            )
            async for d in cursor
        ]

    async def take_late(self, message_id: str, due: datetime, lease: datetime) -> bool:
        """Take a promised answer that is ``due`` in hand until ``lease``; False when somebody else
        has it, or has given it."""
        result = await self._late.update_one(
            {"_id": self._late_id(message_id), "due": due}, {"$set": {"due": lease}}
        )
        return bool(result.modified_count)

    async def late_done(self, place: Place, message_id: str) -> None:
        """The promise is kept, wherever the talk lies by now."""
        await self._late.delete_one({"_id": self._late_id(message_id)})

    # -- inside -------------------------------------------------------------------------------

    def _late_id(self, message_id: str) -> str:
        return self._vault.index("message", message_id)

    def reply_to(self, talk: StoredTalk, message_id: str) -> str | None:
        """The answer given to a message before; None when it was not answered."""
        wanted = self._vault.index("message", message_id)
        found = next((r for r in talk.replies if r.id == wanted), None)
        return self._vault.open_text(found.sealed, _reply_context(found.place)) if found else None

    def _opened(self, place: Place, talk: Mapping[str, Any] | None) -> StoredTalk:
        if not talk or not talk["turn"]:
            return StoredTalk()
        dialogue = talk.get("dialogue")
        return StoredTalk(
            turn=talk["turn"],
            dialogue=self._vault.open_json(dialogue, f"{_context(place)}/dialogue")
            if dialogue
            else None,
            expires_at=talk.get("expires_at"),
            replies=tuple(SealedReply(place, r["id"], r["reply"]) for r in talk["replies"]),
        )


def _context(place: Place) -> str:
    return f"{place.kind}/{place.key}"


def _reply_context(place: Place) -> str:
    return f"{_context(place)}/reply"
