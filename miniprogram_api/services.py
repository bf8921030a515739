"""The catalogue and the guides, for everyone and without logging in (REQ D4)."""

from datetime import date
from typing import Any

from pydantic import Field

from casework import guide, offices
from casework.context import Context
from casework.guide import ServiceSummary
from casework.views import OfficeView
from handlers.base import Access
from miniprogram_api.guide_schema import ServiceGuide
from miniprogram_api.operations import ApiHandler, Encoded, Query, operation


class Guides:
    """Catalogue and guides as JSON, encoded once a process and day: figures change by date."""

    def __init__(self) -> None:
        self._day: date | None = None
        self._encoded: dict[str, Encoded] = {}

    def of(self, ctx: Context, code: str) -> Encoded:
        """One guide; the empty code is the catalogue. Raises ``service-unknown``."""
        today = ctx.today()
        if today != self._day:
            self._day, self._encoded = today, {}
        found = self._encoded.get(code)
        if found is None:
            value: Any = guide.guide(ctx, code) if code else guide.services(ctx)
            found = self._encoded[code] = Encoded.of(value)
        return found


class _GuideHandler(ApiHandler):
    access = Access.PUBLIC

    def initialize(self, guides: Guides) -> None:
        """``guides`` is shared by the handlers of a process."""
        self.guides = guides


class ServicesHandler(_GuideHandler):
    """``/services``."""

    @operation("All services", gives=list[ServiceSummary], cached=True)
    async def get(self) -> Encoded:
        """In the catalogue's order."""
        return self.guides.of(self.ctx, "")


class ServiceHandler(_GuideHandler):
    """``/services/{code}``."""

    @operation(
        "One service: conditions, form, materials, steps, time limit",
        gives=ServiceGuide,
        cached=True,
        refusals=("service-unknown",),
    )
    async def get(self, code: str) -> Encoded:
        """All a form can be drawn from."""
        return self.guides.of(self.ctx, code)


class OfficesWanted(Query):
    """Both narrow the list; neither gives all."""

    region: str | None = Field(default=None, max_length=12)
    kind: str | None = Field(default=None, max_length=40)


class OfficesHandler(ApiHandler):
    """``/offices``."""

    access = Access.PUBLIC

    @operation(
        "Offices with address, hours and phone",
        gives=list[OfficeView],
        query=OfficesWanted,
        cached=True,
    )
    async def get(self, query: OfficesWanted) -> Encoded:
        """By region and kind."""
        return Encoded.of(await offices.offices(self.ctx, query.region, query.kind))
