"""When to remind a citizen that what was granted to him ends."""

from datetime import date, datetime, time, timedelta

from rules.calendar import HOUSE_ZONE
from rules.catalogue import Service
from rules.deadlines import house_time
from rules.enrolments import kept_until, waits_for_licence
from rules.exams.booking import day_of
from rules.exams.results import EVENTS
from rules.matter import Event, Matter
from rules.parameters import Parameters

_HOUR = time(9, 0)
_LASTING = frozenset(
    {"approved", "enrolled_in_person", "permit_issued", "exams_reopened", "exams_voided"}
)
"""After these a student's time for learning is known, or known anew."""

NOTHING_TO_COME = frozenset(
    {"reminded", "left", "lapsed", "licence_issued", "exams_passed"}
    | {"cancelled", "cancelled_at_office", "released", "let_go", *EVENTS.values()}
)
"""After these no day is waited for any more."""


def remind_at(
    service: Service, matter: Matter, event: Event, parameters: Parameters
) -> datetime | None:
    """The moment of the reminder a grant causes: 09:00 in the house's zone, the service's number
    of days before the day its form field names. A student's enrolment lapses the day after its
    last; a test that is confirmed is reminded of the day before. None when this event grants
    nothing."""
    last = kept_until(matter) if event.type in _LASTING and service.kind == "enrolment" else None
    if last is not None and not waits_for_licence(matter):
        return house_time(last + timedelta(days=1), time())
    if event.type == "confirmed":
        test = day_of(matter)
        return _before(test, int(parameters.at("exam.remind_days", test).value))
    if event.type != "approved" or service.reminder is None:
        return None
    ends = date.fromisoformat(matter.form[service.reminder.field])
    granted = event.at.astimezone(HOUSE_ZONE).date()
    return _before(ends, int(parameters.at(service.reminder.days_before, granted).value))


def _before(day: date, days: int) -> datetime:
    return house_time(day - timedelta(days=days), _HOUR)
