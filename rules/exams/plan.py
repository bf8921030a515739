"""A published session of a test (考试计划的一个场次)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

SERVICE = "exam-booking"

Status = Literal["open", "closed", "cancelled"]


class Subject(StrEnum):
    """What is tested (162令 第三十条): 科目一, 科目二, the two parts of 科目三."""

    THEORY = "1"
    FIELD = "2"
    ROAD = "3"
    SAFETY = "4"


@dataclass(frozen=True)
class Plan:
    """One session: ``day`` and ``starts``/``ends`` (``08:30``) in the house's zone, of one subject
    and one vehicle class, at a site of the office that publishes it.

    ``booked`` counts those who hold a place, ``left`` the places nobody holds or is offered,
    ``waiting`` the queue; ``outcomes`` the results so far: passed, failed, missed.
    """

    code: str
    office: str
    region: str
    site: str
    site_name: str
    subject: Subject
    vehicle_class: str
    day: date
    starts: str
    ends: str
    capacity: int
    closes_at: datetime
    published_at: datetime
    status: Status = "open"
    booked: int = 0
    left: int = 0
    waiting: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    changes: int = 0

    def sitting(self) -> dict[str, str]:
        """What a booking keeps of it, as its form: the plan as it was when this was written."""
        return {
            "plan": self.code,
            "office": self.office,
            "site": self.site,
            "site_name": self.site_name,
            "subject": self.subject.value,
            "vehicle_class": self.vehicle_class,
            "day": self.day.isoformat(),
            "starts": self.starts,
            "ends": self.ends,
            "closes_at": self.closes_at.isoformat(),
        }
