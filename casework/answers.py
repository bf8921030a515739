"""What the target of an effect may answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Answer:
    """The step of the matter that follows from what its effect found, taken by the system.

    ``undo`` is the kind of effect that takes back what this one did, should the matter have ended
    before the answer came: its process slept, and another one went on.
    """

    action: str
    given: Mapping[str, Any] = field(default_factory=dict)
    undo: str = ""


@dataclass(frozen=True)
class Onward:
    """A step of a matter that follows from an effect of another one (or of the same, decided on all
    its facts), taken by the system under the effect's id. Where the table or a rule says no,
    nothing follows: that matter has gone on without it."""

    matter: str
    action: str
    given: Mapping[str, Any] = field(default_factory=dict)
