"""Addresses as OpenAPI writes them, and as Tornado matches them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tornado.routing import URLSpec

from miniprogram_api.operations import ApiHandler

PREFIX = "/api/v1"
_NAME = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class PathParameter:
    """What may stand in a path. What does not fit is an unknown address."""

    pattern: str
    description: str
    example: str = ""


PATH_PARAMETERS: Mapping[str, PathParameter] = {
    "code": PathParameter(
        r"[a-z0-9-]{1,64}", "Code of a service, from GET /services", "exam-booking"
    ),
    "plan": PathParameter(
        r"[A-Za-z0-9_-]{1,40}", "Code of a session, from GET /exam-plans", "4101-VO-5f0c2a91"
    ),
    "number": PathParameter(r"[0-9]{12}", "Number of a matter", "640218573091"),
    "vehicle": PathParameter(r"[A-Za-z0-9_-]{22}", "Id of a vehicle, from GET /vehicles"),
    "device": PathParameter(r"[A-Za-z0-9_-]{1,64}", "Id of a device, from GET /devices"),
    "mandate": PathParameter(r"[A-Za-z0-9_-]{48}", "Id of a mandate, from GET /mandates"),
    "app": PathParameter(r"official|mini", "Where the WeChat account is bound"),
    "photo": PathParameter(r"[A-Za-z0-9_-]{1,64}", "Id of a photo, as the matter names it"),
}


@dataclass(frozen=True)
class Route:
    """One address below ``/api/v1`` and its handler."""

    path: str
    handler: type[ApiHandler]

    @property
    def parameters(self) -> list[str]:
        """The names in the path, in order."""
        return _NAME.findall(self.path)

    def spec(self, given: Mapping[str, Any] | None = None) -> URLSpec:
        """The route for Tornado; ``given`` goes to the handler's ``initialize``."""
        pattern = _NAME.sub(lambda m: f"({PATH_PARAMETERS[m[1]].pattern})", self.path)
        return URLSpec(PREFIX + pattern, self.handler, dict(given or {}))
