"""The whole outside world in one object: built once by the server and handed to every handler."""

import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from sandbox.codes import Codes
from sandbox.faults import Faults
from sandbox.inbox import Inbox, Sms
from sandbox.journal import Entry, Journal
from sandbox.media import MediaStore
from sandbox.people import People, Person
from sandbox.settings import Settings
from sandbox.templates import load_templates
from sandbox.tokens import Tokens


class World:
    """State of everything outside the service."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.shift = settings.clock_offset
        self.templates = load_templates(settings.templates)
        self.journal = Journal(settings.journal, self.now)
        self.people = People(settings)
        self.inbox = Inbox()
        self.tokens = Tokens()
        self.codes = Codes()
        self.faults = Faults()
        journal = settings.journal
        self.media = MediaStore(journal.with_name(journal.name + ".media") if journal else None)
        self.menu: dict[str, Any] | None = None
        self.push_event: Callable[[Person, dict[str, str]], None] = lambda person, fields: None
        """Push an event to the service without waiting; the server connects it."""
        self.expect_receipt: Callable[[Sms], None] = lambda sms: None
        """See to an SMS's receipt without waiting; the server connects it."""
        self.sms_nonces: dict[str, float] = {}
        for entry in self.journal.entries:
            self._apply(entry)
        if settings.seed_file is not None:
            self._seed(settings.seed_file)

    def now(self) -> float:
        """Seconds since 1970 on the sandbox's clock, which the control API can move forward."""
        return time.time() + self.shift

    def record(self, kind: str, **fields: Any) -> Entry:
        """Write what happened to the journal and let everybody concerned know."""
        entry = self.journal.write(kind, fields)
        self._apply(entry)
        return entry

    def _apply(self, entry: Entry) -> None:
        self.people.apply(entry)
        self.inbox.apply(entry)
        if entry["kind"] == "menu":
            self.menu = entry["menu"]

    def add_person(self, name: str = "", phone: str = "", follows: bool = True) -> Person:
        """A new person with WeChat; follows the account from the start unless told otherwise."""
        key = secrets.token_hex(4)
        self.record("person", person=key, name=name or f"市民{key}", phone=phone, follows=follows)
        return self.people.by_id[key]

    def _seed(self, path: Path) -> None:
        """Add the people of a seed file ({"people": [{"name", "phone"}]}) who are not there yet."""
        known = {(person.name, person.phone) for person in self.people.by_id.values()}
        for wish in orjson.loads(path.read_bytes())["people"]:
            if (wish.get("name", ""), wish.get("phone", "")) not in known:
                self.add_person(wish.get("name", ""), wish.get("phone", ""))
