"""The sessions of the officer's own office, by day."""

from datetime import date, timedelta
from functools import partial

from casework.exams import listing, result_sheet, sites
from casework.exams.results_due import lacking, results_due
from casework.exams.showing import outcome_label, subject_label
from casework.exams.views import PlanPage
from handlers.desk.base import DeskHandler
from rules.exams.days import FIRST_DAY, LAST_DAY
from rules.exams.plan import Subject
from rules.forms import FieldProblem, read_date
from rules.refusals import Refusal

_DAYS, _PAGE = 30, 50


class PlansHandler(DeskHandler):
    """One page of them, narrowed to some days, a subject, a site."""

    needs = "exam_plans"

    async def get(self) -> None:
        """Show it."""
        today = self.ctx.today()
        chosen = {name: self.get_query_argument(name, "") for name in ("subject", "site")}
        since = self.day("since", today)
        until = self.day("until", max(today, since or today) + timedelta(days=_DAYS))
        after = self.get_query_argument("after", "")
        page, wrong = PlanPage([], None), since is None or until is None or until < since
        if since is not None and until is not None and not wrong:
            try:
                page = await listing.plans(
                    self.ctx,
                    office=self.officer.office.code,
                    since=since,
                    until=until,
                    after=after,
                    limit=_PAGE,
                    site=chosen["site"],
                    subject=chosen["subject"],
                )
            except Refusal as refusal:
                if refusal.code != "bad-request":
                    raise
                wrong = True
        self.render(
            "exams_plans.html",
            page=page,
            wrong=wrong,
            due=await results_due(self.ctx, self.officer),
            later_page=bool(after),
            chosen=chosen,
            outcome_label=partial(outcome_label, self.ctx),
            since=since or today,
            until=until or today,
            sites=await sites.sites(self.ctx, self.officer.office.code),
            subjects={s.value: subject_label(self.ctx, s.value) for s in Subject},
        )

    def day(self, name: str, otherwise: date) -> date | None:
        """A day of the query; None when it is none, or one nobody has plans of."""
        written = self.get_query_argument(name, "")
        try:
            day = read_date(written) if written else otherwise
        except FieldProblem:
            return None
        return day if FIRST_DAY <= day <= LAST_DAY else None


class ResultsDueHandler(DeskHandler):
    """The sessions held whose results are not all entered, each leading to its sheet."""

    needs = result_sheet.PERMISSION

    async def get(self) -> None:
        """Show them, the oldest first."""
        due = await results_due(self.ctx, self.officer)
        self.render("exams_results_due.html", due=due, lacking=lacking)
