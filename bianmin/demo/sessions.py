"""The demo's sessions of tests: on every working day of the weeks that may be published today."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from casework.context import Context
from casework.exams.publishing import publish
from rules.deadlines import is_working_day
from rules.exams.days import first_day
from rules.people import Actor

_EXCHANGE = Actor("exchange", "file")
_DAYS = 14
_CLOSES_DAYS_BEFORE = 4


@dataclass(frozen=True)
class Daily:
    """A session that is held every working day; ``turn`` tells those of one day apart."""

    office: str
    site: str
    subject: str
    turn: str
    starts: str
    ends: str
    capacity: int


_DAILY = (
    Daily("4101V01", "4101K01", "1", "a", "8:30", "10:00", 40),
    Daily("4101V01", "4101K01", "4", "b", "14:00", "15:30", 40),
    Daily("4101V01", "4101K02", "2", "a", "8:30", "11:30", 20),
    # Small, so that a few people fill it and the next ones wait in line.
    Daily("4101V01", "4101K02", "2", "b", "14:00", "16:30", 2),
    Daily("4101V01", "4101K03", "3", "a", "9:00", "11:30", 12),
    Daily("4105V01", "4105K01", "1", "a", "8:30", "10:00", 30),
    Daily("4105V01", "4105K01", "4", "b", "14:00", "15:30", 30),
    Daily("4105V01", "4105K02", "2", "a", "8:30", "11:30", 10),
    Daily("4105V01", "4105K02", "3", "b", "14:00", "16:30", 2),
)


def entries(first: date) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Office, code and entry of each session from the first day that may be published on."""
    for day in (first + timedelta(days=n) for n in range(_DAYS)):
        if not is_working_day(day):
            continue
        closes = day - timedelta(days=_CLOSES_DAYS_BEFORE)
        for one in _DAILY:
            yield (
                one.office,
                f"{one.site}-{day:%y%m%d}-{one.subject}{one.turn}",
                {
                    **{"site": one.site, "subject": one.subject, "vehicle_class": "C1"},
                    **{"day": day.isoformat(), "starts": one.starts, "ends": one.ends},
                    **{"capacity": str(one.capacity), "closes_at": f"{closes} 18:00"},
                },
            )


async def publish_sessions(ctx: Context) -> int:
    """Publish those that are not there; how many. What the desk changed or cancelled stays so."""
    made = 0
    for office, code, entry in entries(first_day(ctx.today(), ctx.book.parameters)):
        if await ctx.stores.exam_plans.get(code) is None:
            await publish(ctx, _EXCHANGE, office, entry, f"demo:{code}", code)
            made += 1
    return made
