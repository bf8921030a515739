"""One session: who holds a place, the line, what was done to it."""

from functools import partial

from casework.exams.plan_desk import PERMISSION, desk_plan
from casework.exams.showing import outcome_label
from handlers.desk.base import DeskHandler
from rules.refusals import Refusal

_DONE = frozenset({"published", "changed", "unchanged", "cancelled"})


class PlanHandler(DeskHandler):
    """The session of the address."""

    needs = PERMISSION

    async def get(self, code: str) -> None:
        """Show one page of those who are in it."""
        start = self.get_query_argument("from", "0")
        if not start.isdecimal() or len(start) > 6:
            raise Refusal("bad-request")
        done = self.get_query_argument("done", "")
        self.render(
            "exams_plan.html",
            found=await desk_plan(self.ctx, self.officer, code, int(start)),
            start=int(start),
            outcome_label=partial(outcome_label, self.ctx),
            done=done if done in _DONE else "",
        )
