"""Driving tests at the desk: one file a page, every page below ``exams_base.html``."""

from tornado.routing import URLSpec

from handlers.desk.exams.bookings import (
    BookingHandler,
    CancelHandler,
    RefuseHandler,
    ToldHandler,
    UntoldHandler,
)
from handlers.desk.exams.plan import PlanHandler
from handlers.desk.exams.plan_forms import CancelPlanHandler, ChangePlanHandler, PublishHandler
from handlers.desk.exams.plans import PlansHandler, ResultsDueHandler
from handlers.desk.exams.results import ResultHandler, ResultsHandler
from handlers.desk.exams.visits import (
    ActHandler,
    BookHandler,
    CodeHandler,
    ReceiptHandler,
    StudentHandler,
    VisitHandler,
)

_NUMBER = r"(?P<number>[0-9]{1,20})"
_VISIT = r"(?P<visit>[\w-]{43})"
_PLAN = r"/desk/exams/(?P<code>[A-Za-z0-9_-]{1,40})"


def routes() -> list[URLSpec]:
    """The addresses of these pages: those of one session last, whose code, with a digit in it at
    least, is none of the names before."""
    return [
        URLSpec(r"/desk/exams", PlansHandler),
        URLSpec(r"/desk/exams/new", PublishHandler),
        URLSpec(r"/desk/exams/results-due", ResultsDueHandler),
        URLSpec(r"/desk/exams/student", StudentHandler),
        URLSpec(r"/desk/exams/untold", UntoldHandler),
        URLSpec(rf"/desk/exams/visits/{_VISIT}", VisitHandler),
        URLSpec(rf"/desk/exams/visits/{_VISIT}/code", CodeHandler),
        URLSpec(rf"/desk/exams/visits/{_VISIT}/book", BookHandler),
        URLSpec(rf"/desk/exams/visits/{_VISIT}/act", ActHandler),
        URLSpec(rf"/desk/exams/visits/{_VISIT}/receipt/{_NUMBER}", ReceiptHandler),
        URLSpec(rf"/desk/exams/bookings/{_NUMBER}", BookingHandler),
        URLSpec(rf"/desk/exams/bookings/{_NUMBER}/refuse", RefuseHandler),
        URLSpec(rf"/desk/exams/bookings/{_NUMBER}/cancel", CancelHandler),
        URLSpec(rf"/desk/exams/bookings/{_NUMBER}/told", ToldHandler),
        URLSpec(_PLAN, PlanHandler),
        URLSpec(rf"{_PLAN}/change", ChangePlanHandler),
        URLSpec(rf"{_PLAN}/cancel", CancelPlanHandler),
        URLSpec(rf"{_PLAN}/results", ResultsHandler),
        URLSpec(rf"{_PLAN}/results/{_NUMBER}", ResultHandler),
    ]
