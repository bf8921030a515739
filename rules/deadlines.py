"""Days and periods: working days by the holiday calendar, years, ends of days.

In the licence regulation periods of one, three and five days are working days (162令 第一百一十条).
The calendar holds only the years whose holidays the State Council has published; later days are
counted Monday to Friday, but for the holidays of fixed date, and marked provisional.
"""

import calendar
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, date, datetime, time, timedelta

import chinese_calendar
from chinese_calendar.constants import holidays

from rules.calendar import HOUSE_ZONE

FIRST_YEAR: int = min(holidays).year
LAST_YEAR: int = max(holidays).year
"""The last year whose holidays are published; the package is renewed each November."""


class BeforeCalendar(ValueError):
    """A day before the holiday calendar begins: no period of the platform can start there."""


_FIXED = frozenset({(1, 1), (5, 1), (10, 1), (10, 2), (10, 3)})


@dataclass(frozen=True)
class Deadline:
    """The last day of a period; ``provisional`` when holidays not published yet may move it."""

    day: date
    provisional: bool


def is_working_day(day: date) -> bool:
    """Whether offices work on a day. Monday to Friday in years not published yet.

    Raises BeforeCalendar for days before 2004.
    """
    if day.year < FIRST_YEAR:
        raise BeforeCalendar(f"{day} is before the holiday calendar begins")
    if is_provisional(day):
        return day.weekday() < 5 and (day.month, day.day) not in _FIXED
    return bool(chinese_calendar.is_workday(day))


def is_provisional(day: date) -> bool:
    """Whether the holidays of the day's year are not published yet."""
    return day.year > LAST_YEAR


def deadline(start: date, working_days: int) -> Deadline:
    """The last of so many working days after ``start``; the first day counted is the next one."""
    day = start
    for _ in range(working_days):
        day += timedelta(days=1)
        while not is_working_day(day):
            day += timedelta(days=1)
    return Deadline(day, is_provisional(day))


def add_working_days(start: date, working_days: int) -> date:
    """The day of ``deadline``."""
    return deadline(start, working_days).day


def end_of_working_days(now: datetime, working_days: int) -> datetime:
    """The last second (UTC) of the last of so many working days after ``now``."""
    return end_of(add_working_days(now.astimezone(HOUSE_ZONE).date(), working_days))


def house_time(day: date, at: time) -> datetime:
    """An hour of a day in the house's zone, as UTC."""
    return datetime.combine(day, at, HOUSE_ZONE).astimezone(UTC)


def end_of(day: date) -> datetime:
    """The last second (UTC) of a day in the house's zone."""
    return house_time(day, time(23, 59, 59))


def add_years(day: date, years: int) -> date:
    """The same day so many years on; 29 February becomes 28 February where there is none."""
    year = min(day.year + years, MAXYEAR)  # 长期 licences end in the last year there is
    return day.replace(year=year, day=min(day.day, calendar.monthrange(year, day.month)[1]))


def add_months(day: date, months: int) -> date:
    """The same day so many months on, or the last day of a month too short for it."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def say_date(day: date) -> str:
    """A date as people write it: ``2027年3月1日``."""
    return f"{day.year}年{day.month}月{day.day}日"


def say_weekday(day: date) -> str:
    """The day of the week: ``周四``."""
    return f"周{'一二三四五六日'[day.weekday()]}"
