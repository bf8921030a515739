"""What the doors show of driving tests: plain frozen values, worded in Chinese."""

from dataclasses import dataclass
from datetime import date, datetime

from casework.views import NoticeView, OfficeView, TimelineEntry


@dataclass(frozen=True)
class PlanView:
    """One session of a test, for everybody (162令 第五十二条).

    ``booked`` hold a place, ``left`` are free, ``waiting`` stand in line; ``outcomes`` counts
    passed, failed, missed.
    """

    code: str
    office: str
    office_name: str
    site: str
    site_name: str
    subject: str
    subject_label: str
    vehicle_class: str
    day: date
    starts: str
    ends: str
    capacity: int
    booked: int
    left: int
    waiting: int
    closes_at: datetime
    published_at: datetime
    status: str
    status_label: str
    bookable: bool
    outcomes: dict[str, int]


@dataclass(frozen=True)
class SiteView:
    """An exam site, for everybody (162令 第五十二条). ``subjects`` are the values tested there,
    ``subject_labels`` what they are called; ``daily_capacity`` is the most tests a day."""

    code: str
    name: str
    office: str
    office_name: str
    address: str
    phone: str
    hours: str
    subjects: list[str]
    subject_labels: list[str]
    daily_capacity: int
    layout: str
    route: str
    process: str


@dataclass(frozen=True)
class SummaryTotal:
    """Sums over sessions. ``pass_rate``: of those tested, passed in per cent; None before."""

    sessions: int
    capacity: int
    booked: int
    passed: int
    failed: int
    missed: int
    pass_rate: float | None


@dataclass(frozen=True)
class SummaryRow(SummaryTotal):
    """The sums of one month (``2026-11``) at a site, of one subject and class."""

    month: str
    site: str
    site_name: str
    subject: str
    subject_label: str
    vehicle_class: str


@dataclass(frozen=True)
class SummaryView:
    """Results from one day to another, both included, the newest month first."""

    since: date
    until: date
    total: SummaryTotal
    rows: list[SummaryRow]


@dataclass(frozen=True)
class PlanPage:
    """Plans in the order of their time; ``next`` is the cursor of what follows."""

    plans: list[PlanView]
    next: str | None


@dataclass(frozen=True)
class BookingView:
    """A booking, or a place in line, as the student sees it.

    ``actions`` are those possible now: cancel, leave, accept (an offer), accept_change.
    ``cancel_online_until`` and ``cancel_office_until`` say how it can be cancelled; ``position`` is
    the place in line; ``offer_until`` ends an offer; ``told_by`` is when it is confirmed at the
    latest; ``outcome`` is set once there is a result.
    """

    number: str
    state: str
    state_label: str
    plan: str
    subject: str
    subject_label: str
    vehicle_class: str
    day: date
    starts: str
    ends: str
    site: str
    site_name: str
    office: OfficeView | None
    created_at: datetime
    cancel_online_until: datetime
    cancel_office_until: date
    told_by: datetime
    position: int | None
    offer_until: datetime | None
    changed: bool
    outcome: str | None
    outcome_label: str
    actions: list[str]
    next_step: str
    timeline: list[TimelineEntry]
    notices: list[NoticeView]
    version: int


@dataclass(frozen=True)
class BookingSummary:
    """One line in the student's list; ``live`` as long as it is not over."""

    number: str
    state: str
    state_label: str
    live: bool
    plan: str
    subject: str
    subject_label: str
    vehicle_class: str
    day: date
    starts: str
    ends: str
    site_name: str
    position: int | None
    offer_until: datetime | None
    changed: bool
    outcome: str | None
    outcome_label: str
    actions: list[str]


@dataclass(frozen=True)
class SubjectView:
    """Where a student stands in one subject. ``bookable_from`` is the first day he may book (today
    when he may now), None when something else is missing, which ``why`` says; ``left`` counts the
    bookings left where the law limits them."""

    subject: str
    label: str
    passed: bool
    passed_on: date | None
    used: int
    left: int | None
    bookable_from: date | None
    why: str
    booking: str | None


@dataclass(frozen=True)
class AttemptView:
    """One sitting of the past, as it counts today."""

    subject: str
    subject_label: str
    day: date
    outcome: str
    outcome_label: str
    retried: bool
    void: bool


@dataclass(frozen=True)
class RecordView:
    """A student's record: permit, where he is tested, each subject, every sitting."""

    vehicle_class: str
    office: OfficeView | None
    permit_issued_on: date | None
    permit_until: date | None
    subjects: list[SubjectView]
    attempts: list[AttemptView]
