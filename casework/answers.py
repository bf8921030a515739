"""What the target of an effect may answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Answer:
    """The step of the matter that follows from what its effect found, taken by the system."""

    action: str
    given: Mapping[str, Any] = field(default_factory=dict)
