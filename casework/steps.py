"""The one way a matter moves: read, decide, one conditional write, then what it owes.

Whoever wins the write is the truth. A citizen's or the system's step that lost is decided again on
the new version; an officer's is refused, for he decides on the version he saw.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog

from casework import effects
from casework.answers import Answer, Onward
from casework.context import Context
from casework.facts import facts_of
from casework.numbers import number_for
from casework.offices import with_offices
from rules.acting import audiences
from rules.catalogue import Service
from rules.effects import Effect, effects_of, in_order
from rules.facts import Facts
from rules.flow import ENDED, allowed, begin, decide, evolve
from rules.matter import Event, Matter, NewEvent, State, thrown_away
from rules.notices import notices_for
from rules.people import Actor
from rules.refusals import Refusal
from rules.reminders import remind_at
from storage.matter_documents import Owed, StoredMatter

log = structlog.get_logger()

_TRIES = 8
NOTICE_LANE = "notices"
_ANSWERING = Actor("system", "effects")


async def load(ctx: Context, number: str) -> StoredMatter:
    """A stored matter; raises ``not-found``."""
    stored = await ctx.stores.matters.get(number)
    if stored is None:
        raise Refusal("not-found")
    return stored


async def start(
    ctx: Context,
    service: Service,
    action: str,
    actor: Actor,
    cause: str,
    given: Mapping[str, Any],
    facts: Facts,
    number: str | None = None,
) -> Matter:
    """Begin a matter. The same cause always finds the same matter. Raises Refusal.

    ``number`` is given when a claim of the subject's already names the matter to be; somebody who
    acts for the same subject may have begun it first, and it is given then.
    """
    decided = decide(service, None, action, actor, given, facts, ctx.now(), ctx.book)
    if isinstance(decided, Refusal):
        raise await _helped(ctx, decided, actor, facts)
    for attempt in range(_TRIES):
        name = number or number_for(ctx.stores.vault, cause, attempt)
        event = Event(f"{name}-0001", decided.type, ctx.now(), actor, cause, decided.data)
        matter = begin(name, service.code, event)
        owed = _owed(ctx, service, matter, facts)
        if await ctx.stores.matters.insert(matter, owed):
            ctx.checkpoint("after-matter-write")
            return await _settle(ctx, StoredMatter(matter, {}, 0, tuple(owed.effects)))
        there = (await load(ctx, name)).matter
        if number is not None:
            if there.subject == given["subject"]:
                return there
        elif begun_by(there, given["applicant"], cause):
            return there
    raise Refusal("busy-try-again")


def begun_by(matter: Matter, applicant: str, cause: str) -> bool:
    """Whether this very request of this person began the matter: numbers may meet by chance."""
    return matter.applicant == applicant and matter.timeline[0].cause == cause


async def take(
    ctx: Context,
    number: str,
    action: str,
    actor: Actor,
    cause: str,
    given: Mapping[str, Any] | None = None,
    *,
    seen: int | None = None,
) -> Matter:
    """Take one step of a matter and settle what it owes; the matter after that. Raises Refusal.

    ``seen`` is the version an officer decided on; a newer one refuses with ``stale-version``.
    A cause that already brought an event about changes nothing and gives the matter as it is.
    """
    for _ in range(_TRIES):
        stored = await load(ctx, number)
        before = stored.matter
        if before.event_of(cause) is not None:
            return before
        if seen is not None and before.version != seen:
            raise Refusal("stale-version")
        service = ctx.book.catalogue[before.service]
        facts = await facts_of(ctx, before)
        decided = decide(service, before, action, actor, given or {}, facts, ctx.now(), ctx.book)
        if isinstance(decided, Refusal):
            raise await _helped(ctx, decided, actor, facts)
        after = _after(ctx, before, decided, actor, cause)
        owed = _owed(ctx, service, after, facts)
        if await ctx.stores.matters.append(before, after, owed):
            ctx.checkpoint("after-matter-write")
            effects_now = (*stored.effects, *owed.effects)
            return await _settle(ctx, replace(stored, matter=after, effects=effects_now))
    raise Refusal("busy-try-again")


def _after(ctx: Context, before: Matter, decided: NewEvent, actor: Actor, cause: str) -> Matter:
    event_id = f"{before.number}-{before.version + 1:04d}"
    event = Event(event_id, decided.type, ctx.now(), actor, cause, decided.data)
    return evolve(before, event)


async def apply_owed(ctx: Context, number: str) -> int:
    """Apply every effect the matter still owes, oldest first; how many there were."""
    stored = await ctx.stores.matters.get(number)
    if stored is None:
        return 0
    await finish(ctx, stored)
    return len(stored.effects)


async def finish(ctx: Context, stored: StoredMatter) -> Matter:
    """Apply the effects of a matter as read; the matter after them. One that brings an answer is
    struck off by the answer's own write, so nothing is written for it alone."""
    matter, done = stored.matter, list[str]()
    for effect in in_order(ctx.book.catalogue[matter.service], matter, stored.effects):
        ctx.checkpoint("before-effect")
        answer = await effects.KINDS[effect.kind](ctx, matter, effect)
        ctx.checkpoint("after-effect")
        if isinstance(answer, Answer):
            matter = await _answered(ctx, stored, effect, answer)
            continue
        for onward in answer or ():
            await _gone_on(ctx, effect, onward)
        done.append(effect.id)
    if done or not stored.effects:
        await ctx.stores.matters.effects_done(matter.number, done, matter.version)
    return matter


async def _answered(ctx: Context, stored: StoredMatter, effect: Effect, answer: Answer) -> Matter:
    """Take the step an effect's target answered with, unless somebody did so before."""
    before = stored
    for _ in range(_TRIES):
        matter = before.matter
        service, cause = ctx.book.catalogue[matter.service], f"{effect.id}:{answer.action}"
        facts = Facts(today=ctx.today())
        decided = decide(
            service, matter, answer.action, _ANSWERING, answer.given, facts, ctx.now(), ctx.book
        )
        if matter.event_of(cause) is not None or isinstance(decided, Refusal):
            # Answered before, or the matter has gone on without it.
            if matter.state in ENDED and answer.undo:
                await effects.KINDS[answer.undo](ctx, matter, effect)
            owing = tuple(e for e in before.effects if e.id != effect.id)
            if owing:
                # Of whoever went on: he may have died since.
                matter = await finish(ctx, replace(before, effects=owing))
            await ctx.stores.matters.effects_done(matter.number, [effect.id], matter.version)
            return matter
        after = _after(ctx, matter, decided, _ANSWERING, cause)
        owed = _owed(ctx, service, after, facts)
        if await ctx.stores.matters.append(matter, after, owed, settles=effect.id):
            ctx.checkpoint("after-answer")
            return await _settle(ctx, StoredMatter(after, {}, 0, tuple(owed.effects)))
        before = await load(ctx, matter.number)
    raise Refusal("busy-try-again")


async def _gone_on(ctx: Context, effect: Effect, onward: Onward) -> None:
    """Take a step that follows in another matter, once by the effect's id. The effect is struck off
    after it: whoever dies in between leaves it owed, and it is found taken the next time."""
    cause = f"{effect.id}:{onward.action}"
    try:
        await take(ctx, onward.matter, onward.action, _ANSWERING, cause, onward.given)
    except Refusal as refusal:
        if refusal.code == "busy-try-again":
            raise
        log.info("nothing-follows", effect=effect.id, action=onward.action, code=refusal.code)
    ctx.checkpoint("after-onward")


async def _helped(ctx: Context, refusal: Refusal, actor: Actor, facts: Facts) -> Refusal:
    # Whose business it is learns where it can be put right; an officer sees the record himself.
    return await with_offices(ctx, refusal, facts) if actor.kind == "citizen" else refusal


def _owed(ctx: Context, service: Service, after: Matter, facts: Facts) -> Owed:
    event = after.timeline[-1]
    told = audiences(after, facts.mandate, event.at)
    return Owed(
        notices=notices_for(service, event, timedelta(0), told),
        effects=effects_of(service, after, event),
        export_due=event.type in ("approved", "refused", "contact_changed")
        and "export" in allowed(service, after, "exchange"),
        remind_at=remind_at(service, after, event, ctx.book.parameters),
    )


async def _settle(ctx: Context, stored: StoredMatter) -> Matter:
    """Apply what is owed at once and wake the worker; the sweep does the same later."""
    matter = stored.matter
    last = matter.timeline[-1]
    if last.type in ctx.book.catalogue[matter.service].notices:
        await ctx.stores.memory.wake(NOTICE_LANE)
    return await finish(ctx, stored) if stored.effects else matter


def is_draft(matter: Matter) -> bool:
    """Whether the citizen alone knows of it: a draft, or one thrown away."""
    return matter.state is State.DRAFT or thrown_away(matter.state, matter.submitted_at)
