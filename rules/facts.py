"""What a rule needs to know beside the matter: read from the registry before deciding."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from rules.exams.plan import Plan
from rules.exams.record import Record
from rules.mandates import Mandate
from rules.people import Tier


@dataclass(frozen=True)
class Office:
    """An office of the authority, or a driving school. ``kind``: vehicle_office, police_station,
    exit_entry, driving_school; ``supervisor`` is the vehicle office that reviews a school's
    students."""

    code: str
    name: str
    kind: str
    region: str
    address: str
    hours: str
    phone: str
    supervisor: str = ""


@dataclass(frozen=True)
class Licence:
    """A driving licence as the registry holds it; ``valid_until`` is the last valid day."""

    number: str
    holder_name: str
    vehicle_class: str
    status: str
    issued_on: date
    valid_from: date
    valid_until: date
    issuing_office: str
    points: int = 0
    deferred_until: date | None = None
    deferral_pending: bool = False


@dataclass(frozen=True)
class Vehicle:
    """A vehicle as the registry holds it."""

    plate: str
    kind: str
    registering_office: str
    status: str


@dataclass(frozen=True)
class Facts:
    """Everything a decision may look at beside the matter, as of ``today`` (Asia/Shanghai).

    ``vehicles_bound`` are plates among ``vehicles``. All of it is about the subject; ``mandate``
    is the one an agent acts by, as it is now. ``record`` is that of a driving student, ``plan`` the
    session of a test he books, as they are now.
    """

    today: date
    tiers: frozenset[Tier] = frozenset()
    licence: Licence | None = None
    licence_bound: bool = False
    vehicles: tuple[Vehicle, ...] = ()
    vehicles_bound: frozenset[str] = frozenset()
    offices: Mapping[str, Office] = field(default_factory=dict)
    region: str | None = None
    mandate: Mandate | None = None
    record: Record | None = None
    plan: Plan | None = None
