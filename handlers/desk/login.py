"""Logging in at the desk and out again."""

from casework import officers
from handlers.base import Access
from handlers.desk.base import DEVICE_COOKIE, LOGIN, SESSION_COOKIE, DeskHandler
from rules.refusals import Refusal, Worded

_LONGEST = 200
_DEVICE_DAYS = 90


class LoginHandler(DeskHandler):
    """User name, password and, where the officer has one, the code of his second factor."""

    access = Access.PUBLIC

    def get(self) -> None:
        """Show the form; say so when it is shown because a login ended."""
        self._show(username="", problem=None, expired=bool(self.get_argument("expired", "")))

    async def post(self) -> None:
        """Log in and go to the page wanted."""
        username = self.line("username", _LONGEST)
        try:
            session = await officers.officer_login(
                self.ctx,
                username=username,
                password=self.get_body_argument("password", "", strip=False)[:_LONGEST],
                code=self.line("code", _LONGEST).replace(" ", ""),
                address=self.request.remote_ip or "",
                device=self.get_cookie(DEVICE_COOKIE, "") or "",
            )
        except Refusal as refusal:
            worded = self.problem(refusal)
            self._show(username, worded, expired=False)
            return
        await officers.officer_logout(self.ctx, self.get_cookie(SESSION_COOKIE, "") or "")
        self.set_cookie(SESSION_COOKIE, session.id)
        # Kept after logging out: it opens nothing, it only tells this browser from others.
        self.set_cookie(DEVICE_COOKIE, session.device, expires_days=_DEVICE_DAYS)
        self.redirect(self.next_address(), status=303)

    def _show(self, username: str, problem: Worded | None, expired: bool) -> None:
        self.render(
            "login.html",
            username=username,
            problem=problem,
            code_asked=problem is not None and problem.code == "officer-code-needed",
            expired=expired,
            next_address=self.next_address(),
        )


class LogoutHandler(DeskHandler):
    """The end of a login."""

    access = Access.PUBLIC

    async def post(self) -> None:
        """Forget the login, here and in the browser."""
        await officers.officer_logout(self.ctx, self.get_cookie(SESSION_COOKIE, "") or "")
        self.clear_cookie(SESSION_COOKIE, path="/desk")
        self.redirect(LOGIN, status=303)
