"""The catalogue: one TOML file a service, read strictly.

An unknown key, a missing word, an unknown condition, parameter or text stops the start with a
message naming file and key.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from rules.catalogue.reading import read_service
from rules.catalogue.service import (
    KINDS,
    SECTORS,
    Limits,
    OfficeRole,
    Opening,
    Reminder,
    Service,
    Who,
)
from rules.fields import Checks, Field, MaterialSpec, Option
from rules.parameters import Parameters
from rules.refusals import Refusal
from rules.texts import Texts
from rules.toml_files import RulebookError, Table, read_folder

__all__ = [
    "KINDS",
    "SECTORS",
    "Catalogue",
    "Checks",
    "Field",
    "Limits",
    "MaterialSpec",
    "OfficeRole",
    "Opening",
    "Option",
    "Reminder",
    "Service",
    "Who",
    "build_catalogue",
    "load_catalogue",
]


class Catalogue:
    """Every service there is, in the order of their codes."""

    def __init__(self, services: Iterable[Service]) -> None:
        self._services = {s.code: s for s in services}

    def __iter__(self) -> Iterator[Service]:
        return iter(self._services.values())

    def __len__(self) -> int:
        return len(self._services)

    def __getitem__(self, code: str) -> Service:
        """The service of a code that is known to exist. Raises KeyError."""
        return self._services[code]

    def find(self, code: str) -> Service:
        """The service of a code somebody gave. Raises Refusal ``service-unknown``."""
        service = self._services.get(code)
        if service is None:
            raise Refusal("service-unknown")
        return service

    def open(self, on: date, region: str | None = None) -> tuple[Service, ...]:
        """The services open to everybody of a region on a day."""
        return tuple(s for s in self if s.is_open(on, region))


def load_catalogue(texts: Texts, parameters: Parameters) -> Catalogue:
    """The services of this folder. Raises RulebookError naming file and key."""
    return build_catalogue(read_folder(__name__), texts, parameters)


def build_catalogue(
    sources: Iterable[tuple[str, Mapping[str, Any]]], texts: Texts, parameters: Parameters
) -> Catalogue:
    """A catalogue from (file name, content) pairs. Raises RulebookError."""
    services: list[Service] = []
    claimed: dict[str, str] = {}
    for file, content in sources:
        service = read_service(Table(file, "", content), texts, parameters)
        for word in (service.title, *service.synonyms):
            if claimed.setdefault(word, file) != file:
                raise RulebookError(f"{file}: synonyms: {word} belongs to {claimed[word]}")
        services.append(service)
    return Catalogue(services)
