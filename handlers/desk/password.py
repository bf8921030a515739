"""An officer's or a clerk's own password: the old one, the new one twice."""

from casework import officers
from handlers.desk.base import PASSWORD, SESSION_COOKIE, DeskHandler
from rules.refusals import Refusal, Worded

_LONGEST = 200


class PasswordHandler(DeskHandler):
    """The form. Whose password was made for him comes here first."""

    needs = "desk"
    before_own_password = True

    def get(self) -> None:
        """Show it; after a change, say so."""
        done = self.get_query_argument("done", "") != "" and not self.officer.must_change
        self._show(None, done=done)

    async def post(self) -> None:
        """Change it; nothing typed is shown again."""
        self.cause()
        try:
            await officers.change_password(
                self.ctx,
                self.officer,
                self.get_cookie(SESSION_COOKIE, "") or "",
                old=self._typed("old"),
                new=self._typed("new"),
                again=self._typed("again"),
            )
        except Refusal as refusal:
            worded = self.problem(refusal)
            self._show(worded, done=False)
            return
        self.redirect(f"{PASSWORD}?done=1", status=303)

    def _typed(self, name: str) -> str:
        """A password as typed, blanks and all. Raises bad-request when longer than the login
        takes."""
        text = self.get_body_argument(name, "", strip=False)
        if len(text) > _LONGEST:
            raise Refusal("bad-request")
        return text

    def _show(self, problem: Worded | None, *, done: bool) -> None:
        self.render(
            "password.html",
            problem=problem,
            done=done,
            least=int(self.ctx.figure("desk.password_least")),
            cause=self.new_cause(),
        )

    def page_address(self) -> str:
        """The form."""
        return PASSWORD
