"""Publishing a session of a test, changing and cancelling a published one, at the desk or by file.

The plan's own document is the truth: one conditional write changes it and says what every booking
and every place in line is owed; ``attending`` takes those steps.
"""

from collections.abc import Mapping
from typing import Any

from casework.context import Context
from casework.exam_effects import LANE, change_places, offer_hold
from casework.exams.facts import plan_of
from casework.exams.own_office import of_other_office
from casework.exams.showing import plan_view
from casework.exams.views import PlanView
from casework.officers import Officer
from rules.exams import publishing as rules
from rules.exams.plan import Plan
from rules.facts import Office
from rules.people import Actor
from rules.places import Places, cancelled, changed, told_of_change
from rules.refusals import Refusal
from storage.exams import details

_TRIES = 8
_SESSIONS = 500
_LONGEST_REASON = 100

Publisher = Officer | Actor
"""An officer of the office whose session it is, or the exchange, for any office."""


async def publish(
    ctx: Context, who: Publisher, office: str, entry: Mapping[str, str], cause: str, code: str = ""
) -> PlanView:
    """Publish a session of an office; the same cause, or the same code, makes one.

    ``entry``: the fields of ``rules.exams.publishing.FIELDS`` as people write them. ``code``: given
    by a file; made of the cause at the desk. Raises role-not-allowed, plan-of-other-office,
    form-incomplete with each field's problem, plan-code-taken.
    """
    actor, held = await _actor(ctx, who, office), await _office(ctx, office)
    read, problems = rules.read_entry(entry, ctx.book)
    if read is None:
        raise Refusal("form-incomplete", fields=problems)
    name = code or f"{office}-{_token(ctx, cause)}"
    there = await ctx.stores.exam_plans.get(name)
    if there is None:
        around = await _around(ctx, office, read, name)
        problems = rules.unfit(read, around, ctx.book)
        if problems or around.site is None:
            raise Refusal("form-incomplete", fields=problems)
        plan = rules.plan_of(read, name, held, around.site, ctx.now())
        by = {"by": actor.key, "cause": cause}
        if await ctx.stores.exam_plans.publish(plan, Places(plan.capacity, plan.closes_at), by):
            return await plan_view(ctx, await plan_of(ctx, name))
        there = await plan_of(ctx, name)
    if rules.entry_of(there) != read or there.office != office:
        raise Refusal("plan-code-taken")
    return await plan_view(ctx, there)


async def change_plan(
    ctx: Context,
    who: Publisher,
    code: str,
    entry: Mapping[str, str],
    reason: str,
    cause: str,
    *,
    seen: int | None = None,
) -> PlanView:
    """Change a published session. Whoever booked or waits goes with it, is told why, and may leave
    at no cost; more places go to who waits.

    ``seen``: how often it had been changed when the officer decided. Raises plan-unknown,
    role-not-allowed, plan-of-other-office, reason-needed, form-incomplete, stale-version,
    plan-not-changeable.
    """
    read, problems = rules.read_entry(entry, ctx.book)
    if read is None:
        raise Refusal("form-incomplete", fields=problems)
    for _ in range(_TRIES):
        plan = await plan_of(ctx, code)
        actor = await _actor(ctx, who, plan.office)
        if rules.entry_of(plan) == read or await _done_before(ctx, code, cause):
            return await plan_view(ctx, plan)
        if seen is not None and seen != plan.changes:
            raise Refusal("stale-version")
        why = _reason(reason)
        refusal = rules.over(plan, ctx.today())
        if refusal is not None:
            raise refusal
        around = await _around(ctx, plan.office, read, code)
        problems = rules.unfit_change(plan, read, around, ctx.book)
        if problems or around.site is None:
            raise Refusal("form-incomplete", fields=problems)
        after = rules.changed_plan(plan, read, around.site)
        if await _changed(ctx, plan, after, _entry(ctx, actor, cause, why, plan)):
            await ctx.stores.memory.wake(LANE)
            return await plan_view(ctx, await plan_of(ctx, code))
    raise Refusal("busy-try-again")


async def _changed(ctx: Context, plan: Plan, after: Plan, entry: Mapping[str, Any]) -> bool:
    """Write the change, unless somebody changed the plan since it was read. Raises form-incomplete
    when more hold a place than there would be."""
    now, hold, held = ctx.now(), offer_hold(ctx), 0
    news = after.sitting() != plan.sitting()

    def decide(places: Places) -> Places | None:
        nonlocal held
        held = 0
        if places.changes != plan.changes or places.cancelled:
            return None
        if not places.is_open(now) and plan.status == "open" and now < plan.closes_at:
            return None
        made = changed(places, after.capacity, after.closes_at, now, hold)
        if made is None:
            held = len(places.holders) + len(places.offers)
            return None
        return told_of_change(made) if news else made

    written = await change_places(ctx, plan.code, decide, now, details(after), entry)
    if written is None and held:
        raise Refusal("form-incomplete", fields=[rules.too_small(ctx.book, held)])
    return written is not None


async def cancel_plan(ctx: Context, who: Publisher, code: str, reason: str, cause: str) -> PlanView:
    """Cancel a session: every booking is released at no cost, every wait ends, all with the reason.
    Twice is once.

    Raises plan-unknown, role-not-allowed, plan-of-other-office, reason-needed, plan-not-changeable.
    """
    plan = await plan_of(ctx, code)
    actor = await _actor(ctx, who, plan.office)
    if plan.status != "cancelled":
        why = _reason(reason)
        refusal = rules.not_cancellable(plan, ctx.today())
        if refusal is not None:
            raise refusal

        def decide(places: Places) -> Places | None:
            return None if places.cancelled else cancelled(places)

        entry = _entry(ctx, actor, cause, why, plan, "cancelled")
        await change_places(ctx, code, decide, ctx.now(), history=entry)
        await ctx.stores.memory.wake(LANE)
    return await plan_view(ctx, await plan_of(ctx, code))


async def _actor(ctx: Context, who: Publisher, office: str) -> Actor:
    """Who does it. Raises role-not-allowed, plan-of-other-office."""
    if isinstance(who, Actor):
        return who
    who.must("exam_plans")
    if who.office.code != office:
        raise await of_other_office(ctx, office)
    return who.actor


def _reason(reason: str) -> str:
    found = reason.strip()
    if not found:
        raise Refusal("reason-needed")
    if len(found) > _LONGEST_REASON:
        raise Refusal("bad-request")
    return found


async def _office(ctx: Context, code: str) -> Office:
    office = await ctx.office(code)
    if office is None or office.kind != "vehicle_office":
        raise Refusal("not-found")
    return office


async def _around(ctx: Context, office: str, entry: rules.Entry, code: str) -> rules.Around:
    day = await ctx.stores.exam_plans.between(
        {"site": entry.site}, entry.day, entry.day, limit=_SESSIONS
    )
    others = sum(p.capacity for _, p in day if p.code != code and p.status != "cancelled")
    return rules.Around(
        office=office,
        site=await ctx.stores.exam_sites.get(entry.site),
        others=others,
        now=ctx.now(),
        today=ctx.today(),
    )


async def _done_before(ctx: Context, code: str, cause: str) -> bool:
    return any(e.get("cause") == cause for e in await ctx.stores.exam_plans.history(code))


def _entry(
    ctx: Context, actor: Actor, cause: str, reason: str, before: Plan, what: str = "changed"
) -> dict[str, Any]:
    """What is kept of it in the plan's history."""
    was = before.sitting() | {"capacity": str(before.capacity)}
    return {
        **{"at": ctx.now(), "what": what, "by": actor.key, "cause": cause},
        **{"reason": reason, "before": was},
    }


def _token(ctx: Context, cause: str) -> str:
    """Eight digits and letters made of a cause."""
    return ctx.stores.vault.digest("exam-plan", cause.encode()).hex()[:8]
