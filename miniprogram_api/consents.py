"""Consent to subscribe messages: one tap, one message."""

from typing import Literal

from pydantic import Field

from casework import accounts
from handlers.base import Access
from miniprogram_api.operations import ApiHandler, Body, operation


class Consent(Body):
    """What ``wx.requestSubscribeMessage`` answered for one template."""

    template_id: str = Field(max_length=64)
    result: Literal["accept", "reject", "ban", "filter", "acceptWithAudio", "acceptWithAlert"]


class ConsentsHandler(ApiHandler):
    """``/consents``."""

    access = Access.CITIZEN

    @operation(
        "Record what was answered to wx.requestSubscribeMessage",
        body=Consent,
        refusals=("consent-unknown",),
    )
    async def post(self, body: Consent) -> None:
        """Each acceptance is good for one message of its template."""
        accepted = body.result.startswith("accept")
        await accounts.record_consent(
            self.ctx, self.citizen, body.template_id, accepted, self.cause
        )
