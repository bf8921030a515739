"""Public pages: what the platform is, the guide of each service, and how the service is doing."""

from pathlib import Path

from tornado.routing import URLSpec

from handlers.site.exams import ExamsHandler, ExamSiteHandler
from handlers.site.health import HealthHandler, MetricsHandler, ReadyHandler
from handlers.site.pages import (
    GuideHandler,
    GuidesHandler,
    HomeHandler,
    PrivacyHandler,
    SiteStatic,
)

_STATIC = Path(__file__).parent / "static"


def routes() -> list[URLSpec]:
    """The addresses of the public pages."""
    return [
        URLSpec(r"/", HomeHandler),
        URLSpec(r"/guide", GuidesHandler),
        URLSpec(r"/guide/", GuidesHandler),
        URLSpec(r"/guide/(?P<code>[a-z0-9-]{1,64})", GuideHandler),
        URLSpec(r"/exams", ExamsHandler),
        URLSpec(r"/exams/", ExamsHandler),
        URLSpec(r"/exams/sites/(?P<code>[A-Za-z0-9-]{1,32})", ExamSiteHandler),
        URLSpec(r"/privacy", PrivacyHandler),
        URLSpec(r"/site/(.*)", SiteStatic, {"path": str(_STATIC)}),
        URLSpec(r"/healthz", HealthHandler),
        URLSpec(r"/readyz", ReadyHandler),
        URLSpec(r"/metrics", MetricsHandler),
    ]
