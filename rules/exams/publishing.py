"""Publishing a session, changing a published one: entries as people write them, and what is wrong
with them.

The same rules hold for the desk's form and for a row of a file. Problems are told field by field as
``{part, label, reason}``, so that nothing typed is lost.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time

from rules.book import Rulebook
from rules.deadlines import end_of, house_time
from rules.exams.days import FIRST_DAY, LAST_DAY, last_closing, late_closing, late_plan
from rules.exams.plan import Plan, Subject
from rules.exams.site import Site, subjects_in
from rules.facts import Office
from rules.forms import FieldProblem, read_date
from rules.refusals import Refusal
from rules.vehicle_classes import CLASSES

FIELDS = (
    *("site", "subject", "vehicle_class", "day", "starts", "ends"),
    *("capacity", "closes_at"),
)
"""What is entered of a session, in the order it is asked for. A closing time left out is the latest
there may be."""

Problem = dict[str, str]

_CLOCK = re.compile(r"(\d{1,2})(?:[:.时点])?(\d{2})分?", re.ASCII)
_MOMENT = re.compile(r"(.*?\d[日号]?)(?:[T\s]+(\S+))?")
_DIGITS = re.compile(r"\d{1,4}", re.ASCII)
_CODE = re.compile(r"(?=[^0-9]*[0-9])[A-Za-z0-9_-]{1,40}", re.ASCII)


@dataclass(frozen=True)
class Entry:
    """A session as entered; times of the day as ``08:30``."""

    site: str
    subject: Subject
    vehicle_class: str
    day: date
    starts: str
    ends: str
    capacity: int
    closes_at: datetime


@dataclass(frozen=True)
class Around:
    """What an entry is judged by: the office that publishes, its site, the places of the site's
    other sessions that day, the present."""

    office: str
    site: Site | None
    others: int
    now: datetime
    today: date


def code_fits(code: str) -> bool:
    """Whether a session may be called so: letters, digits, ``-`` and ``_``, one digit at least."""
    return bool(_CODE.fullmatch(code))


def read_entry(written: Mapping[str, str], book: Rulebook) -> tuple[Entry | None, list[Problem]]:
    """An entry as people write it, or every field that cannot be read. Subjects are the digits 1 to
    4, hours ``8:30``, the closing a day with or without an hour."""
    values = {n: unicodedata.normalize("NFKC", written.get(n) or "").strip() for n in FIELDS}
    day, closes_at = _day(values["day"]), _moment(values["closes_at"])
    if day is not None and not values["closes_at"]:
        closes_at = last_closing(day, book.parameters).replace(second=0)
    subjects = subjects_in(values["subject"]) or ()
    starts, ends = _clock(values["starts"]), _clock(values["ends"])
    vehicle_class = values["vehicle_class"].upper()
    read = {
        "site": bool(values["site"]),
        "subject": len(subjects) == 1,
        "vehicle_class": vehicle_class in CLASSES,
        "day": day is not None,
        "starts": starts is not None,
        "ends": ends is not None,
        "capacity": bool(_DIGITS.fullmatch(values["capacity"])),
        "closes_at": closes_at is not None or not values["closes_at"],
    }
    wrong = [name for name in FIELDS if not read[name]]
    if wrong or day is None or starts is None or ends is None or closes_at is None:
        return None, [
            problem(
                book, n, book.texts.say(f"exams.{'unreadable' if values[n] else 'missing'}.{n}")
            )
            for n in wrong
        ]
    capacity, subject = int(values["capacity"]), subjects[0]
    entry = Entry(*(values["site"], subject, vehicle_class, day, starts, ends, capacity, closes_at))
    return entry, []


def problem(book: Rulebook, name: str, reason: str) -> Problem:
    """What is wrong with one field."""
    return {
        "part": f"field:{name}",
        "label": book.texts.say(f"exams.fields.{name}"),
        "reason": reason,
    }


def unfit(entry: Entry, around: Around, book: Rulebook) -> list[Problem]:
    """Why a session may not be published so; empty when it may."""
    late = late_plan(entry.day, entry.closes_at, around.today, book.parameters)
    return [
        *_of_site(entry, around, book),
        *_of_hours(entry, book),
        *_of_closing(entry, around, book, late),
    ]


def unfit_change(plan: Plan, entry: Entry, around: Around, book: Rulebook) -> list[Problem]:
    """Why a published session may not be changed so. Subject and class stay: who booked chose them.
    After the closing only site and hours may change. A new day needs the notice period anew."""
    closed = plan.status == "closed" or around.now >= plan.closes_at
    fixed = ["subject", "vehicle_class"]
    if closed:
        fixed += ["day", "capacity", "closes_at"]
    problems = [
        problem(book, name, book.texts.say(f"exams.fixed.{'closed' if closed else name}"))
        for name in fixed
        if getattr(entry, name) != getattr(plan, name)
    ]
    if entry.site != plan.site or entry.capacity != plan.capacity or entry.day != plan.day:
        problems += _of_site(entry, around, book)
    problems += _of_hours(entry, book)
    if closed or (entry.day, entry.closes_at) == (plan.day, plan.closes_at):
        return problems
    late = late_closing(entry.day, entry.closes_at, book.parameters)
    if entry.day != plan.day:
        late = late_plan(entry.day, entry.closes_at, around.today, book.parameters)
    return problems + _of_closing(entry, around, book, late)


def over(plan: Plan, today: date) -> Refusal | None:
    """Why nothing can be changed in a session any more: cancelled, or its day has come."""
    if plan.status == "cancelled" or today >= plan.day:
        return Refusal("plan-not-changeable")
    return None


def not_cancellable(plan: Plan, today: date) -> Refusal | None:
    """Why a session cannot be cancelled: its day is past, or there are results. On the day itself
    it can: the weather is known then."""
    if today > plan.day or any(plan.outcomes.values()):
        return Refusal("plan-not-changeable")
    return None


def too_small(book: Rulebook, held: int) -> Problem:
    """Fewer places than are held and offered."""
    return problem(book, "capacity", book.texts.say("exams.unfit.held", held=held))


def plan_of(entry: Entry, code: str, office: Office, site: Site, now: datetime) -> Plan:
    """The session an entry publishes."""
    return Plan(
        code=code,
        office=office.code,
        region=office.region,
        site=site.code,
        site_name=site.name,
        subject=entry.subject,
        vehicle_class=entry.vehicle_class,
        day=entry.day,
        starts=entry.starts,
        ends=entry.ends,
        capacity=entry.capacity,
        closes_at=entry.closes_at,
        published_at=now,
    )


def changed_plan(plan: Plan, entry: Entry, site: Site) -> Plan:
    """The session after a change."""
    return replace(
        plan,
        site=site.code,
        site_name=site.name,
        day=entry.day,
        starts=entry.starts,
        ends=entry.ends,
        capacity=entry.capacity,
        closes_at=entry.closes_at,
    )


def entry_of(plan: Plan) -> Entry:
    """What would have to be entered to publish a session as it is."""
    return Entry(
        *(plan.site, plan.subject, plan.vehicle_class, plan.day, plan.starts, plan.ends),
        *(plan.capacity, plan.closes_at),
    )


def _of_site(entry: Entry, around: Around, book: Rulebook) -> list[Problem]:
    site, say = around.site, book.texts.say
    if site is None or site.office != around.office:
        return [problem(book, "site", say("exams.unfit.site"))]
    found = []
    if entry.subject not in site.subjects:
        found.append(problem(book, "site", say("exams.unfit.not_tested_there")))
    most = site.daily_capacity - around.others
    if not 1 <= entry.capacity <= most:
        reason = say("exams.unfit.capacity", daily=site.daily_capacity, left=max(most, 0))
        found.append(problem(book, "capacity", reason))
    return found


def _of_hours(entry: Entry, book: Rulebook) -> list[Problem]:
    if entry.starts < entry.ends:
        return []
    return [problem(book, "ends", book.texts.say("exams.unfit.ends"))]


def _of_closing(
    entry: Entry, around: Around, book: Rulebook, late: Refusal | None
) -> list[Problem]:
    if late is not None:
        name = "day" if late.code == "plan-too-late" else "closes_at"
        worded = book.texts.refusal(late)
        return [problem(book, name, f"{worded.detail}{worded.next}".removesuffix("。"))]
    if entry.closes_at <= around.now:
        return [problem(book, "closes_at", book.texts.say("exams.unfit.closed_already"))]
    return []


def _day(written: str) -> date | None:
    try:
        day = read_date(written)
    except FieldProblem:
        return None
    return day if FIRST_DAY <= day <= LAST_DAY else None


def _clock(written: str) -> str | None:
    found = _CLOCK.fullmatch("".join(written.split()))
    if not found:
        return None
    hour, minute = int(found[1]), int(found[2])
    return f"{hour:02d}:{minute:02d}" if hour < 24 and minute < 60 else None


def _moment(written: str) -> datetime | None:
    """A day, or a day and an hour, in the house's zone; the last minute of a day written alone."""
    found = _MOMENT.fullmatch(written)
    day = _day(found[1]) if found else None
    if found is None or day is None:
        return None
    if found[2] is None:
        return end_of(day).replace(second=0)
    clock = _clock(found[2])
    if clock is None:
        return None
    return house_time(day, time.fromisoformat(clock))
