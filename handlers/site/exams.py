"""Driving tests for everybody: the plan of an office or a site, with places and results, and what a
site makes public (162令 第五十二条). No login, no script."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, ClassVar
from urllib.parse import urlencode

from casework.exams.listing import plans
from casework.exams.sites import site, sites
from casework.exams.summary import summary
from casework.exams.views import PlanPage, PlanView
from casework.offices import offices
from handlers.site.pages import PageHandler
from rules.calendar import HOUSE_ZONE
from rules.deadlines import say_date, say_weekday
from rules.exams.days import FIRST_DAY, LAST_DAY
from rules.refusals import Refusal, Worded

_DAYS, _PAGE = 60, 30
_LONGEST = 64
_ASKED = ("office", "site", "subject", "from", "to", "after")


class _ExamPage(PageHandler):
    policy: ClassVar[str] = PageHandler.policy.replace("form-action 'none'", "form-action 'self'")

    def get_template_namespace(self) -> dict[str, Any]:
        """Days and hours as people read them."""
        return {
            **super().get_template_namespace(),
            "say_date": say_date,
            "say_day": _day,
            "say_time": _time,
            "say_month": self._month,
            "by_day": _by_day,
        }

    def show_fresh(self, template: str, **values: Any) -> None:
        """A page whose figures move: nobody keeps it for longer than it takes to load."""
        self.set_header("Cache-Control", "public, max-age=5")
        self.render(template, **values)

    def _month(self, month: str) -> str:
        year, _, number = month.partition("-")
        return self.say("exams.year_month", year=year, month=int(number))


class ExamsHandler(_ExamPage):
    """``/exams``: choose an office, a site, days and a subject; see each session."""

    async def get(self) -> None:
        """The page. What cannot be shown is said above the form, which keeps what was chosen."""
        asked = {name: self.get_query_argument(name, "")[:_LONGEST] for name in _ASKED}
        listed = await offices(self.ctx, None, "vehicle_office")
        there = await sites(self.ctx, asked["office"]) if asked["office"] else []
        if asked["site"] not in [s.code for s in there]:
            # Chosen for the office before.
            asked["site"] = ""
        page, no = await self._found(asked)
        if no is not None:
            self.set_status(no.status)
        self.show_fresh(
            "exams.html",
            asked=asked,
            offices=listed,
            sites=there,
            page=page,
            problem=no,
            subjects=self.ctx.book.texts.under("exams.subjects"),
            more=_query({**asked, "after": page.next or ""}) if page else "",
        )

    async def _found(self, asked: dict[str, str]) -> tuple[PlanPage | None, Worded | None]:
        """The sessions asked for and shown days, or what is wrong; neither before an office is
        chosen."""
        today = self.ctx.today()
        since = _read(asked["from"], today)
        until = _read(asked["to"], (since or today) + timedelta(days=_DAYS))
        if since is None or until is None:
            return None, self._worded(Refusal("day-not-read"))
        asked.update({"from": since.isoformat(), "to": until.isoformat()})
        if not asked["office"]:
            return None, None
        try:
            found = await plans(
                self.ctx,
                office=asked["office"],
                site=asked["site"],
                subject=asked["subject"],
                since=since,
                until=until,
                after=asked["after"],
                limit=_PAGE,
            )
        except Refusal as refusal:
            return None, self._worded(refusal)
        return found, None

    def _worded(self, refusal: Refusal) -> Worded:
        return self.ctx.book.texts.refusal(refusal)


class ExamSiteHandler(_ExamPage):
    """``/exams/sites/{code}``: a site, its plan, its results by month."""

    async def get(self, code: str) -> None:
        """The page. Raises site-unknown."""
        found = await site(self.ctx, code)
        today = self.ctx.today()
        until = today + timedelta(days=_DAYS)
        days = {"from": today.isoformat(), "to": until.isoformat()}
        self.show_fresh(
            "exam_site.html",
            site=found,
            page=await plans(self.ctx, site=code, since=today, until=until, limit=_PAGE),
            results=await summary(self.ctx, site=code),
            more=_query({"office": found.office, "site": code, **days}),
        )


def _day(day: date) -> str:
    return f"{say_date(day)} {say_weekday(day)}"


def _time(at: datetime) -> str:
    local = at.astimezone(HOUSE_ZONE)
    return f"{say_date(local.date())} {local:%H:%M}"


def _read(written: str, otherwise: date) -> date | None:
    """A day as the form sends it; None when it is none, or one nobody has plans of."""
    if not written:
        return min(otherwise, LAST_DAY)
    try:
        day = date.fromisoformat(written)
    except ValueError:
        return None
    return day if FIRST_DAY <= day <= LAST_DAY else None


def _query(values: Mapping[str, str]) -> str:
    return urlencode({name: value for name, value in values.items() if value})


def _by_day(found: Iterable[PlanView]) -> Iterable[tuple[date, list[PlanView]]]:
    for day, together in groupby(found, key=lambda plan: plan.day):
        yield day, list(together)
