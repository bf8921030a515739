"""The shape of a service guide, which casework gives as a plain dict. Only documentation and tests
read these models; the guide itself is encoded once a day and not checked on every request."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class GuideOption(_Part):
    """One choice of a field."""

    value: str
    label: str


class GuideField(_Part):
    """A field of the form."""

    name: str
    label: str
    type: str
    required: bool
    options: list[GuideOption]
    help: str
    example: str


class GuideMaterial(_Part):
    """A material to photograph. ``when``: ``always``, or ``agent`` for one that only an agent who
    acts by a mandate needs."""

    name: str
    label: str
    shows: str
    required: bool
    max_photos: int
    when: str = "always"


class GuideLimit(_Part):
    """A figure with its unit and the law it comes from."""

    value: Any
    unit: str
    source: str


class ServiceGuide(_Part):
    """All of one service."""

    code: str
    title: str
    sector: str
    sector_label: str
    kind: str
    status: str
    status_label: str
    law: list[str]
    who: str
    conditions: list[str]
    fields: list[GuideField]
    materials: list[GuideMaterial]
    steps: list[str]
    time_limit: GuideLimit | None
    fee: str
    office: str
    result: str
    consent_templates: list[str]
