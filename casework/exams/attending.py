"""What time and changes do to plans: closing, offers that end in silence, steps owed to matters.

The plan's document is changed first and says what it owes; the steps follow, as often as needed,
each once by its cause; then they are struck off. Any number of workers may do this at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import structlog
from prometheus_client import Counter

from casework import steps
from casework.context import Context
from casework.exam_effects import offer_hold
from rules.exams.booking import SEATED, day_of
from rules.exams.days import told_by
from rules.matter import Matter, State
from rules.people import Actor
from rules.places import Owing, Places, closed, expired, released, settled
from rules.refusals import Refusal

log = structlog.get_logger()

TOLD_LATE = Counter(
    "bianmin_exam_told_late_total", "Bookings decided later than two days before the test"
)

_SYSTEM = Actor("system", "exam-plans")
_BATCH, _AT_ONCE = 50, 8
_LATER = timedelta(seconds=30)
_AFTER_NEWS = frozenset({"offer", "confirm"})
"""Steps before which a matter follows its plan's changes: whoever is owed one of them is owed
nothing else. Who took an offer hears after it of a change he did not know of, and may leave."""
_ON = SEATED | {State.OFFERED}


async def attend_due(ctx: Context) -> int:
    """Attend to every plan at which something is due; how many there were. One that fails is
    logged, stays due and holds up no other."""
    codes = await ctx.stores.exam_places.due(ctx.now(), _BATCH)
    done = 0
    for code in codes:
        try:
            await attend(ctx, code)
        except Exception:
            log.exception("exam-plan-failed", plan=code)
        else:
            done += 1
    return done


async def attend(ctx: Context, code: str) -> None:
    """Close a plan whose time has come, end offers nobody took, take the steps owed."""
    now, hold = ctx.now(), offer_hold(ctx)

    def turn(places: Places) -> Places:
        if places.open and now >= places.closes_at:
            return closed(places)
        return expired(places, now, hold)

    places = await ctx.stores.exam_places.change(code, turn, now)
    if places is None or not places.owed:
        return
    ctx.checkpoint("after-plan-turned")
    room, done = asyncio.Semaphore(_AT_ONCE), dict[str, Owing]()

    async def one(matter: str, owing: Owing) -> None:
        async with room:
            try:
                if places.changes and owing in _AFTER_NEWS:
                    await _change(ctx, code, matter, places)
                await _OWED[owing](ctx, code, matter, places)
                if places.changes and owing == "accept":
                    await _change(ctx, code, matter, places)
            except Exception:
                log.exception("exam-step-failed", plan=code, matter=matter, step=owing)
            else:
                done[matter] = owing

    await asyncio.gather(*(one(m, owing) for m, owing in places.owed.items()))
    ctx.checkpoint("before-plan-settled")
    failed = len(done) < len(places.owed)
    again = ctx.now() + (_LATER if failed else timedelta(0))
    await ctx.stores.exam_places.change(
        code, lambda p: settled(p, done, places.changes), again, anew=failed
    )


async def _step(
    ctx: Context,
    matter: str,
    action: str,
    cause: str,
    given: Mapping[str, object] | None = None,
    actor: Actor = _SYSTEM,
) -> Matter | Refusal:
    """Take a step; what the rules say no to is given back."""
    try:
        return await steps.take(ctx, matter, action, actor, cause, given)
    except Refusal as refusal:
        if refusal.code == "busy-try-again":
            raise
        return refusal


async def _offer(ctx: Context, code: str, matter: str, places: Places) -> None:
    until = places.offers.get(matter)
    if until is None:
        return
    await steps.apply_owed(ctx, matter)
    given = {"until": until.isoformat()}
    said = await _step(ctx, matter, "offer", f"offer:{code}:{until.isoformat()}", given)
    if isinstance(said, Refusal):
        # He left the line this moment: the next one is offered the place. Told before, it stays.
        await _let_go_if_over(ctx, code, matter)


async def _accept(ctx: Context, code: str, matter: str, places: Places) -> None:
    """Whoever took the offer did not come to the step: it is his all the same."""
    offered, officer = (await steps.load(ctx, matter)).matter, places.accepted_by.get(matter)
    who = (
        Actor("officer", officer, offered.office) if officer else Actor("citizen", offered.subject)
    )
    said = await _step(ctx, matter, "accept", f"accept:{code}", actor=who)
    if isinstance(said, Refusal) and said.code != "step-not-possible":
        await _end_wait(ctx, code, matter, places)


async def _expire(ctx: Context, code: str, matter: str, places: Places) -> None:
    said = await _step(ctx, matter, "expire", f"expire:{code}")
    if isinstance(said, Refusal):
        await _end_wait(ctx, code, matter, places)


async def _end_wait(ctx: Context, code: str, matter: str, places: Places) -> None:
    await steps.apply_owed(ctx, matter)
    await _step(ctx, matter, "end_wait", f"end-wait:{code}")


async def _confirm(ctx: Context, code: str, matter: str, places: Places) -> None:
    """Confirmed if the rules still say so; refused with the reason if not. A seat whose booking has
    ended, or never began, is nobody's. The step of an offer taken right before comes first."""
    await steps.apply_owed(ctx, matter)
    said = await _step(ctx, matter, "confirm", f"confirm:{code}")
    if isinstance(said, Refusal) and said.code == "step-not-possible":
        await _accept(ctx, code, matter, places)
        said = await _step(ctx, matter, "confirm", f"confirm:{code}")
    if not isinstance(said, Refusal):
        _note_if_late(ctx, said, "confirmed")
        return
    if said.code in ("step-not-possible", "not-found"):
        await _let_go_if_over(ctx, code, matter)
        return
    reason = ctx.book.texts.refusal(said).detail
    refused = await _step(ctx, matter, "refuse", f"refuse:{code}", {"reason": reason})
    if not isinstance(refused, Refusal):
        _note_if_late(ctx, refused, "refused")


def _note_if_late(ctx: Context, matter: Matter, told: str) -> None:
    """The result of a booking that comes later than two days before the test (REQ B4) is told all
    the same, at once; that it was late must not go unseen."""
    due, event = told_by(day_of(matter), ctx.book.parameters), matter.last(told)
    if event is not None and event.at > due:
        TOLD_LATE.inc()
        log.warning("exam-told-late", matter=matter.number, due=due.isoformat())


async def _change(ctx: Context, code: str, matter: str, places: Places) -> None:
    """Let the booking or the place in line follow its plan; nothing happens when it has."""
    plan = await ctx.stores.exam_plans.get(code)
    changes, until = plan.changes if plan else 0, places.offers.get(matter)
    given = {**await _reason(ctx, code), "until": until.isoformat() if until else ""}
    await steps.apply_owed(ctx, matter)
    await _step(ctx, matter, "change", f"change:{code}:{changes}", given)


async def _release(ctx: Context, code: str, matter: str, places: Places) -> None:
    await steps.apply_owed(ctx, matter)
    await _step(ctx, matter, "release", f"release:{code}", await _reason(ctx, code))


async def _reason(ctx: Context, code: str) -> dict[str, object]:
    history = await ctx.stores.exam_plans.history(code)
    return {"reason": str(history[-1].get("reason", "")) if history else ""}


async def _let_go_if_over(ctx: Context, code: str, matter: str) -> None:
    """Give back the place of a booking that has ended, or never began."""
    stored = await ctx.stores.matters.get(matter)
    if stored is not None and stored.matter.state in _ON:
        return
    now, hold = ctx.now(), offer_hold(ctx)
    await ctx.stores.exam_places.change(code, lambda p: released(p, matter, now, hold), now)


_OWED: Mapping[Owing, Callable[[Context, str, str, Places], Awaitable[None]]] = {
    "offer": _offer,
    "accept": _accept,
    "expire": _expire,
    "end_wait": _end_wait,
    "confirm": _confirm,
    "change": _change,
    "release": _release,
}
