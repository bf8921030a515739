"""Houses to kill in: each with its own database and sandbox, several side by side."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from storage.engines import EngineUrls
from tests.support.processes import House, Started, free_port
from tests.support.story import QuickTown, at
from tests.support.web import Reply

KILLED = -9


@dataclass
class Place:
    """A town with one service, and processes that are doomed."""

    town: QuickTown
    service: Started

    @property
    def house(self) -> House:
        """Spoken to at the service that lives."""
        return self.town.house

    def killed_at(self, point: str, ask: Callable[[House], Reply]) -> None:
        """Start a service that dies at ``point`` and ask it; the answer must not come."""
        doomed = self.house.start_service(port=free_port(), BIANMIN_CRASH_AT=point)
        port = int(doomed.url.rpartition(":")[2])
        try:
            reply = ask(at(self.house, port))
        except OSError:
            assert doomed.wait() == KILLED, point
        else:
            raise AssertionError(f"{point} was not passed: {reply.status} {reply.body[:300]!r}")

    def killed_and_repeated(self, point: str, ask: Callable[[House], Reply]) -> Reply:
        """The same request, its key unchanged, first to a service that dies at ``point``."""
        self.killed_at(point, ask)
        return ask(self.house)


@contextmanager
def place(urls: EngineUrls, folder: Path, people: int) -> Iterator[Place]:
    """Sandbox, service and a town of people whose licences end in two months."""
    folder.mkdir(parents=True, exist_ok=True)
    with House(folder, urls, f"test_kills_{secrets.token_hex(6)}") as house:
        house.start_sandbox()
        house.start_code_sender()
        town = QuickTown(house, people, valid_until=date.today() + timedelta(days=60))
        yield Place(town, house.start_service())
