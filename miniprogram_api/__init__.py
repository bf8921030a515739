"""Door 1: JSON for the mini-program, under ``/api/v1``. One module a subject; this is the table."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from tornado.web import URLSpec

from handlers.base import JsonHandler
from miniprogram_api.consents import ConsentsHandler
from miniprogram_api.docs import DocsHandler, OpenApiHandler, Pages
from miniprogram_api.licences import LicencesHandler
from miniprogram_api.login import IdNumberLoginHandler, LoginHandler
from miniprogram_api.matters import MatterHandler, MattersHandler, SubmitHandler, UrgeHandler
from miniprogram_api.me import MeHandler
from miniprogram_api.notices import NoticesHandler
from miniprogram_api.openapi import PATH_PARAMETERS, Route, document
from miniprogram_api.photos import PhotoHandler, PhotosHandler, ThumbnailHandler
from miniprogram_api.registrations import RegistrationsHandler
from miniprogram_api.services import (
    Guides,
    OfficesHandler,
    ServiceHandler,
    ServicesHandler,
)
from miniprogram_api.sms_codes import SmsCodesHandler
