"""Registering by real name."""

from pydantic import Field

from casework import accounts, wechat_identity
from casework.askers import prover_at
from handlers.base import Access
from miniprogram_api.login import DEVICE, ID_FACT, REBINDING, Login, login_of
from miniprogram_api.operations import ApiHandler, Body, operation
from miniprogram_api.sms_codes import CHALLENGE


class Registration(Body):
    """A person as on the ID card, the phone on file, and the code sent to it."""

    id_number: str = Field(max_length=32)
    name: str = Field(max_length=64)
    phone: str = Field(max_length=32)
    sms_code: str = Field(max_length=12)
    region: str | None = Field(
        default=None, max_length=12, description="Region whose offices to name on a mismatch"
    )
    wechat_code: str | None = Field(
        default=None, max_length=128, description="From wx.login: binds the WeChat account"
    )
    challenge: str | None = CHALLENGE
    id_fact: str | None = ID_FACT
    device: str = DEVICE
    privacy_version: str | None = Field(
        default=None, max_length=32, description="The notice agreed to, from GET /privacy"
    )


class RegistrationsHandler(ApiHandler):
    """``/registrations``."""

    access = Access.PUBLIC

    @operation(
        "Register, and be logged in",
        body=Registration,
        gives=Login,
        status=201,
        refusals=(
            "id-number-invalid",
            "id-number-15-digits",
            "name-invalid",
            "phone-invalid",
            "guardian-needed",
            "code-wrong",
            "code-expired",
            "too-many-tries",
            "identity-mismatch",
            "wechat-code-invalid",
            "privacy-version-outdated",
            *REBINDING,
        ),
    )
    async def post(self, body: Registration) -> Login:
        """One account an ID number: who has one already and proves it is logged in.

        A code of wx.login works once, so a caller who lost the answer asks ``POST /login``.
        """
        wechat = None
        if body.wechat_code:
            wechat = await wechat_identity.identity_by_code(self.ctx, body.wechat_code)
        citizen = await accounts.register(
            self.ctx,
            id_number=body.id_number,
            name=body.name,
            phone=body.phone,
            sms_code=body.sms_code,
            region=body.region,
            wechat=wechat,
            asker=prover_at(self.ctx, self.request.remote_ip or "", body.challenge),
            cause=self.cause,
            privacy_version=body.privacy_version,
            id_fact=body.id_fact,
        )
        app = wechat.app if wechat else "web"
        return login_of(await accounts.open_session(self.ctx, citizen, app, body.device))
