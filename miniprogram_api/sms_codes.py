"""Asking for an SMS code."""

from typing import Literal

from pydantic import Field

from casework import codes
from casework.codes import CodeSent
from handlers.base import Access
from miniprogram_api.operations import ApiHandler, Body, operation


class CodeWanted(Body):
    """``register`` sends to ``phone``; ``login`` to the phone of the account."""

    purpose: Literal["register", "login"]
    id_number: str = Field(max_length=32)
    phone: str | None = Field(default=None, max_length=32)


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
        ),
    )
    async def post(self, body: CodeWanted) -> CodeSent:
        """The answer does not tell whether there is an account."""
        return await codes.send_code(
            self.ctx,
            purpose=body.purpose,
            id_number=body.id_number,
            phone=body.phone,
            address=self.request.remote_ip or "",
        )
