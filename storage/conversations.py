"""The chat as stored: the turn, the dialogue under way, the last answers, answers still owed.

Before registration it lies in ``visitors`` under the blind index of the WeChat account, afterwards
in the person's session. One conditional write on ``turn`` makes an answer the answer. What could
not be answered in time lies in ``late_messages`` until it is. Texts and message ids (which may
name an openid) are sealed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from storage.indexes import EPOCH
from storage.sessions import Session, Sessions
from storage.vault import Vault

_REPLIES = 10


@dataclass(frozen=True)
class Place:
    """Where a talk lies: with a visitor (blind index of the account) or in a session."""

    kind: Literal["visitors", "sessions"]
    key: str


@dataclass(frozen=True)
class StoredTalk:
    """A talk as read at ``turn``. ``replies`` maps the last message ids to their answers."""

    turn: int = 0
    dialogue: Mapping[str, Any] | None = None
    expires_at: datetime | None = None
    replies: Mapping[str, str] = field(default_factory=dict)

    def reply_to(self, message_id: str) -> str | None:
        """The answer given to a message before; None when it was not answered."""
        return self.replies.get(message_id)

    def dialogue_at(self, now: datetime) -> Mapping[str, Any] | None:
        """The dialogue, unless it has expired."""
        return self.dialogue if self.expires_at is not None and self.expires_at > now else None

    def carrying(self, before: "StoredTalk") -> "StoredTalk":
        """This talk, not begun yet, going on with what was said elsewhere before."""
        return replace(before, turn=self.turn, replies={**before.replies, **self.replies})


@dataclass(frozen=True)
class LateMessage:
    """A message whose answer was promised; ``message`` are its plain values."""

    id: str
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
        if place.kind == "visitors":
            talk = await collection.find_one({"_id": place.key})
        else:
            document = await collection.find_one({"_id": place.key}, {"talk": 1})
            talk = (document or {}).get("talk")
        return self._opened(place, talk) if talk else StoredTalk()

    async def of_citizen(self, key: str) -> tuple[Session, StoredTalk] | None:
        """A citizen's account and his talk in one read; None when there is no account."""
        document = await self._collections["sessions"].find_one({"_id": key}, {"effects": 0})
        if document is None:
            return None
        talk = document.get("talk")
        place = Place("sessions", key)
        opened = self._opened(place, talk) if talk and talk["turn"] else StoredTalk()
        return self._sessions.opened(document), opened

    async def commit(
        self,
        place: Place,
        turn: int,
        *,
        message_id: str,
        reply: str,
        dialogue: Mapping[str, Any] | None,
        at: datetime,
        expires_at: datetime,
    ) -> bool:
        """Keep the answer to a message and where the dialogue stands; False when another answer
        was kept since ``turn`` was read."""
        at_path = "" if place.kind == "visitors" else "talk."
        answered = {"id": message_id, "reply": reply}
        kept = {"at": at, "answer": self._vault.seal(answered, f"{_context(place)}/reply")}
        change: dict[str, Any] = {
            "$inc": {f"{at_path}turn": 1},
            "$push": {f"{at_path}replies": {"$each": [kept], "$slice": -_REPLIES}},
            "$set": {f"{at_path}expires_at": expires_at},
        }
        if dialogue is None:
            change["$unset"] = {f"{at_path}dialogue": ""}
        else:
            sealed = self._vault.seal(dialogue, f"{_context(place)}/dialogue")
            change["$set"][f"{at_path}dialogue"] = sealed
        try:
            result = await self._collections[place.kind].update_one(
                {"_id": place.key, f"{at_path}turn": turn},
                change,
                # A visitor's first answer makes his document; the slower of two meets its _id.
                upsert=place.kind == "visitors" and turn == 0,
            )
        except DuplicateKeyError:
            return False
        return bool(result.modified_count or result.upserted_id is not None)

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
                id=d["_id"],
                place=Place(d["kind"], d["key"]),
                message=self._vault.open_json(d["message"], f"late_messages/{d['_id']}"),
                due=d["due"],
            )
            async for d in cursor
        ]

    async def postpone_again(self, late: LateMessage, due: datetime) -> bool:
        """Take a promised answer in hand until ``due``; False when somebody else has it."""
        result = await self._late.update_one(
            {"_id": late.id, "due": late.due}, {"$set": {"due": due}}
        )
        return bool(result.modified_count)

    async def late_done(self, place: Place, message_id: str) -> None:
        """The promise is kept, wherever the talk lies by now."""
        await self._late.delete_one({"_id": self._late_id(message_id)})

    # -- inside -------------------------------------------------------------------------------

    def _late_id(self, message_id: str) -> str:
        return self._vault.index("message", message_id)

    def _opened(self, place: Place, talk: Mapping[str, Any]) -> StoredTalk:
        dialogue = talk.get("dialogue")
        answers = [
            self._vault.open_json(r["answer"], f"{_context(place)}/reply") for r in talk["replies"]
        ]
        return StoredTalk(
            turn=talk["turn"],
            dialogue=self._vault.open_json(dialogue, f"{_context(place)}/dialogue")
            if dialogue
            else None,
            expires_at=talk.get("expires_at"),
            replies={a["id"]: a["reply"] for a in answers},
        )


def _context(place: Place) -> str:
    return f"{place.kind}/{place.key}"
