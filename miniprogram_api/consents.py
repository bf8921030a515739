"""Consent to subscribe messages: one tap, one message."""

from typing import Literal

from pydantic import Field

from casework import accounts
from handlers.base import Access
from miniprogram_api.operations import ApiHandler, Body, operation


class Consents(Body):
    """What ``wx.requestSubscribeMessage`` answered, by template id."""

    results: dict[str, Literal["accept", "reject", "ban", "filter", "acceptWithAudio"]] = Field(
        min_length=1, max_length=20
    )


class ConsentsHandler(ApiHandler):
    """``/consents``."""

    access = Access.CITIZEN

    @operation(
        "Record what was answered to wx.requestSubscribeMessage",
        body=Consents,
        refusals=("consent-unknown",),
    )
    async def post(self, body: Consents) -> None:
        """Each acceptance is good for one message of its template."""
        for template, answer in body.results.items():
            accepted = answer.startswith("accept")
            await accounts.record_consent(
                self.ctx, self.citizen, template, accepted, f"{self.cause}:{template}"
            )
