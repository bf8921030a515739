"""The citizen's own page, all that is held about him as a file, and closing the account."""

from pydantic import Field

from casework import closing, export, me
from casework.askers import prover_at
from casework.closing import Closed
from casework.export import Export
from casework.me import Me
from handlers.base import Access
from miniprogram_api.operations import ApiHandler, Body, Query, operation
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


class Proof(Query):
    """The code of purpose ``export``: used up by one request, so it may stand in an address."""

    sms_code: str = Field(max_length=12)
    challenge: str | None = CHALLENGE


class ExportHandler(ApiHandler):
    """``/me/export``."""

    access = Access.CITIZEN

    @operation(
        "All that is held about me, as a file",
        query=Proof,
        gives=Export,
        refusals=("code-wrong", "code-expired", "too-many-tries"),
    )
    async def get(self, query: Proof) -> Export:
        """In clear, with purpose and legal basis of each field, and who looked at it."""
        asker = prover_at(self.ctx, self.request.remote_ip or "", query.challenge)
        made = await export.export(self.ctx, self.citizen, sms_code=query.sms_code, asker=asker)
        name = f"bianmin-{self.ctx.today().isoformat()}.json"
        self.set_header("Content-Disposition", f'attachment; filename="{name}"')
        return made
