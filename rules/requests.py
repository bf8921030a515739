"""An action as asked for, and what a guard of ``rules.flow`` makes of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from rules.book import Rulebook
from rules.calendar import HOUSE_ZONE
from rules.catalogue import Service
from rules.facts import Facts
from rules.matter import Matter
from rules.people import Actor
from rules.refusals import Refusal


@dataclass(frozen=True)
class Request:
    """An action as asked for; ``matter`` is None when it would begin one."""

    service: Service
    matter: Matter | None
    actor: Actor
    given: Mapping[str, Any]
    facts: Facts
    now: datetime
    book: Rulebook

    @property
    def present(self) -> Matter:
        """The matter acted on; only rows with a state before them ask for it."""
        if self.matter is None:
            raise ValueError("this step needs a matter")
        return self.matter

    def figure(self, name: str) -> Any:
        """The value of a dated parameter as it holds for this matter.

        A matter is decided by the figures of the day it was submitted.
        """
        return self.book.parameters.at(name, self.as_submitted.today).value

    @property
    def as_submitted(self) -> Facts:
        """The facts as of the day of submission: who asked in time and is still putting right
        what was wrong must not lose his place by it."""
        since = self.matter.submitted_at if self.matter else None
        return replace(self.facts, today=(since or self.now).astimezone(HOUSE_ZONE).date())


Guard = Callable[[Request], "Mapping[str, Any] | Refusal"]
