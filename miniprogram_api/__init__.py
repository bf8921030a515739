"""Door 1: JSON for the mini-program, under ``/api/v1``. One module a subject; this is the table."""

from typing import Any

from tornado.routing import URLSpec

from miniprogram_api import openapi
from miniprogram_api.consents import ConsentsHandler
from miniprogram_api.devices import DeviceHandler, DevicesHandler
from miniprogram_api.dialogue import DialogueHandler
from miniprogram_api.docs import DocsHandler, Documents, OpenApiHandler
from miniprogram_api.exams import (
    AcceptChangeHandler,
    AcceptOfferHandler,
    BookingHandler,
    BookingsHandler,
    ExamPlanHandler,
    ExamPlansHandler,
    ExamRecordHandler,
    ExamSitesHandler,
    ExamSummaryHandler,
    WaitingHandler,
    WaitingListHandler,
)
from miniprogram_api.licences import LicenceBindingHandler, LicencesHandler
from miniprogram_api.login import IdNumberLoginHandler, LoginHandler, RefreshHandler
from miniprogram_api.mandates import (
    AcceptHandler,
    MandateCodesHandler,
    MandateHandler,
    MandatesHandler,
)
from miniprogram_api.matters import MatterHandler, MattersHandler, SubmitHandler, UrgeHandler
from miniprogram_api.me import ExportHandler, MeHandler
from miniprogram_api.notices import NoticesHandler
from miniprogram_api.operations import ApiHandler
from miniprogram_api.photos import PhotoHandler, PhotosHandler, ThumbnailHandler
from miniprogram_api.privacy import PrivacyHandler
from miniprogram_api.registrations import RegistrationsHandler
from miniprogram_api.routing import Route
from miniprogram_api.services import Guides, OfficesHandler, ServiceHandler, ServicesHandler
from miniprogram_api.sms_codes import SmsCodesHandler
from miniprogram_api.vehicles import VehicleBindingHandler, VehiclesHandler
from miniprogram_api.wechat_bindings import BindingHandler
from rules.book import Rulebook

ROUTES: tuple[Route, ...] = (
    # for everyone
    Route("/services", ServicesHandler),
    Route("/services/{code}", ServiceHandler),
    Route("/offices", OfficesHandler),
    Route("/privacy", PrivacyHandler),
    # who you are
    Route("/sms-codes", SmsCodesHandler),
    Route("/registrations", RegistrationsHandler),
    Route("/login", LoginHandler),
    Route("/login/id-number", IdNumberLoginHandler),
    Route("/login/refresh", RefreshHandler),
    Route("/devices", DevicesHandler),
    Route("/devices/{device}", DeviceHandler),
    Route("/bindings/{app}", BindingHandler),
    Route("/me", MeHandler),
    Route("/me/export", ExportHandler),
    Route("/licences", LicencesHandler),
    Route("/licences/binding", LicenceBindingHandler),
    Route("/vehicles", VehiclesHandler),
    Route("/vehicles/{vehicle}/binding", VehicleBindingHandler),
    # what was being talked about
    Route("/dialogue", DialogueHandler),
    # who may act for you
    Route("/mandates", MandatesHandler),
    Route("/mandates/sms-codes", MandateCodesHandler),
    Route("/mandates/{mandate}", MandateHandler),
    Route("/mandates/{mandate}/accept", AcceptHandler),
    # what you have going
    Route("/matters", MattersHandler),
    Route("/matters/{number}", MatterHandler),
    Route("/matters/{number}/submit", SubmitHandler),
    Route("/matters/{number}/urge", UrgeHandler),
    Route("/matters/{number}/photos", PhotosHandler),
    Route("/matters/{number}/photos/{photo}", PhotoHandler),
    Route("/thumbnails/{number}/{photo}", ThumbnailHandler),
    # driving tests
    Route("/exam-plans", ExamPlansHandler),
    Route("/exam-plans/{plan}", ExamPlanHandler),
    Route("/exam-sites", ExamSitesHandler),
    Route("/bookings", BookingsHandler),
    Route("/bookings/{number}", BookingHandler),
    Route("/bookings/{number}/accept-change", AcceptChangeHandler),
    Route("/waiting-list", WaitingListHandler),
    Route("/waiting-list/{number}", WaitingHandler),
    Route("/waiting-list/{number}/accept", AcceptOfferHandler),
    Route("/exam-results/summary", ExamSummaryHandler),
    Route("/exam-results", ExamRecordHandler),
    # what you are told
    Route("/notices", NoticesHandler),
    Route("/consents", ConsentsHandler),
    # this document
    Route("/openapi.json", OpenApiHandler),
)


def routes() -> list[URLSpec]:
    """Every address of this door, with what its handlers share in one process."""
    guides = {"guides": Guides()}
    documents = {"documents": Documents(ROUTES)}
    shared: dict[type[ApiHandler], dict[str, Any]] = {
        ServicesHandler: guides,
        ServiceHandler: guides,
        OpenApiHandler: documents,
    }
    specs = [route.spec(shared.get(route.handler)) for route in ROUTES]
    return [*specs, URLSpec("/api/docs", DocsHandler, documents)]


def openapi_document(book: Rulebook) -> dict[str, Any]:
    """The OpenAPI 3.1 document of this door."""
    return openapi.document(ROUTES, book)
