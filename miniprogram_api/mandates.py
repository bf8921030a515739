"""Mandates for relatives: give, accept, look at, take back or give up (REQ A5)."""

from datetime import date

from pydantic import Field

from casework import mandates
from casework.codes import CodeSent
from casework.mandate_views import MandateView, MyMandates
from casework.mandates import NewMandate
from handlers.base import Access
from miniprogram_api.operations import ApiHandler, Body, operation

_NOT_MINE = ("not-found", "mandate-not-possible")


class Giving(Body):
    """Who may act for me, in what, until which last day; ``options`` of GET /mandates names what
    may be chosen."""

    agent_id_number: str = Field(max_length=32)
    agent_name: str = Field(max_length=64)
    relation: str = Field(max_length=32, examples=["child"])
    businesses: list[str] = Field(default=[], max_length=20, examples=[["licence"]])
    services: list[str] = Field(default=[], max_length=100)
    until: date
    sms_code: str = Field(max_length=12, description="From POST /mandates/sms-codes")


class MandatesHandler(ApiHandler):
    """``/mandates``."""

    access = Access.CITIZEN

    @operation("Mandates I gave and was given, and what I could give", gives=MyMandates)
    async def get(self) -> MyMandates:
        """Ended ones too, the last changed first."""
        return await mandates.mine(self.ctx, self.citizen)

    @operation(
        "Give a relative a mandate; it is live once accepted",
        body=Giving,
        gives=MandateView,
        status=201,
        refusals=(
            "id-number-invalid",
            "id-number-15-digits",
            "name-invalid",
            "mandate-to-oneself",
            "mandate-agent-too-young",
            "mandate-scope-unfit",
            "mandate-relation-unknown",
            "mandate-until-unfit",
            "mandate-under-way",
            "too-many-mandates",
            "code-wrong",
            "code-expired",
            "too-many-tries",
        ),
    )
    async def post(self, body: Giving) -> MandateView:
        """The answer does not tell whether the relative has an account."""
        wish = NewMandate(**body.model_dump(exclude={"sms_code"}))
        view = await mandates.give(self.ctx, self.citizen, wish, body.sms_code, self.cause)
        self.set_header("Location", f"/api/v1/mandates/{view.id}")
        return view


class MandateCodesHandler(ApiHandler):
    """``/mandates/sms-codes``."""

    access = Access.CITIZEN

    @operation(
        "Send the code that confirms a mandate to my own phone",
        gives=CodeSent,
        refusals=("too-many-codes",),
    )
    async def post(self) -> CodeSent:
        """Nobody but the principal can read it."""
        return await mandates.send_code(self.ctx, self.citizen)


class MandateHandler(ApiHandler):
    """``/mandates/{mandate}``."""

    access = Access.CITIZEN

    @operation("One mandate of mine", gives=MandateView, refusals=("not-found",))
    async def get(self, mandate: str) -> MandateView:
        """``actions``: accept, end."""
        return await mandates.view(self.ctx, self.citizen, mandate)

    @operation("Revoke it, decline it or give it up", gives=MandateView, refusals=_NOT_MINE)
    async def delete(self, mandate: str) -> MandateView:
        """Possible at any time; the agent then sees nothing that was begun by it."""
        return await mandates.end(self.ctx, self.citizen, mandate, self.cause)


class AcceptHandler(ApiHandler):
    """``/mandates/{mandate}/accept``."""

    access = Access.CITIZEN

    @operation("Accept a mandate offered to me", gives=MandateView, refusals=_NOT_MINE)
    async def post(self, mandate: str) -> MandateView:
        """Until its ``answer_by``."""
        return await mandates.accept(self.ctx, self.citizen, mandate, self.cause)
