"""The results of a session: one row a holder, entered all at once; and one of them put right."""

from casework.exams import result_sheet
from handlers.desk.base import DeskHandler
from rules.refusals import Refusal, Worded

_FIRST = ("passed", "failed", "missed")
_SECOND = ("passed", "failed", "missed")
_REASON = 300


class ResultsHandler(DeskHandler):
    """The sheet of a session."""

    needs = result_sheet.PERMISSION

    async def get(self, code: str) -> None:
        """Who holds a place, and what is entered already."""
        await self._show(code, {}, {}, done=self.get_query_argument("done", ""))

    async def post(self, code: str) -> None:
        """Enter what was chosen; rows that do not fit keep what was chosen, with the reason."""
        cause, chosen = self.cause(), self._chosen()
        entered = {number: tries for number, tries in chosen.items() if tries[0]}
        answers = await result_sheet.enter(self.ctx, self.officer, code, entered, cause)
        problems = {number: self.worded(r) for number, r in answers.items() if r is not None}
        done = len(answers) - len(problems)
        # Who has only a second try chosen was forgotten half way.
        half = {number: tries for number, tries in chosen.items() if not tries[0]}
        for number in half:
            problems[number] = self.worded(Refusal("result-tries-unfit"))
        if problems or not entered:
            self.set_status(422)
            left = {number: tries for number, tries in chosen.items() if number in problems}
            await self._show(code, left, problems, done=str(done), none=not chosen)
            return
        self.redirect(f"/desk/exams/{code}/results?done={done}", status=303)

    def _chosen(self) -> dict[str, tuple[str, str]]:
        """What the form says by booking: (first try, second try), each empty where not chosen."""
        found: dict[str, tuple[str, str]] = {}
        for number in self.get_body_arguments("row"):
            first = self.get_body_argument(f"first-{number}", "")
            second = self.get_body_argument(f"second-{number}", "")
            if first not in ("", *_FIRST) or second not in ("", *_SECOND):
                raise Refusal("bad-request")
            if first or second:
                found[number] = (first, second)
        return found

    async def _show(
        self,
        code: str,
        chosen: dict[str, tuple[str, str]],
        problems: dict[str, Worded],
        *,
        done: str = "",
        none: bool = False,
    ) -> None:
        self.render(
            "exams_results.html",
            sheet=await result_sheet.sheet(self.ctx, self.officer, code),
            chosen=chosen,
            problems=problems,
            done=int(done) if done.isascii() and done.isdecimal() and len(done) < 5 else 0,
            none=none,
            first=_FIRST,
            second=_SECOND,
            cause=self.new_cause(),
        )


class ResultHandler(DeskHandler):
    """One result, put right with the reason."""

    needs = result_sheet.PERMISSION

    async def get(self, code: str, number: str) -> None:
        """What is entered, and everything that happened."""
        await self._show(code, number, ("", ""), "", None)

    async def post(self, code: str, number: str) -> None:
        """Put it right; what does not fit keeps what was written."""
        cause, reason = self.cause(), self.line("reason", _REASON)
        tries = (self.get_body_argument("first", ""), self.get_body_argument("second", ""))
        version = self.get_body_argument("version", "")
        if tries[0] not in ("", *_FIRST) or tries[1] not in ("", *_SECOND):
            raise Refusal("bad-request")
        if not (version.isascii() and version.isdecimal()):
            raise Refusal("bad-request")
        try:
            await result_sheet.correct(
                self.ctx,
                self.officer,
                code,
                number,
                tries,
                reason=reason,
                version=int(version),
                cause=cause,
            )
        except Refusal as refusal:
            worded = self.problem(refusal)
            await self._show(code, number, tries, reason, worded)
            return
        self.redirect(f"/desk/exams/{code}/results/{number}?done=1", status=303)

    async def _show(
        self, code: str, number: str, tries: tuple[str, str], reason: str, problem: Worded | None
    ) -> None:
        seen = await result_sheet.correction(self.ctx, self.officer, code, number)
        self.render(
            "exams_result.html",
            plan=seen.plan,
            row=seen.row,
            log=seen.log,
            tries=tries,
            reason=reason,
            problem=problem,
            done=bool(self.get_query_argument("done", "")),
            first=_FIRST,
            second=_SECOND,
            cause=self.new_cause(),
        )
