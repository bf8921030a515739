"""Driving tests at the desk: one file a page, every page below ``exams_base.html``."""

from tornado.routing import URLSpec

from handlers.desk.exams.plans import PlansHandler


def routes() -> list[URLSpec]:
    """The addresses of these pages."""
    return [
        URLSpec(r"/desk/exams", PlansHandler),
    ]
