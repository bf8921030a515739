"""The dialogue with the official account, gone on with in the mini-program (REQ A7).

One dialogue a citizen, kept in his session: the question begun in the chat is the question here,
and what is answered here is answered there.
"""

from dataclasses import dataclass
from datetime import datetime

from pydantic import Field

from bot import conversation
from casework import conversations
from casework.turns import Incoming
from handlers.base import Access
from miniprogram_api.operations import ApiHandler, Body, operation


@dataclass(frozen=True)
class Dialogue:
    """The question under way. ``said`` is the answer to what was just sent, the question after it
    included; ``text`` is the question alone. ``number`` and ``part`` tell which page of the
    mini-program shows the same. Nothing under way: ``flow`` is ``menu``."""

    flow: str
    step: str
    text: str
    said: str
    number: str | None
    part: str | None
    expires_at: datetime | None


class Words(Body):
    """What the citizen says. Photos go to the matter's own address."""

    text: str = Field(min_length=1, max_length=2000)


class DialogueHandler(ApiHandler):
    """``/dialogue``."""

    access = Access.CITIZEN

    @operation("The question left off in the chat or here", gives=Dialogue)
    async def get(self) -> Dialogue:
        """Asking changes nothing."""
        return await self._dialogue("")

    @operation("Answer the question, or say a wish as in the chat", body=Words, gives=Dialogue)
    async def post(self, body: Words) -> Dialogue:
        """A refusal is worded in ``said``, as in the chat. What needs a WeChat account of its own,
        such as binding one, is for the chat."""
        incoming = Incoming(
            app="mini",
            openid="",
            message_id=self.cause,
            at=self.ctx.now(),
            kind="text",
            text=body.text,
            citizen=self.citizen.key,
        )
        said = await conversations.answer(self.ctx, incoming, conversation.think)
        return await self._dialogue(said)

    async def _dialogue(self, said: str) -> Dialogue:
        found = await conversations.under_way(self.ctx, self.citizen)
        asked = await conversation.asked(self.ctx, self.citizen, found.talk)
        return Dialogue(**vars(asked), said=said, expires_at=found.expires_at)
