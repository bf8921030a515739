"""Consent: to subscribe messages, one tap, one message; and to the privacy notice by version."""

from typing import Literal

from pydantic import Field

from casework import accounts, privacy
from handlers.base import Access
from miniprogram_api.operations import ApiHandler, Body, operation
from rules.refusals import Refusal


class Consent(Body):
    """Either ``template_id`` and ``result``: what ``wx.requestSubscribeMessage`` answered for one
    template. Or ``document`` and ``version``: the privacy notice as ``GET /privacy`` gave it."""

    template_id: str | None = Field(default=None, max_length=64)
    result: (
        Literal["accept", "reject", "ban", "filter", "acceptWithAudio", "acceptWithAlert"] | None
    ) = None
    document: Literal["privacy"] | None = None
    version: str | None = Field(default=None, max_length=32)


class ConsentsHandler(ApiHandler):
    """``/consents``."""

    access = Access.CITIZEN

    @operation(
        "Record what was answered to wx.requestSubscribeMessage, or that the notice was agreed to",
        body=Consent,
        refusals=("consent-unknown", "privacy-version-outdated"),
    )
    async def post(self, body: Consent) -> None:
        """Each acceptance is good for one message of its template; the same version of the notice
        again changes nothing."""
        if body.document is not None and body.version is not None and body.template_id is None:
            await privacy.agree(self.ctx, self.citizen.key, body.version, "mini")
            return
        if body.template_id is None or body.result is None or body.document is not None:
            raise Refusal("bad-request")
        accepted = body.result.startswith("accept")
        await accounts.record_consent(
            self.ctx, self.citizen, body.template_id, accepted, self.cause
        )
