"""The public pages. Everything on them comes from the catalogue; no login, no script (REQ D4)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from tornado.web import StaticFileHandler

from casework import privacy
from casework.guide import ServiceSummary, guide, services
from handlers.base import Access, BaseHandler
from handlers.problems import Problem

_TEMPLATES = str(Path(__file__).parent / "templates")


class PageHandler(BaseHandler):
    """A public page."""

    access: ClassVar[Access] = Access.PUBLIC
    policy: ClassVar[str] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )

    def get_template_path(self) -> str:
        """Where the pages' templates lie."""
        return _TEMPLATES

    def get_template_namespace(self) -> dict[str, Any]:
        """What every template may use: the texts of ``rules/texts/site.toml``."""
        return {**super().get_template_namespace(), "say": self.say}

    def say(self, key: str, **params: Any) -> str:
        """A text of the public pages."""
        return self.ctx.book.texts.say(f"site.{key}", **params)

    def show(self, template: str, **values: Any) -> None:
        """A page everybody may keep for a minute."""
        self.set_header("Cache-Control", "public, max-age=60")
        self.render(template, **values)

    def show_problem(self, problem: Problem) -> None:
        """An error as a page."""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.render("problem.html", problem=problem)

    def by_sector(self) -> Mapping[str, list[ServiceSummary]]:
        """The services under the names of their sectors."""
        found: dict[str, list[ServiceSummary]] = {}
        for service in services(self.ctx):
            found.setdefault(service.sector_label, []).append(service)
        return found


class HomeHandler(PageHandler):
    """``/``: what this is and what it can do for you."""

    def get(self) -> None:
        """The page."""
        self.show("home.html", sectors=self.by_sector())


class GuidesHandler(PageHandler):
    """``/guide/``: every service by sector."""

    def get(self) -> None:
        """The page."""
        self.show("guides.html", sectors=self.by_sector())


class GuideHandler(PageHandler):
    """``/guide/{code}``: conditions, materials, steps, time limit and law of one service."""

    def get(self, code: str) -> None:
        """The page. Raises service-unknown."""
        self.show("guide.html", guide=guide(self.ctx, code))


class PrivacyHandler(PageHandler):
    """``/privacy``: what is held about persons, why, for how long and who gets it."""

    def get(self) -> None:
        """The page."""
        self.show("privacy.html", notice=privacy.notice(self.ctx))


class SiteStatic(BaseHandler, StaticFileHandler):
    """The style sheet."""

    access: ClassVar[Access] = Access.PUBLIC

    def set_extra_headers(self, path: str) -> None:
        """Kept by the browser, asked after each time: the answer is an empty 304."""
        self.set_header("Cache-Control", "no-cache")
