"""One row of the table of a matter's life."""

from collections.abc import Iterator
from dataclasses import dataclass

from rules.matter import State
from rules.requests import Guard


@dataclass(frozen=True)
class Step:
    """One row: in ``before``, an actor of kind ``by`` may do ``action``; ``event`` follows, and the
    matter is in ``after``."""

    before: State | None
    action: str
    by: str
    event: str
    after: State
    guard: Guard | None = None


def each(
    states: tuple[State, ...],
    action: str,
    by: str,
    event: str,
    after: State | None,
    guard: Guard | None = None,
) -> Iterator[Step]:
    """The same row for several states; the matter stays in its own where ``after`` is None."""
    for before in states:
        yield Step(before, action, by, event, after or before, guard)
