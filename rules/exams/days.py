"""The days around a test: publishing, closing, telling, cancelling. Figures are those that hold on
the day of the test."""

from datetime import date, datetime, timedelta

from rules.calendar import HOUSE_ZONE
from rules.deadlines import end_of, is_working_day, say_date
from rules.parameters import Parameters
from rules.refusals import Refusal

FIRST_DAY, LAST_DAY = date(2015, 11, 1), date(2099, 12, 31)
"""The days of whose tests the platform knows the figures (``rules/parameters/exams.toml``)."""


def last_closing(day: date, parameters: Parameters) -> datetime:
    """The latest a plan may close: so many days before the test that everybody is told in time."""
    return end_of(day - timedelta(days=int(parameters.at("exam.closing_days", day).value)))


def told_by(day: date, parameters: Parameters) -> datetime:
    """By when everybody is told whether he is confirmed: two days before (article; REQ B4)."""
    return end_of(day - timedelta(days=int(parameters.at("exam.told_days", day).value)))


def last_office_day(day: date, parameters: Parameters) -> date:
    """The last day to cancel at the office: at least a day before (article); since 162令 that is a
    working day (第四十六条, 第一百一十条)."""
    last = day - timedelta(days=int(parameters.at("exam.cancel_days", day).value))
    for _ in range(int(parameters.at("exam.cancel_working_days", day).value)):
        while not is_working_day(last):
            last -= timedelta(days=1)
    return last


def first_day(today: date, parameters: Parameters) -> date:
    """The first day a session published today may be on (162令 第五十二条; before it the article's
    days)."""
    return today + timedelta(days=int(parameters.at("exam.notice_days", today).value))


def late_plan(
    day: date, closes_at: datetime, today: date, parameters: Parameters
) -> Refusal | None:
    """Why a session of ``day`` may not be published ``today`` to close at ``closes_at``: published
    too late, or closing too late to tell everybody two days before (REQ B4)."""
    first = first_day(today, parameters)
    if day < first:
        return Refusal("plan-too-late", days=(first - today).days, first_day=say_date(first))
    return late_closing(day, closes_at, parameters)


def late_closing(day: date, closes_at: datetime, parameters: Parameters) -> Refusal | None:
    """Why a session of ``day`` may not close at ``closes_at``."""
    latest = last_closing(day, parameters)
    if closes_at > latest:
        last = say_date(latest.astimezone(HOUSE_ZONE).date())
        return Refusal("plan-closes-too-late", last_day=last)
    return None
