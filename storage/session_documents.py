"""A citizen's account as it is opened and as it is read; it lies in the collection ``sessions``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from rules.logins import Device
from rules.people import Citizen, Tier
from storage.consents import Agreement
from storage.tiers import StudentTier
from storage.wechat_accounts import WechatAccount


@dataclass(frozen=True)
class NewSession:
    """A citizen's account to be: registered directly, or opened by a matter at an office."""

    key: str
    id_number: str
    name: str
    phone: str
    created_at: datetime
    cause: str
    direct: bool = True
    """False for a driving student's: it gives no rights of its own."""


@dataclass(frozen=True)
class Person:
    """Who an account is of."""

    id_number: str
    name: str
    phone: str = ""


@dataclass(frozen=True)
class Opening:
    """When an account was opened, and its tiers: since when, by which office, until when."""

    created_at: datetime
    tiers: Mapping[str, Any]


@dataclass(frozen=True)
class Session:
    """A citizen's account, opened."""

    key: str
    id_number: str
    name: str
    phone: str
    tiers: frozenset[Tier]
    licence_number: str | None
    plates: frozenset[str]
    wechat: Mapping[str, WechatAccount]
    devices: tuple[Device, ...]
    open: Mapping[str, str]
    consents: Mapping[str, int]
    privacy: tuple[Agreement, ...]
    causes: tuple[str, ...]
    askers: tuple[str, ...] = ()
    """Blind indexes of the devices that logged in with a code, the last ten."""
    student: StudentTier | None = None
    wechat_last: Mapping[str, str] = field(default_factory=dict)
    """By app, the account (blind index) the person unbound himself: another one is not bound by
    a code alone."""

    def citizen(self, today: date) -> Citizen:
        """The person as the verbs take him, with the tiers of the day."""
        return Citizen(self.key, self.id_number, self.name, self.phone, self.tiers_on(today))

    def tiers_on(self, today: date) -> frozenset[Tier]:
        """The tiers that hold on a day: a student's ends with the time for learning."""
        if self.student is not None and self.student.until < today:
            return self.tiers - {Tier.STUDENT}
        return self.tiers

    def device(self, device: str) -> Device | None:
        """One of the person's devices by its id."""
        return next((d for d in self.devices if d.id == device), None)
