"""A published session as the office that publishes it sees it: who holds a place, the line, what
was done to it, what is still owed."""

from dataclasses import dataclass
from datetime import date, datetime

from casework.access_log import record_look
from casework.context import Context
from casework.exams.own_office import own_plan
from casework.exams.showing import outcome_label, plan_view
from casework.exams.sites import sites
from casework.exams.views import PlanView, SiteView
from casework.officers import Officer
from rules.calendar import HOUSE_ZONE
from rules.exams.days import first_day, last_closing
from rules.exams.plan import Plan
from rules.exams.publishing import FIELDS, not_cancellable, over
from rules.exams.results import result_of
from rules.masking import groups_naming, shown
from rules.places import Places
from rules.refusals import Refusal

PERMISSION = "exam_plans"
_SCREEN = "desk.exam_plan"
_PAGE = 50


@dataclass(frozen=True)
class PlaceRow:
    """Somebody who holds a place, is offered one or waits; the name is masked. ``standing``: held,
    offered, waiting; ``position`` in the line; ``owed`` says what he has still to be told."""

    number: str
    name: str
    standing: str
    state_label: str
    position: int | None
    offer_until: datetime | None
    result: str
    owed: str


@dataclass(frozen=True)
class PlanDeed:
    """Something that was done to a session; ``before`` is how it was, as a sentence."""

    at: datetime
    what: str
    by: str
    reason: str
    before: str


@dataclass(frozen=True)
class DeskPlan:
    """A session at the desk. ``entry`` fills in its form, ``changes`` is to be handed back with it;
    ``rows`` are one page of those with a place or in line, ``next`` where the following page
    begins; ``owed`` counts those who have still to be told of something."""

    plan: PlanView
    entry: dict[str, str]
    changes: int
    closed: bool
    changeable: bool
    cancellable: bool
    rows: list[PlaceRow]
    next: int | None
    owed: int
    history: list[PlanDeed]


@dataclass(frozen=True)
class Blank:
    """What the form of a new session needs: the sites to choose from, the first day the law allows
    and the latest closing on that day."""

    sites: list[SiteView]
    first_day: date
    closing: datetime
    notice_days: int


async def blank(ctx: Context, officer: Officer) -> Blank:
    """The form of a new session. Raises role-not-allowed."""
    officer.must(PERMISSION)
    day = first_day(ctx.today(), ctx.book.parameters)
    return Blank(
        sites=await sites(ctx, officer.office.code),
        first_day=day,
        closing=last_closing(day, ctx.book.parameters),
        notice_days=(day - ctx.today()).days,
    )


async def desk_plan(
    ctx: Context, officer: Officer, code: str, start: int | None = None
) -> DeskPlan:
    """A session of the officer's own office; with those who are in it from ``start`` on, where
    they are asked for.

    Raises role-not-allowed, plan-unknown, plan-of-other-office.
    """
    plan = await own_plan(ctx, officer, code, PERMISSION)
    places = await ctx.stores.exam_places.get(code)
    if places is None:
        raise Refusal("plan-unknown")
    shown_now: tuple[str, ...] = ()
    following, today = None, ctx.today()
    if start is not None:
        everybody = (*places.holders, *places.offers, *places.queue)
        seen = groups_naming(_SCREEN, "exams", code)
        await record_look(ctx, officer, "exam-plan", None, None, seen)
        shown_now = everybody[start : start + _PAGE]
        following = start + _PAGE if len(everybody) > start + _PAGE else None
    return DeskPlan(
        plan=await plan_view(ctx, plan),
        entry=written(plan),
        changes=plan.changes,
        closed=plan.status == "closed" or ctx.now() >= plan.closes_at,
        changeable=over(plan, today) is None,
        cancellable=plan.status != "cancelled" and not_cancellable(plan, today) is None,
        rows=[await _row(ctx, places, number) for number in shown_now],
        next=following,
        owed=len(places.owed),
        history=[_deed(ctx, h) for h in await ctx.stores.exam_plans.history(code)],
    )


def written(plan: Plan) -> dict[str, str]:
    """A session as its form is filled in."""
    closes = plan.closes_at.astimezone(HOUSE_ZONE)
    values = {
        **{"site": plan.site, "subject": plan.subject.value, "vehicle_class": plan.vehicle_class},
        **{"day": plan.day.isoformat(), "starts": plan.starts, "ends": plan.ends},
        **{"capacity": str(plan.capacity), "closes_at": f"{closes:%Y-%m-%dT%H:%M}"},
    }
    return {name: values[name] for name in FIELDS}


async def _row(ctx: Context, places: Places, number: str) -> PlaceRow:
    stored = await ctx.stores.matters.get(number)
    position = places.position(number)
    until = places.offers.get(number)
    standing = "waiting" if position else "offered" if until else "held"
    owed = places.owed.get(number)
    if stored is None:
        # Taken this moment: the matter's own write follows.
        return PlaceRow(number, "", standing, "", position, until, "", "")
    matter = stored.matter
    person = await ctx.stores.sessions.person(matter.subject)
    result = result_of(matter)
    say = ctx.book.texts.say
    return PlaceRow(
        number=number,
        name=shown(_SCREEN, "name", person.name if person else ""),
        standing=standing,
        state_label=say(f"states.{matter.state.value}"),
        position=position,
        offer_until=until,
        result=outcome_label(ctx, result[0]) if result else "",
        owed=say(f"exams.owed.{owed}") if owed else "",
    )


def _deed(ctx: Context, entry: dict[str, object]) -> PlanDeed:
    say, before, at = ctx.book.texts.say, entry.get("before"), entry["at"]
    assert isinstance(at, datetime)
    sentence = ""
    if isinstance(before, dict):
        closes = datetime.fromisoformat(before["closes_at"]).astimezone(HOUSE_ZONE)
        told = {n: before[n] for n in ("day", "starts", "ends", "site_name", "capacity")}
        sentence = say("exams.before", closes=f"{closes:%Y-%m-%d %H:%M}", **told)
    return PlanDeed(
        at=at,
        what=say(f"exams.deeds.{entry['what']}"),
        by=str(entry.get("by", "")),
        reason=str(entry.get("reason", "")),
        before=sentence,
    )
