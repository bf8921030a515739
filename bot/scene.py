"""What a question of the conversation is given and what may follow its answer.

A dialogue is plain JSON between two messages: ``flow``, ``step``, ``answers`` and, when something
was interrupted, ``paused``. A ``Question`` words itself from the scene and turns what the citizen
sent into a ``Move``. Anything a question raises as ``Refusal`` is said, and the question asked
again: so a question only cares for the way forward.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from casework.context import Context
from casework.turns import Incoming
from rules.people import Citizen


@dataclass(frozen=True)
class Move:
    """What follows: the next question (``flow.step``), or the end of the talk when ``to`` is None.

    ``said`` comes before the next question. ``citizen`` is set when the move made the person known.
    ``paused`` is the dialogue that may be taken up again afterwards. ``left``: the WeChat
    account speaks for nobody any more: it was unbound, or the person closed his account.
    """

    to: str | None
    answers: Mapping[str, Any] = field(default_factory=dict)
    said: str = ""
    citizen: Citizen | None = None
    paused: Mapping[str, Any] | None = None
    left: bool = False

    def saying(self, text: str) -> "Move":
        """The same move with something said before what it says itself."""
        return replace(self, said=f"{text}\n{self.said}" if self.said else text)


class NotAnAnswer(Exception):
    """Raised by a question: what was sent is no answer to it, but may be a wish of its own.
    ``said`` comes before the question is asked again when it is not.
    """

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


@dataclass(frozen=True)
class Scene:
    """One message in its place: who sent it, what is known so far, what it says."""

    ctx: Context
    citizen: Citizen | None
    incoming: Incoming
    at: str
    answers: Mapping[str, Any]
    text: str
    paused: Mapping[str, Any] | None = None

    def say(self, key: str, **params: Any) -> str:
        """A text of ``bot.toml``."""
        return self.ctx.book.texts.say(f"bot.{key}", **params)

    @property
    def person(self) -> Citizen:
        """The citizen; only questions that come after knowing him may ask for him."""
        if self.citizen is None:
            raise ValueError(f"{self.at} needs a registered citizen")
        return self.citizen

    @property
    def photo(self) -> str:
        """The media id of a picture just sent, else empty."""
        return self.incoming.media_id if self.incoming.kind == "image" else ""

    def cause(self, deed: str) -> str:
        """The idempotency key of one deed this message brings about."""
        return f"{self.incoming.cause}:{deed}"

    def stay(self, said: str = "", **answers: Any) -> Move:
        """The same question again."""
        return Move(self.at, {**self.answers, **answers}, said)

    def go(self, to: str, said: str = "", **answers: Any) -> Move:
        """Another question of the same flow, keeping the answers."""
        return Move(to, {**self.answers, **answers}, said)


def end(said: str) -> Move:
    """The talk is over."""
    return Move(None, {}, said)


async def _no_way_back(scene: Scene) -> Move:
    return scene.stay(scene.say("no_way_back"))


@dataclass(frozen=True)
class Question:
    """One row of the conversation. ``photos``: a picture is an answer to it."""

    name: str
    ask: Callable[[Scene], Awaitable[str]]
    take: Callable[[Scene], Awaitable[Move]]
    photos: bool = False
    back: Callable[[Scene], Awaitable[Move]] = _no_way_back


def asks(key: str) -> Callable[[Scene], Awaitable[str]]:
    """A question that is always worded the same."""

    async def ask(scene: Scene) -> str:
        return scene.say(key)

    return ask


def back_to(step: str) -> Callable[[Scene], Awaitable[Move]]:
    """``返回`` leads to the question before."""

    async def back(scene: Scene) -> Move:
        return scene.go(step)

    return back
