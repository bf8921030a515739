"""People with WeChat on their phone: who they are, what they follow, their chat, what they agreed
to receive.
"""

import base64
import hashlib
from dataclasses import dataclass, field

from sandbox.journal import Entry
from sandbox.settings import Settings

HOUR = 3600.0
# Customer-service quotas: how long and how many messages after what the user did (48 h / 5; 1 min /
# 3).
AFTER_MESSAGE = (48 * HOUR, 5)
AFTER_EVENT = (60.0, 3)
EVENTS_THAT_OPEN = {"subscribe", "SCAN", "CLICK"}


@dataclass(slots=True)
class Window:
    """How many customer-service messages may still be sent until when."""

    until: float
    left: int


@dataclass(slots=True)
class Consent:
    """What a person tapped in wx.requestSubscribeMessage for one template."""

    count: int = 0
    long_term: bool = False


@dataclass(slots=True)
class Person:
    """One person. `chat` holds the journal's entries in order."""

    id: str
    name: str
    phone: str
    openid: str
    mini_openid: str
    unionid: str
    follows: bool
    chat: list[Entry] = field(default_factory=list)
    consents: dict[str, Consent] = field(default_factory=dict)
    windows: dict[str, Window] = field(default_factory=dict)

    def show(self) -> Entry:
        """The person as the control API tells it."""
        return {
            "person": self.id,
            "name": self.name,
            "phone": self.phone,
            "openid": self.openid,
            "mini_openid": self.mini_openid,
            "unionid": self.unionid,
            "follows": self.follows,
            "consents": {
                key: {"count": consent.count, "long_term": consent.long_term}
                for key, consent in self.consents.items()
            },
        }

    def customer_service_error(self, now: float) -> int:
        """0 when the account may write to this person now, else WeChat's error code."""
        if not self.follows:
            return 43004
        live = [window for window in self.windows.values() if window.until > now]
        if not live:
            return 45015
        return 0 if any(window.left > 0 for window in live) else 45047


class People:
    """Everybody, found by id or either openid. Changes only through `apply`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.by_id: dict[str, Person] = {}
        self.by_openid: dict[str, Person] = {}
        self.by_mini_openid: dict[str, Person] = {}

    def apply(self, entry: Entry) -> None:
        """Take one journal entry into account; unknown kinds are none of ours."""
        kind = entry["kind"]
        if kind == "person":
            self._add(entry)
        elif kind == "follow":
            self.by_id[entry["person"]].follows = entry["follows"]
        elif kind == "consent":
            consent = self.by_id[entry["person"]].consents.setdefault(
                entry["template_id"], Consent()
            )
            if entry["accept"]:
                consent.count += 1
            consent.long_term = entry["accept"] and entry["long_term"]
        elif kind == "chat":
            self._chat(self.by_id[entry["person"]], entry)

    def _add(self, entry: Entry) -> None:
        key = entry["person"]
        person = Person(
            id=key,
            name=entry["name"],
            phone=entry["phone"],
            openid=_openid(self._settings.wechat_appid, key),
            mini_openid=_openid(self._settings.mini_appid, key),
            unionid=_openid("open-platform", key),
            follows=entry["follows"],
        )
        self.by_id[key] = person
        self.by_openid[person.openid] = person
        self.by_mini_openid[person.mini_openid] = person

    @staticmethod
    def _chat(person: Person, entry: Entry) -> None:
        person.chat.append(entry)
        if entry["from"] == "person":
            if entry["type"] != "event":
                seconds, count = AFTER_MESSAGE
                person.windows["message"] = Window(entry["at"] + seconds, count)
            elif entry["event"] in EVENTS_THAT_OPEN:
                seconds, count = AFTER_EVENT
                person.windows["event"] = Window(entry["at"] + seconds, count)
        elif entry["via"] == "customer-service":
            live = [w for w in person.windows.values() if w.until > entry["at"] and w.left > 0]
            if live:
                min(live, key=lambda window: window.until).left -= 1
        elif entry["via"] == "subscribe":
            consent = person.consents.get(entry["template_id"])
            if consent is not None and not consent.long_term:
                consent.count -= 1


def _openid(app: str, key: str) -> str:
    digest = hashlib.sha256(f"{app}/{key}".encode()).digest()
    return "o" + base64.urlsafe_b64encode(digest).decode()[:27]
