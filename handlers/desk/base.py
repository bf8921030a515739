"""What every page of the desk stands on: the officer, his cookie, wording, the error page."""

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from tornado.web import StaticFileHandler

from casework import officers
from casework.officers import Officer
from handlers.base import Access, BaseHandler
from handlers.problems import Problem
from rules.calendar import HOUSE_ZONE
from rules.refusals import Refusal, Worded
from rules.roles import PERMISSIONS

STATIC_FOLDER = Path(__file__).parent / "static"
SESSION_COOKIE = "desk_session"
DEVICE_COOKIE = "desk_device"
LOGIN = "/desk/login"
HOME = "/desk/"
PASSWORD = "/desk/password"

_TEMPLATES = str(Path(__file__).parent / "templates")
_CAUSE = re.compile(r"[A-Za-z0-9_-]{16,64}")
_VERSION = re.compile(r"[0-9]{1,7}")
_INSIDE = re.compile(r"/desk/(?!log)(?!.*\.\.)[A-Za-z0-9/_?=&%.:+-]{0,300}")


class DeskHandler(BaseHandler):
    """A page of the desk."""

    access = Access.OFFICER
    policy: ClassVar[str] = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    needs: ClassVar[str] = "review"
    """The permission of ``rules.roles`` this page is for; unknown ones stop the start."""
    before_own_password: ClassVar[bool] = False
    """Whether the page is for an officer whose password somebody else has seen, too."""
    _officer: Officer | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.needs not in PERMISSIONS:
            raise LookupError(f"{cls.__qualname__} needs the unknown permission {cls.needs}")

    async def prepare(self) -> None:
        """Know the officer before anything is shown; without a login, lead to it and back."""
        if self.access is not Access.OFFICER:
            return
        session = self.get_cookie(SESSION_COOKIE, "") or ""
        try:
            self._officer = await officers.officer_session(self.ctx, session)
        except Refusal as refusal:
            if refusal.code != "not-logged-in":
                raise
            self._lead_to_login(had_session=bool(session))
            return
        if self._officer.must_change and not self.before_own_password:
            if self.request.method != "GET":
                raise Refusal("own-password-first")
            self.redirect(PASSWORD, status=303)
            return
        self._officer.must(self.needs)

    def _lead_to_login(self, had_session: bool) -> None:
        came_from = self.request.uri if self.request.method == "GET" else self.page_address()
        note = "&expired=1" if had_session else ""
        self.redirect(f"{LOGIN}?next={quote(came_from or HOME, safe='')}{note}", status=303)

    def page_address(self) -> str:
        """The page a form of this handler stands on: where to return after a new login."""
        return HOME

    @property
    def officer(self) -> Officer:
        """Who is at work."""
        if self._officer is None:
            raise Refusal("not-logged-in")
        return self._officer

    def set_cookie(self, *args: Any, **kwargs: Any) -> None:
        """Every cookie of the desk stays in the desk, out of scripts and other sites' requests."""
        kwargs.setdefault("path", "/desk")
        kwargs |= {
            "httponly": True,
            "samesite": "Strict",
            "secure": self.ctx.settings.environment == "production",
        }
        super().set_cookie(*args, **kwargs)

    # --- reading a form ---

    def cause(self) -> str:
        """The hidden cause of a form as an event's cause; a double click repeats it.

        Raises bad-request when the form carries none.
        """
        given = self.get_body_argument("cause", "")
        if not _CAUSE.fullmatch(given):
            raise Refusal("bad-request")
        return f"desk:{self.officer.username}:{given}"

    def line(self, name: str, most: int) -> str:
        """A text of the form, trimmed. Raises bad-request when longer than the page allows."""
        text = self.get_body_argument(name, "")
        if len(text) > most:
            raise Refusal("bad-request")
        return text

    def version(self) -> int:
        """The version of a matter the officer decided on. Raises bad-request."""
        text = self.get_body_argument("version", "")
        if not _VERSION.fullmatch(text):
            raise Refusal("bad-request")
        return int(text)

    def next_address(self) -> str:
        """Where the officer wanted to go: an address of the desk, never of another site."""
        wanted = self.get_argument("next", HOME)
        return wanted if _INSIDE.fullmatch(wanted) else HOME

    # --- wording ---

    def say(self, key: str, **params: Any) -> str:
        """A text of ``rules/texts/desk.toml``."""
        return self.ctx.book.texts.say(f"desk.{key}", **params)

    def worded(self, refusal: Refusal) -> Worded:
        """A refusal in words for an officer: some are worded for citizens, the desk has its own."""
        worded = self.ctx.book.texts.refusal(refusal)
        key = f"errors.{refusal.code}"
        if not self.ctx.book.texts.has(f"desk.{key}"):
            return worded
        return Worded(worded.status, worded.code, worded.detail, self.say(key))

    def problem(self, refusal: Refusal) -> Worded:
        """What is wrong, in words, for a page that is shown again; its status is the answer's."""
        worded = self.worded(refusal)
        self.set_status(worded.status)
        return worded

    def when(self, at: datetime | None) -> str:
        """A moment as an officer reads it."""
        return at.astimezone(HOUSE_ZONE).strftime("%Y-%m-%d %H:%M") if at else ""

    def due_note(self, due: datetime | None) -> tuple[str, str]:
        """The last day of a time limit, and how far off it is: (text, css class)."""
        if due is None:
            return "", ""
        day: date = due.astimezone(HOUSE_ZONE).date()
        left = (day - self.ctx.today()).days
        if due < self.ctx.now():
            return self.say("due.overdue", day=day, days=max(1, -left)), "overdue"
        if left <= 0:
            return self.say("due.today", day=day), "soon"
        return self.say("due.left", day=day, days=left), "soon" if left == 1 else ""

    # --- showing ---

    def get_template_path(self) -> str:
        """Where the pages' templates lie."""
        return _TEMPLATES

    def get_template_namespace(self) -> dict[str, Any]:
        """What every template may use."""
        return {
            **super().get_template_namespace(),
            "say": self.say,
            "when": self.when,
            "due_note": self.due_note,
            "officer": self._officer,
        }

    def new_cause(self) -> str:
        """A random id for a form about to be shown."""
        return self.ctx.ids.token()

    def show_problem(self, problem: Problem) -> None:
        """The error page: what is wrong, what to do next, a number to name when asking."""
        next_step = problem.next
        key = f"errors.{'page-too-old' if self._forged(problem) else problem.code}"
        if self.ctx.book.texts.has(f"desk.{key}"):
            next_step = self.say(key)
        detail = self.say("errors.forged") if self._forged(problem) else problem.detail
        self.clear_header("WWW-Authenticate")
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.render("error.html", detail=detail, next_step=next_step, request_id=self.request_id)

    def _forged(self, problem: Problem) -> bool:
        # Tornado's own 403 is a form without this browser's XSRF token.
        return problem.status == 403 and problem.code == "bad-request"


class DeskStatic(BaseHandler, StaticFileHandler):
    """Style sheet and script; they hold nothing of anybody."""

    access = Access.PUBLIC

    def set_extra_headers(self, path: str) -> None:
        """Kept by the browser, asked after each time: the answer is an empty 304."""
        self.set_header("Cache-Control", "no-cache")
