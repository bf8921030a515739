"""What the doors show: plain frozen values, worded in Chinese, with nothing a door must decide."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class OfficeView:
    """An office with where and when to find it."""

    code: str
    name: str
    kind: str
    region: str
    address: str
    hours: str
    phone: str
    supervisor: str = ""


@dataclass(frozen=True)
class PhotoView:
    """A photo of a material; ``thumbnail`` is a short-lived signed address."""

    id: str
    media_type: str
    width: int
    height: int
    added_at: datetime
    thumbnail: str
    checks: list[str]


@dataclass(frozen=True)
class MaterialView:
    """A material asked for, with the photos given; ``open`` when it may be changed now."""

    name: str
    label: str
    shows: str
    required: bool
    max_photos: int
    open: bool
    photos: list[PhotoView]


@dataclass(frozen=True)
class FieldView:
    """A field of the form as filled in; ``text`` is the value as a person reads it."""

    name: str
    label: str
    value: str
    text: str
    required: bool
    open: bool


@dataclass(frozen=True)
class TimelineEntry:
    """One line of the progress: what happened, when, at which office, with the reason given."""

    at: datetime
    type: str
    text: str
    office: str | None
    note: str
    actor: str = ""


@dataclass(frozen=True)
class DefectView:
    """One part to put right."""

    part: str
    label: str
    reason: str


@dataclass(frozen=True)
class NoticeView:
    """A message owed or sent to the citizen. ``at`` is when it was sent, or is due; ``reader`` says
    which of the two it is for where an agent acts."""

    at: datetime
    matter: str
    title: str
    text: str
    channel: str
    state: str
    state_label: str
    repeated: bool
    reader: str = ""


@dataclass(frozen=True)
class ActingView:
    """Who applied for whom, by which mandate; the names are masked."""

    mandate: str
    principal: str
    agent: str


@dataclass(frozen=True)
class MatterSummary:
    """One line in the citizen's list; ``acting`` where an agent applied for his principal."""

    number: str
    service: str
    title: str
    state: str
    state_label: str
    updated_at: datetime
    acting: ActingView | None = None


@dataclass(frozen=True)
class MatterView:
    """A matter as the citizen sees it; ``acting`` where an agent applied for his principal."""

    number: str
    service: str
    title: str
    state: str
    state_label: str
    created_at: datetime
    submitted_at: datetime | None
    due: datetime | None
    office: OfficeView | None
    form: dict[str, str]
    fields: list[FieldView]
    materials: list[MaterialView]
    timeline: list[TimelineEntry]
    next_step: str
    actions: list[str]
    consent_templates: list[str]
    defects: list[DefectView]
    missing: list[DefectView]
    notices: list[NoticeView]
    version: int
    acting: ActingView | None = None


@dataclass(frozen=True)
class LicenceView:
    """A licence as its holder sees it; the number is masked."""

    number: str
    vehicle_class: str
    status: str
    valid_from: date
    valid_until: date
    issuing_office: str
    points: int
    bound: bool
    deferral: str


@dataclass(frozen=True)
class VehicleView:
    """A vehicle as its owner sees it; ``id`` stands for it in addresses. The plate is whole once
    the vehicle is bound, masked before."""

    id: str
    plate: str
    kind: str
    status: str
    registering_office: str
    bound: bool


@dataclass(frozen=True)
class PhotoFile:
    """A stored picture, streamed decrypted."""

    media_type: str
    stream: AsyncIterator[bytes]
