"""Driving tests: what everybody may see of them, and a student's bookings, places in line, record.

Places are seen as they are this moment: nothing of a plan is kept by the caller.
"""

from datetime import date
from typing import Annotated

from pydantic import Field

from casework.exams import booking, leaving, listing, sites, summary
from casework.exams.views import (
    BookingSummary,
    BookingView,
    PlanPage,
    PlanView,
    RecordView,
    SiteView,
    SummaryView,
)
from handlers.base import Access
from miniprogram_api.operations import ApiHandler, Body, Encoded, Query, operation
from rules.exams.days import FIRST_DAY, LAST_DAY

Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]
"""A day the platform knows plans of."""

# What booking may answer beside the rules of the plan: the conditions of exam-booking.
CONDITIONS = (
    *("not-allowed-tier", "service-not-open", "not-a-student"),
    *("exam-other-class", "exam-other-office", "exam-not-needed", "exam-passed"),
    *("exam-theory-first", "exam-skills-first", "exam-no-permit", "exam-permit-ends"),
    *("exam-none-left", "exam-wait", "exam-retry"),
)
_BEGIN = (
    *("plan-unknown", "plan-closed", "already-booked", "too-many-tries", "booked-too-often"),
    *CONDITIONS,
)
_STEP = ("not-found", "step-not-possible")


class PlansWanted(Query):
    """An office, a site or a region, and what narrows it. Without days: from today, two months."""

    office: str = Field(
        default="", max_length=32, description="Code from GET /offices", examples=["4101-VO"]
    )
    site: str = Field(
        default="", max_length=32, description="Code from GET /exam-sites", examples=["4101-K1"]
    )
    region: str = Field(
        default="", max_length=12, description="GB/T 2260, as offices name it", examples=["4101"]
    )
    subject: str = Field(
        default="",
        pattern="^[1-4]?$",
        description="1 科目一, 2 科目二, 3 科目三道路, 4 安全文明",
        examples=["2"],
    )
    vehicle_class: str = Field(default="", max_length=4, examples=["C1"])
    since: Day | None = Field(default=None, alias="from", examples=["2026-12-01"])
    until: Day | None = Field(default=None, alias="to", examples=["2026-12-31"])
    free: bool = Field(default=False, description="Only where a place may be taken now")
    after: str = Field(default="", max_length=64, description="``next`` of the page before")
    limit: int = Field(default=30, ge=1, le=100)


class ExamPlansHandler(ApiHandler):
    """``/exam-plans``."""

    access = Access.PUBLIC

    @operation(
        "Published sessions with capacity, booked and free places, and results",
        gives=PlanPage,
        query=PlansWanted,
        refusals=("plans-of-where", "days-too-many"),
    )
    async def get(self, query: PlansWanted) -> PlanPage:
        """By time. A page may hold fewer than ``limit`` where few fit: go on while there is a
        ``next``."""
        return await listing.plans(self.ctx, **query.model_dump())


class ExamPlanHandler(ApiHandler):
    """``/exam-plans/{plan}``."""

    access = Access.PUBLIC

    @operation("One session", gives=PlanView, refusals=("plan-unknown",))
    async def get(self, plan: str) -> PlanView:
        """``bookable`` says whether a place may be taken now; if not, there is the line."""
        return await listing.plan(self.ctx, plan)


class SitesWanted(Query):
    """The office whose sites they are."""

    office: str = Field(
        min_length=1, max_length=32, description="Code from GET /offices", examples=["4101-VO"]
    )


class ExamSitesHandler(ApiHandler):
    """``/exam-sites``."""

    access = Access.PUBLIC

    @operation(
        "Where an office tests: address, subjects, capacity a day, layout, route, process",
        gives=list[SiteView],
        query=SitesWanted,
        cached=True,
    )
    async def get(self, query: SitesWanted) -> Encoded:
        """By code."""
        return Encoded.of(await sites.sites(self.ctx, query.office))


class SummaryWanted(Query):
    """An office or a site, and from when to when: at most a year, the last one without days."""

    office: str = Field(
        default="", max_length=32, description="Code from GET /offices", examples=["4101-VO"]
    )
    site: str = Field(
        default="", max_length=32, description="Code from GET /exam-sites", examples=["4101-K1"]
    )
    since: Day | None = Field(default=None, alias="from", examples=["2026-12-01"])
    until: Day | None = Field(default=None, alias="to", examples=["2026-12-31"])


class ExamSummaryHandler(ApiHandler):
    """``/exam-results/summary``."""

    access = Access.PUBLIC

    @operation(
        "Capacity, bookings and results of a site or an office in sums",
        gives=SummaryView,
        query=SummaryWanted,
        cached=True,
        refusals=("plans-of-where", "days-too-many"),
    )
    async def get(self, query: SummaryWanted) -> Encoded:
        """By site, month, subject and class, as the public pages show them."""
        return Encoded.of(await summary.summary(self.ctx, **query.model_dump()))


class Wanted(Body):
    """The session."""

    plan: str = Field(
        min_length=1,
        max_length=64,
        description="Code of a session, from GET /exam-plans",
        examples=["4101-VO-5f0c2a91"],
    )


class BookingsHandler(ApiHandler):
    """``/bookings``."""

    access = Access.CITIZEN

    @operation("My bookings and places in line, those not over first", gives=list[BookingSummary])
    async def get(self) -> list[BookingSummary]:
        """Then newest first."""
        return await listing.summaries(self.ctx, self.citizen)

    @operation(
        "Book a place in a session",
        body=Wanted,
        gives=BookingView,
        status=201,
        refusals=("plan-full", *_BEGIN),
    )
    async def post(self, body: Wanted) -> BookingView:
        """The same key is answered with the same booking, whatever has become of it."""
        view = await booking.book(self.ctx, self.citizen, body.plan, self.cause, "mini")
        self.set_header("Location", f"/api/v1/bookings/{view.number}")
        return view


class BookingHandler(ApiHandler):
    """``/bookings/{number}``."""

    access = Access.CITIZEN

    @operation(
        "One booking: how it stands, until when it can be cancelled, progress, messages",
        gives=BookingView,
        refusals=("not-found",),
    )
    async def get(self, number: str) -> BookingView:
        """``actions`` are those possible now: cancel and accept_change here, leave and accept under
        ``/waiting-list``."""
        return await listing.booking(self.ctx, self.citizen, number)

    @operation(
        "Cancel it",
        gives=BookingView,
        refusals=(*_STEP, "cancel-at-office", "cancel-too-late"),
    )
    async def delete(self, number: str) -> BookingView:
        """Until the plan closes; after a change of the plan that was not accepted, until the day
        before the test."""
        return await leaving.cancel(self.ctx, self.citizen, number, self.cause)


class AcceptChangeHandler(ApiHandler):
    """``/bookings/{number}/accept-change``."""

    access = Access.CITIZEN

    @operation("Keep the place as the office changed it", gives=BookingView, refusals=_STEP)
    async def post(self, number: str) -> BookingView:
        """Where ``changed`` is set."""
        return await leaving.accept_change(self.ctx, self.citizen, number, self.cause)


class WaitingListHandler(ApiHandler):
    """``/waiting-list``."""

    access = Access.CITIZEN

    @operation(
        "Stand in line for a session that is full",
        body=Wanted,
        gives=BookingView,
        status=201,
        refusals=("line-full", "plan-full", *_BEGIN),
    )
    async def post(self, body: Wanted) -> BookingView:
        """``position`` is the place in line. Where a place is free, and nobody waits, it is his at
        once: ``state`` is ``accepted``."""
        view = await booking.wait(self.ctx, self.citizen, body.plan, self.cause, "mini")
        self.set_header("Location", f"/api/v1/waiting-list/{view.number}")
        return view


class WaitingHandler(ApiHandler):
    """``/waiting-list/{number}``."""

    access = Access.CITIZEN

    @operation("One place in line", gives=BookingView, refusals=("not-found",))
    async def get(self, number: str) -> BookingView:
        """``offer_until`` is set while a place is offered."""
        return await listing.booking(self.ctx, self.citizen, number)

    @operation("Leave the line, or decline the place offered", gives=BookingView, refusals=_STEP)
    async def delete(self, number: str) -> BookingView:
        """A place that was accepted is not given back by this: see ``/bookings``."""
        return await leaving.leave(self.ctx, self.citizen, number, self.cause)


class AcceptOfferHandler(ApiHandler):
    """``/waiting-list/{number}/accept``."""

    access = Access.CITIZEN

    @operation(
        "Accept the place offered",
        gives=BookingView,
        refusals=(*_STEP, "offer-over", "offer-not-yet", "plan-unknown", *CONDITIONS),
    )
    async def post(self, number: str) -> BookingView:
        """The rules are asked again."""
        return await leaving.accept(self.ctx, self.citizen, number, self.cause)


class ExamRecordHandler(ApiHandler):
    """``/exam-results``."""

    access = Access.CITIZEN

    @operation(
        "My record: permit, subjects passed, bookings left, first days to book, results",
        gives=RecordView,
        refusals=("not-allowed-tier", "not-a-student"),
    )
    async def get(self) -> RecordView:
        """As long as he is a driving student."""
        return await listing.record(self.ctx, self.citizen)
