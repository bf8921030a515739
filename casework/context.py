"""What every verb is given: rules, stores, gateways, clock and ids, built in bianmin/app.py."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from casework.passwords import Passwords
from casework.photos import PhotoLab
from casework.recent import Recent
from notify.gateways import Gateways
from rules.book import Rulebook
from rules.calendar import HOUSE_ZONE
from rules.facts import Office
from storage.stores import Stores


class Ids(Protocol):
    """Randomness, handed in so that it is made in one place."""

    def token(self) -> str:
        """256 random bits, URL-safe."""

    def digits(self, count: int) -> str:
        """That many random decimal digits."""


@dataclass(frozen=True)
class PublicSettings:
    """The settings verbs may know; no secret is among them but the thumbnail key."""

    official_appid: str
    mini_appid: str
    environment: str
    thumbnail_key: bytes


@dataclass(frozen=True)
class Context:
    """Handed to every verb of casework as its first argument."""

    book: Rulebook
    stores: Stores
    gateways: Gateways
    lab: PhotoLab
    clock: Callable[[], datetime]
    ids: Ids
    checkpoint: Callable[[str], None]
    settings: PublicSettings
    recent: Recent
    passwords: Passwords

    def now(self) -> datetime:
        """The present, aware, UTC."""
        return self.clock()

    def today(self) -> date:
        """The date in the house's zone, which is the law's."""
        return self.now().astimezone(HOUSE_ZONE).date()

    def figure(self, name: str) -> Any:
        """Today's value of a dated parameter."""
        return self.book.parameters.at(name, self.today()).value

    def seconds(self, name: str) -> timedelta:
        """Today's value of a parameter whose unit is seconds."""
        return timedelta(seconds=float(self.figure(name)))

    async def office(self, code: str | None) -> Office | None:
        """An office of the registry by its code."""
        return await self.stores.registry.office(code) if code else None

    async def ready(self) -> bool:
        """Whether both engines answer."""
        return await self.stores.ping()
