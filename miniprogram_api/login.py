"""Logging in and out: by the code of ``wx.login``, or by ID number and SMS code."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import Field

from casework import accounts, logins, wechat_identity
from casework.askers import prover_at
from casework.logins import LoggedIn
from handlers.base import Access
from miniprogram_api.operations import ApiHandler, Body, operation
from miniprogram_api.sms_codes import CHALLENGE
from rules.refusals import Refusal

WECHAT_CODE = Field(min_length=1, max_length=128, description="The code wx.login gave")
ID_FACT = Field(
    default=None,
    max_length=32,
    description="Asked for by id-fact-needed, when another WeChat account is bound already",
)
DEVICE = Field(default="", max_length=64, description="What the citizen calls this device")


REBINDING = ("id-fact-needed", "id-fact-wrong", "id-fact-window")


@dataclass(frozen=True)
class Login:
    """A bearer token, shown this once."""

    token: str
    expires_at: datetime
    tiers: list[str]


def login_of(done: LoggedIn) -> Login:
    """What the caller may see of a login."""
    return Login(done.token, done.expires_at, sorted(str(t) for t in done.citizen.tiers))


class ByCode(Body):
    """Logging in with WeChat alone."""

    code: str = WECHAT_CODE
    device: str = DEVICE


class ByIdNumber(Body):
    """Logging in with ID number and SMS code; ``wechat_code`` binds this WeChat account too."""

    id_number: str = Field(max_length=32)
    sms_code: str = Field(max_length=12)
    wechat_code: str | None = Field(default=None, max_length=128)
    id_fact: str | None = ID_FACT
    challenge: str | None = CHALLENGE
    device: str = DEVICE


class LoginHandler(ApiHandler):
    """``/login``."""

    access = Access.PUBLIC

    @operation(
        "Log in with the code of wx.login",
        body=ByCode,
        gives=Login,
        refusals=("not-registered", "wechat-code-invalid", "too-many-tries"),
    )
    async def post(self, body: ByCode) -> Login:
        """The WeChat account must have been bound before."""
        asker = prover_at(self.ctx, self.request.remote_ip or "")
        done = await accounts.login_wechat(
            self.ctx, code=body.code, asker=asker, device=body.device
        )
        return login_of(done)

    @operation("Sign out: the token is worth nothing any more", refusals=("not-logged-in",))
    async def delete(self) -> None:
        """Signing out twice succeeds twice."""
        if self.token is None:
            raise Refusal("not-logged-in")
        await logins.sign_out(self.ctx, self.token)


class IdNumberLoginHandler(ApiHandler):
    """``/login/id-number``."""

    access = Access.PUBLIC

    @operation(
        "Log in with ID number and SMS code",
        body=ByIdNumber,
        gives=Login,
        refusals=(
            "id-number-invalid",
            "id-number-15-digits",
            "code-wrong",
            "code-expired",
            "too-many-tries",
            "wechat-code-invalid",
            *REBINDING,
        ),
    )
    async def post(self, body: ByIdNumber) -> Login:
        """An ID number without an account and a wrong code are answered alike.

        The WeChat account speaks for this person from now on. Where it is to take the place of
        another one, ``id-fact-needed`` asks for a date: send it in ``id_fact`` with the same SMS
        code and a new code of wx.login, within five minutes.
        """
        wechat = None
        if body.wechat_code:
            wechat = await wechat_identity.identity_by_code(self.ctx, body.wechat_code)
        done = await accounts.login(
            self.ctx,
            id_number=body.id_number,
            sms_code=body.sms_code,
            wechat=wechat,
            asker=prover_at(self.ctx, self.request.remote_ip or "", body.challenge),
            device=body.device,
            id_fact=body.id_fact,
        )
        return login_of(done)


class RefreshHandler(ApiHandler):
    """``/login/refresh``."""

    access = Access.PUBLIC

    @operation("A new token for the same device", gives=Login, refusals=("not-logged-in",))
    async def post(self) -> Login:
        """The old token works for one more minute, for an answer lost on the way: sent again with
        it, the same new token comes back. Used later it signs the device out, for then it was
        copied."""
        return login_of(await logins.renew(self.ctx, self.token))
