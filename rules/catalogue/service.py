"""A service of the catalogue, as its file describes it. Everything here is frozen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from rules.conditions import ConditionUse
from rules.fields import Field, MaterialSpec
from rules.regions import contains

SECTORS = frozenset({"traffic", "household", "exit_entry", "detention", "fire"})
KINDS = frozenset(
    {"query", "reviewed", "verified", "booking", "payment", "arrival", "window", "enrolment"}
)
ENTERERS = frozenset({"citizen", "officer", "school"})
STAGES = frozenset({"trial", "planned", "open", "closed"})
AGENTS = frozenset({"no", "window", "online"})
OFFICE_ROLES = frozenset(
    {
        "licence_issuing_office",
        "signing_office",
        "supervising_office",
        "contact_office",
        "testing_office",
    }
)


@dataclass(frozen=True)
class Opening:
    """From a day on, in a region: trial, planned, open, or closed with who has it now."""

    region: str
    stage: str
    since: date
    successor: str


@dataclass(frozen=True)
class Who:
    """Who may apply: ``business`` is a row of rules.permissions; ``agent`` says whether somebody
    else may act for him: no, at the window, or online. ``enters`` are the kinds of actors who may
    begin a matter of the service: the citizen, an officer, a driving school."""

    business: str
    by_oneself: bool
    agent: str
    text: str
    enters: frozenset[str] = frozenset({"citizen"})


@dataclass(frozen=True)
class OfficeRole:
    """Which office decides: a role the registry resolves, and its name for people."""

    decides: str
    text: str


@dataclass(frozen=True)
class Limits:
    """Time limits, each the name of a dated parameter; ``review`` is in working days."""

    review: str | None


@dataclass(frozen=True)
class Reminder:
    """The reminder before what was granted ends: the field that names the end, and the dated
    parameter of how many days before."""

    field: str
    days_before: str


@dataclass(frozen=True)
class Service:
    """One service: form, materials, conditions, office, limits, messages and effects."""

    code: str
    title: str
    sector: str
    kind: str
    law: tuple[str, ...]
    openings: tuple[Opening, ...]
    who: Who
    one_at_a_time: bool
    conditions: tuple[ConditionUse, ...]
    fields: tuple[Field, ...]
    materials: tuple[MaterialSpec, ...]
    office: OfficeRole
    limits: Limits
    reminder: Reminder | None
    fee: str
    notices: tuple[str, ...]
    effects: Mapping[str, tuple[str, ...]]
    steps: tuple[str, ...]
    result: str
    synonyms: tuple[str, ...]
    examples: tuple[str, ...]

    def opening(self, on: date, region: str | None = None) -> Opening | None:
        """What holds on a day in a region (the whole province when none is named): the entry of
        the smallest region that contains it, and of those the latest. None before the first."""
        holding = [
            o
            for o in self.openings
            if o.since <= on and (contains(o.region, region) if region else len(o.region) == 2)
        ]
        return max(holding, key=lambda o: (len(o.region), o.since), default=None)

    def status(self, on: date, region: str | None = None) -> str:
        """trial, planned, open or closed on a day; planned before anything holds."""
        opening = self.opening(on, region)
        return opening.stage if opening else "planned"

    def is_open(self, on: date, region: str | None = None) -> bool:
        """Whether everybody of the region may use it on that day."""
        return self.status(on, region) == "open"

    def opens(self, on: date, region: str | None = None) -> date | None:
        """The first later day on which it is planned to be open there; None where none is."""
        later = sorted(o.since for o in self.openings if o.since > on)
        return next((day for day in later if self.is_open(day, region)), None)
