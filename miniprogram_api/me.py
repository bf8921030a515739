"""The citizen's own page, and closing the account."""

from pydantic import Field

from casework import closing, me
from casework.askers import prover_at
from casework.closing import Closed
from casework.me import Me
from handlers.base import Access
from miniprogram_api.operations import ApiHandler, Body, operation
from miniprogram_api.sms_codes import CHALLENGE


class Closing(Body):
    """The code of purpose ``close``, sent to the account's phone."""

    sms_code: str = Field(max_length=12)
    challenge: str | None = CHALLENGE


class MeHandler(ApiHandler):
    """``/me``."""

    access = Access.CITIZEN

    @operation("Who I am, what I may do, what I have going", gives=Me)
    async def get(self) -> Me:
        """Name, ID number and phone are masked."""
        return await me.me(self.ctx, self.citizen)

    @operation(
        "Close the account",
        body=Closing,
        gives=Closed,
        refusals=("closing-matters-under-way", "code-wrong", "code-expired", "too-many-tries"),
    )
    async def delete(self, body: Closing) -> Closed:
        """Logins end with it: the same request again is answered ``not-logged-in``."""
        asker = prover_at(self.ctx, self.request.remote_ip or "", body.challenge)
        return await closing.close(
            self.ctx, self.citizen, sms_code=body.sms_code, asker=asker, cause=self.cause
        )
