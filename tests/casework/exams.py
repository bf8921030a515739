"""Students and plans for tests from inside."""

from datetime import date, datetime, time, timedelta

from casework import steps
from casework.context import Context
from casework.facts import facts_about
from rules.calendar import HOUSE_ZONE
from rules.enrolments import SERVICE
from rules.exams.plan import Plan, Subject
from rules.people import Actor, Citizen
from rules.places import Places
from tests.casework.inside import OFFICE, officer
from tests.casework.schools import entry

_PORTRAIT = {
    **{"id": "p", "material": "portrait", "media_type": "image/jpeg", "width": 1, "height": 1},
    **{"bytes": 1, "thumbnail": "t", "checks": [], "source": "s"},
}
EXCHANGE = Actor("exchange", "file")


async def student(ctx: Context, order: int, **changes: str) -> Citizen:
    """Somebody enrolled at the vehicle office, without a permit or any test behind him."""
    who = await officer(ctx)
    form = entry(ctx, order, **changes)
    key = ctx.stores.vault.id_key(form["id_number"])
    given = {
        **{"applicant": key, "subject": key, "office": OFFICE, "region": OFFICE[:4]},
        **{"school": "", "values": form, "photos": {"portrait": _PORTRAIT}, "names": ()},
        "account_phone": "",
    }
    facts = await facts_about(ctx, key, form["id_number"])
    service, cause = ctx.book.catalogue[SERVICE], f"enrol-{order}"
    matter = await steps.start(ctx, service, "enrol_in_person", who.actor, cause, given, facts)
    await ctx.stores.enrolments.claim(key, matter.number, ctx.now())
    await ctx.stores.enrolments.confirm(key, matter.number)
    session = await ctx.stores.sessions.get(key)
    assert session is not None
    return session.citizen(ctx.today())


async def learner(
    ctx: Context, order: int, *, days: int = 60, passed: str = "1", **changes: str
) -> Citizen:
    """A student whose permit was issued so many days ago, with the subjects named passed."""
    citizen = await student(ctx, order, **changes)
    number = await enrolment(ctx, citizen)
    issued = ctx.today() - timedelta(days=days)
    given = {
        **{"permit": f"P{order}", "vehicle_class": changes.get("vehicle_class", "C1")},
        **{
            "issued_on": issued.isoformat(),
            "until": issued.replace(year=issued.year + 3).isoformat(),
        },
    }
    await steps.take(ctx, number, "issue_permit", EXCHANGE, f"permit-{order}", given)
    for subject in passed:
        await attempt(ctx, citizen, subject, "passed", issued)
    return citizen


async def attempt(ctx: Context, citizen: Citizen, subject: str, outcome: str, day: date) -> None:
    """A sitting in the student's record, as the internal system knows it."""
    number = await enrolment(ctx, citizen)
    name = f"{subject}-{day.isoformat()}"
    given = {
        **{"attempt": name, "subject": subject, "day": day.isoformat()},
        **{"outcome": outcome, "retried": False},
    }
    await steps.take(
        ctx, number, "record_attempt", Actor("system", "test"), f"attempt-{name}", given
    )


async def enrolment(ctx: Context, citizen: Citizen) -> str:
    """The number of a student's enrolment."""
    claim = await ctx.stores.enrolments.get(citizen.key)
    assert claim is not None
    return claim.matter


async def published(
    ctx: Context,
    code: str = "K2-1",
    *,
    days: int = 20,
    capacity: int = 2,
    subject: str = "2",
    **changes: object,
) -> Plan:
    """A session so many days ahead that closes five days before it."""
    day = ctx.today() + timedelta(days=days)
    closes = datetime.combine(day - timedelta(days=5), time(18, 0), HOUSE_ZONE)
    values: dict[str, object] = {
        **{"code": code, "office": OFFICE, "region": OFFICE[:4], "site": "4101-K1"},
        **{"site_name": "郑州第一考场", "subject": Subject(subject), "vehicle_class": "C1"},
        **{"day": day, "starts": "08:30", "ends": "11:30", "capacity": capacity},
        **{"closes_at": closes, "published_at": ctx.now()},
    }
    plan = Plan(**{**values, **changes})  # type: ignore[arg-type]  # any field
    places = Places(plan.capacity, plan.closes_at)
    assert await ctx.stores.exam_plans.publish(plan, places, {"by": "test"})
    return plan
