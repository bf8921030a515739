"""What became of an entry."""

from dataclasses import dataclass

from rules.matter import State


@dataclass(frozen=True)
class Enrolled:
    """A student's enrolment: the matter's number and state; ``fresh`` when something was written
    just now."""

    number: str
    state: State
    fresh: bool
