"""One turn of a conversation: what was said, what was being talked about, what is answered."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casework.context import Context
from casework.wechat_identity import WechatIdentity
from rules.people import Citizen
from rules.refusals import Refusal


@dataclass(frozen=True)
class Incoming:
    """A message or event as pushed by WeChat, parsed, or said in the mini-program's dialogue.

    ``at`` is its CreateTime. ``citizen`` is the ID-number key of who is logged in where it came by
    the mini-program: then there is no openid, and ``message_id`` is the request's own cause.
    """

    app: str
    openid: str
    message_id: str
    at: datetime
    kind: str
    text: str = ""
    media_id: str = ""
    event: str = ""
    event_key: str = ""
    citizen: str = ""

    @property
    def identity(self) -> WechatIdentity:
        """Who wrote. Raises only-in-chat where no WeChat account wrote."""
        if not self.openid:
            raise Refusal("only-in-chat")
        return WechatIdentity(self.app, self.openid)

    @property
    def cause(self) -> str:
        """The idempotency key of whatever this message brings about."""
        return self.message_id if self.citizen else f"wx:{self.message_id}"


@dataclass(frozen=True)
class Talk:
    """What was being talked about: the dialogue's plain values, None when nothing is open."""

    dialogue: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Turn:
    """An answer and where the dialogue stands after it. An empty reply says nothing. ``moved``:
    from here on the WeChat account speaks for somebody else, or for nobody; ``behind`` is the
    dialogue that stays with whom it spoke for before."""

    reply: str
    dialogue: Mapping[str, Any] | None = None
    moved: bool = False
    behind: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Reply:
    """What goes back to WeChat; None promises the answer for later."""

    text: str | None


Think = Callable[[Context, Citizen | None, Talk, Incoming], Awaitable[Turn]]
