"""An expected no. A rule gives or raises a ``Refusal`` with a code; ``rules.texts`` words it."""

from dataclasses import dataclass
from typing import Any


class Refusal(Exception):
    """An expected no, by its code in ``texts/refusals.toml``, with what its wording needs.

    Params never hold ID numbers, phones or names of persons: they reach logs and error bodies.
    """

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Refusal) and (self.code, self.params) == (
            other.code,
            other.params,
        )

    def __hash__(self) -> int:
        return hash(self.code)

    def __repr__(self) -> str:
        return f"Refusal({self.code!r}, {self.params!r})"


@dataclass(frozen=True)
class Worded:
    """A refusal in the citizen's words: HTTP status, code, what is wrong, what to do next."""

    status: int
    code: str
    detail: str
    next: str
