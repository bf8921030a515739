"""Asking for an SMS code."""

from typing import Literal

from pydantic import Field

from casework import codes, logins, wechat_identity
from casework.askers import asker_at
from casework.codes import CodeSent
from handlers.base import Access
from miniprogram_api.operations import ApiHandler, Body, operation

CHALLENGE = Field(
    default=None, max_length=400, description="What POST /sms-codes gave with the code, or before"
)


class CodeWanted(Body):
    """``register`` sends to ``phone``; the others to the phone of the account. ``close`` is for
    ``DELETE /me``, ``export`` for ``GET /me/export``. Who is logged in need not name himself."""

    purpose: Literal["register", "login", "close", "export"]
    id_number: str | None = Field(
        default=None, max_length=32, description="May be left out with a bearer token"
    )
    phone: str | None = Field(default=None, max_length=32)
    wechat_code: str | None = Field(
        default=None, max_length=128, description="From wx.login: the code is this WeChat's alone"
    )
    challenge: str | None = CHALLENGE


class SmsCodesHandler(ApiHandler):
    """``/sms-codes``."""

    access = Access.PUBLIC

    @operation(
        "Send a six-digit code by SMS",
        body=CodeWanted,
        gives=CodeSent,
        refusals=(
            "id-number-invalid",
            "id-number-15-digits",
            "phone-invalid",
            "too-many-codes",
            "wechat-code-invalid",
            "not-logged-in",
        ),
    )
    async def post(self, body: CodeWanted) -> CodeSent:
        """The answer does not tell whether there is an account, nor whether the gateway took it."""
        wechat = None
        if body.wechat_code:
            wechat = await wechat_identity.identity_by_code(self.ctx, body.wechat_code)
        address = self.request.remote_ip or ""
        return await codes.send_code(
            self.ctx,
            purpose=body.purpose,
            id_number=body.id_number or await self._own_number(),
            phone=body.phone,
            asker=asker_at(self.ctx, address, challenge=body.challenge, wechat=wechat),
        )

    async def _own_number(self) -> str:
        """The ID number of who is logged in. Raises not-logged-in."""
        return (await logins.authenticate(self.ctx, self.token)).id_number
