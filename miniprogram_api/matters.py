"""A citizen's matters: begin, fill in, submit, follow, urge, withdraw."""

from pydantic import Field

from casework import matters
from casework.views import MatterSummary, MatterView
from handlers.base import Access
from miniprogram_api.operations import ApiHandler, Body, Query, operation

# What a service's own conditions may answer, named in its catalogue file.
CONDITIONS = (
    "not-allowed-tier",
    "service-not-open",
    "licence-not-bound",
    "licence-not-in-window",
    "licence-status-unfit",
    "deferral-too-long",
    "deferral-too-short",
)
_AGENT = ("mandate-not-live", "mandate-not-covering")
_STEP = ("not-found", "step-not-possible", *_AGENT)


class Beginning(Body):
    """The service to apply for, and by which mandate when it is for somebody else."""

    service: str = Field(max_length=64, examples=["licence-deferral"])
    mandate: str | None = Field(
        default=None, max_length=64, description="Id of a mandate I was given, from GET /mandates"
    )


class Filling(Body):
    """Values of form fields by name, as a person writes them; others stay as they are."""

    form: dict[str, str] = Field(max_length=100)


class Page(Query):
    """How many at most."""

    limit: int = Field(default=20, ge=1, le=50)


class MattersHandler(ApiHandler):
    """``/matters``."""

    access = Access.CITIZEN

    @operation("My matters, newest first", gives=list[MatterSummary], query=Page)
    async def get(self, query: Page) -> list[MatterSummary]:
        """Those begun in the chat too."""
        return await matters.mine(self.ctx, self.citizen, query.limit)

    @operation(
        "Begin a draft, or go on with the one begun anywhere",
        body=Beginning,
        gives=MatterView,
        status=201,
        refusals=(
            "service-unknown",
            "booked-in-plan",
            "already-under-way",
            *("agent-not-online", *_AGENT, "subject-under-way"),
            *CONDITIONS,
        ),
    )
    async def post(self, body: Beginning) -> MatterView:
        """A draft begun in the chat is given with its photos. By a mandate it is begun for the
        principal, whose rights and one place count."""
        view = await matters.open_draft(
            self.ctx, self.citizen, body.service, self.cause, "mini", body.mandate
        )
        self.set_header("Location", f"/api/v1/matters/{view.number}")
        return view


class MatterHandler(ApiHandler):
    """``/matters/{number}``."""

    access = Access.CITIZEN

    @operation(
        "One matter: form, photos, progress, messages, what may be done now",
        gives=MatterView,
        refusals=("not-found",),
    )
    async def get(self, number: str) -> MatterView:
        """``actions`` are the steps allowed now; ``consent_templates`` go into
        wx.requestSubscribeMessage at the next tap."""
        return await matters.view(self.ctx, self.citizen, number)

    @operation(
        "Fill in form fields",
        body=Filling,
        gives=MatterView,
        refusals=(*_STEP, "part-not-open", "too-many-changes", *CONDITIONS),
    )
    async def patch(self, number: str, body: Filling) -> MatterView:
        """A bad value refuses them all, naming each in ``params.fields``."""
        return await matters.fill(self.ctx, self.citizen, number, body.form, self.cause)

    @operation("Withdraw it; a draft is thrown away", gives=MatterView, refusals=_STEP)
    async def delete(self, number: str) -> MatterView:
        """Possible until it is decided."""
        return await matters.withdraw(self.ctx, self.citizen, number, self.cause)


class SubmitHandler(ApiHandler):
    """``/matters/{number}/submit``."""

    access = Access.CITIZEN

    @operation(
        "Submit it, for the first time or after correction",
        gives=MatterView,
        refusals=(*_STEP, "materials-missing", "correction-incomplete", *CONDITIONS),
    )
    async def post(self, number: str) -> MatterView:
        """What is missing is named at once and completely (REQ D5)."""
        return await matters.submit(self.ctx, self.citizen, number, self.cause)


class UrgeHandler(ApiHandler):
    """``/matters/{number}/urge``."""

    access = Access.CITIZEN

    @operation("Urge the office (催办)", gives=MatterView, refusals=(*_STEP, "urged-already"))
    async def post(self, number: str) -> MatterView:
        """Once a day."""
        return await matters.urge(self.ctx, self.citizen, number, self.cause)
