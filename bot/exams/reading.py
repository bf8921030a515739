"""What people write about tests: a subject, a day, the name of a site."""

import re
from collections.abc import Iterable
from datetime import date, timedelta

from rules.exams.plan import Subject

_SUBJECTS: tuple[tuple[Subject, re.Pattern[str]], ...] = (
    (Subject.SAFETY, re.compile("科目?[四4]|安全文明|文明驾驶")),
    (Subject.ROAD, re.compile("科目?[三3]|路考|道路驾驶")),
    (Subject.FIELD, re.compile("科目?[二2]|场地驾驶|倒库|小路考")),
    (Subject.THEORY, re.compile("科目?[一1]|理论考试|法规")),
)
_FULL = re.compile(r"(20\d\d)(?:年|-|/|\.)(\d{1,2})(?:月|-|/|\.)(\d{1,2})[日号]?")
_MONTH_DAY = re.compile(r"(?<!\d)(\d{1,2})(?:月|-|/|\.)(\d{1,2})(?!\d)[日号]?")
_DAY = re.compile(r"(?<!\d)(\d{1,2})[日号]")
_WEEKDAY = re.compile("(下下|下|这|本)?个?(?:周|星期|礼拜)([一二三四五六日天])")
_NEAR = (("大后天", 3), ("后天", 2), ("明天", 1), ("今天", 0))
_WEEK = 7
_ANY_SUBJECT = re.compile("科目?[一二三四1-4]")
_ONES = "零一二三四五六七八九"
_NUMERALS = re.compile(
    "((?:[一二三四五六七八九]?十)?[一二三四五六七八九]|[一二三四五六七八九]?十)(?=[月日号])"
)
_FILLING = re.compile("我想|我要|想|要|去|在|到|的|考场|有没有|有吗|场次|考试")


def subject_in(text: str) -> Subject | None:
    """The subject a text names; None when it names none, or more than one."""
    found = {subject for subject, pattern in _SUBJECTS if pattern.search(text)}
    return found.pop() if len(found) == 1 else None


def day_in(text: str, today: date) -> date | None:
    """The day a text names, none before today: ``12月10日``, ``十号``, ``下周三``, ``明天``, a full
    date. None when it names none, or one that does not exist."""
    text = _NUMERALS.sub(_digits, _ANY_SUBJECT.sub(" ", text))
    full = _FULL.search(text)
    if full:
        day = _made(*map(int, full.groups()))
        return day if day and day >= today else None
    found = _MONTH_DAY.search(text)
    if found:
        month, of_month = map(int, found.groups())
        years = (_made(today.year + more, month, of_month) for more in (0, 1))
        return next((d for d in years if d and d >= today), None)
    near = next((days for word, days in _NEAR if word in text), None)
    if near is not None:
        return today + timedelta(days=near)
    weekday = _WEEKDAY.search(text)
    if weekday:
        return _weekday(
            weekday[1] or "", "一二三四五六日".find(weekday[2].replace("天", "日")), today
        )
    only = _DAY.search(text)
    return _of_month(int(only[1]), today) if only else None


def _digits(found: re.Match[str]) -> str:
    """A Chinese numeral up to 99: ``十`` 10, ``二十`` 20, ``三十一`` 31."""
    tens, ten, ones = found[1].rpartition("十")
    of_ten = (_ONES.index(tens) if tens else 1) if ten else 0
    return str(10 * of_ten + (_ONES.index(ones) if ones else 0))


def _weekday(which: str, weekday: int, today: date) -> date | None:
    monday = today - timedelta(days=today.weekday())
    if which:
        weeks = {"下下": 2, "下": 1}.get(which, 0)
        day = monday + timedelta(weeks=weeks, days=weekday)
        return day if day >= today else None
    return today + timedelta(days=(weekday - today.weekday()) % _WEEK)


def _of_month(of_month: int, today: date) -> date | None:
    month = today.replace(day=1)
    for _ in range(3):
        day = _made(month.year, month.month, of_month)
        if day and day >= today:
            return day
        month = (month + timedelta(days=31)).replace(day=1)
    return None


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def site_in(text: str, sites: Iterable[tuple[str, str]]) -> str | None:
    """The code of the one site (code, name) a text names by a part of its name."""
    wanted = _FILLING.sub("", text).strip()
    if len(wanted) < 2 and not ("考场" in text and wanted):
        return None
    found = {code for code, name in sites if wanted in name}
    return found.pop() if len(found) == 1 else None
