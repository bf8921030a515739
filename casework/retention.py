"""The retention job: what is held longer than its purpose needs is deleted.

个人信息保护法 第十九条, 第四十七条. Run daily by the worker and by ``bianmin retention``; what is
left when a run breaks off, the next one does. How long is ``rules/parameters/retention.toml``.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from casework import steps
from casework.context import Context
from rules.matter import State
from rules.people import Actor
from rules.privacy import earlier
from storage.retention import Aged

log = structlog.get_logger()

_BATCH = 100
_COUNT_TO = 10_000
_MOST = 50_000
"""Of one kind in one run: the rest is for the next day."""
_SYSTEM = Actor("system", "retention")
_DAY = 86_400

Find = Callable[[Context, int], Awaitable[list[Aged]]]
Settle = Callable[[Context, Aged], Awaitable[None]]
Tell = Callable[[str, int], None]


@dataclass(frozen=True)
class Rule:
    """One kind of thing that expires: how the old ones are found, and what becomes of one."""

    name: str
    find: Find
    settle: Settle


async def run(ctx: Context, tell: Tell = lambda name, done: None) -> Mapping[str, int]:
    """Settle everything that has expired; how many of each. One that fails is logged, stays, and
    holds up no other. ``tell`` is called after each batch."""
    done: dict[str, int] = {}
    for rule in RULES:
        done[rule.name] = await _settle_all(ctx, rule, tell)
    return done


async def would(ctx: Context) -> Mapping[str, int]:
    """How many of each would be settled now, counted up to ten thousand; nothing is changed."""
    return {rule.name: len(await rule.find(ctx, _COUNT_TO)) for rule in RULES}


async def daily(ctx: Context) -> int:
    """The worker's part: once a day, by whichever worker comes first."""
    if not await ctx.stores.memory.hit(f"retention:{ctx.today().isoformat()}", 1, _DAY):
        return 0
    done = await run(ctx)
    log.info("retention", **{name: count for name, count in done.items() if count})
    return 0


async def _settle_all(ctx: Context, rule: Rule, tell: Tell) -> int:
    done, failed = 0, set[str]()
    while done < _MOST:
        # Those that failed stand at the head again: look past them.
        found = await rule.find(ctx, _BATCH + len(failed))
        fresh = [one for one in found if one.id not in failed]
        if not fresh:
            break
        for one in fresh:
            try:
                await rule.settle(ctx, one)
            except Exception:
                log.exception("retention-failed", rule=rule.name)
                failed.add(one.id)
            else:
                done += 1
        ctx.checkpoint("after-retention-batch")
        tell(rule.name, done)
    return done


def _before(ctx: Context, name: str) -> datetime:
    return earlier(ctx.now(), ctx.book.parameters.at(name, ctx.today()))


# -- what is old ----------------------------------------------------------------------------------


async def _drafts(ctx: Context, limit: int) -> list[Aged]:
    return await ctx.stores.retention.matters(State.DRAFT, _before(ctx, "retention.draft"), limit)


async def _thrown_away(ctx: Context, limit: int) -> list[Aged]:
    return await ctx.stores.retention.thrown_away(_before(ctx, "retention.discarded"), limit)


def _decided(state: State) -> Find:
    async def find(ctx: Context, limit: int) -> list[Aged]:
        before = _before(ctx, f"retention.{state.value}")
        return await ctx.stores.retention.matters(state, before, limit)

    return find


async def _talks(ctx: Context, limit: int) -> list[Aged]:
    return await ctx.stores.retention.talks(ctx.now(), limit)


async def _logins(ctx: Context, limit: int) -> list[Aged]:
    return await ctx.stores.retention.logins(ctx.now(), limit)


async def _visitors(ctx: Context, limit: int) -> list[Aged]:
    return await ctx.stores.retention.visitors(_before(ctx, "retention.visitor"), limit)


async def _late_messages(ctx: Context, limit: int) -> list[Aged]:
    return await ctx.stores.retention.late_messages(_before(ctx, "retention.late"), limit)


async def _mandates(ctx: Context, limit: int) -> list[Aged]:
    # None lasts longer than this, so one that nothing happened to has ended as long ago.
    longest = timedelta(days=int(ctx.figure("mandate.longest_days")))
    before = _before(ctx, "retention.finished") - longest
    return await ctx.stores.retention.mandates(before, limit)


async def _closed(ctx: Context, limit: int) -> list[Aged]:
    now = ctx.now()
    return [Aged(key, now) for key in await ctx.stores.closings.kept(now, limit)]


async def _looks(ctx: Context, limit: int) -> list[Aged]:
    before = _before(ctx, "retention.access_log")
    runs = await ctx.stores.access_log.old_runs(before)
    return [Aged(run, before) for run in runs[:limit]]


# -- what becomes of it ---------------------------------------------------------------------------


async def _discard(ctx: Context, draft: Aged) -> None:
    """A draft nobody goes on with is thrown away like any other: by a step."""
    await steps.take(ctx, draft.id, "expire", _SYSTEM, f"expire:{draft.id}")


async def _delete_matter(ctx: Context, matter: Aged) -> None:
    """A matter's pictures, then its document: one that died in between is found again."""
    await steps.apply_owed(ctx, matter.id)
    for photo in await ctx.stores.photos.of_matter(matter.id):
        await ctx.stores.photos.delete(photo)
    ctx.checkpoint("before-matter-deleted")
    await ctx.stores.retention.delete_matter(matter.id)


async def _forget_talk(ctx: Context, talk: Aged) -> None:
    await ctx.stores.retention.forget_talk(talk.id, ctx.now())


async def _forget_logins(ctx: Context, account: Aged) -> None:
    await ctx.stores.retention.forget_logins(account.id, ctx.now())


async def _forget_visitor(ctx: Context, visitor: Aged) -> None:
    await ctx.stores.retention.forget_visitor(visitor)


async def _forget_late_message(ctx: Context, message: Aged) -> None:
    await ctx.stores.retention.forget_late_message(message)


async def _delete_mandate(ctx: Context, mandate: Aged) -> None:
    await ctx.stores.retention.delete_mandate(mandate)


async def _forget_person(ctx: Context, account: Aged) -> None:
    """Name and ID number of a closed account go with its last matter."""
    matters = ctx.stores.matters
    if await matters.of_applicant(account.id, 1) or await matters.of_principal(account.id, 1):
        days = timedelta(days=int(ctx.figure("retention.closed")))
        await ctx.stores.closings.look_again(account.id, ctx.now() + days)
    else:
        await ctx.stores.closings.forget_person(account.id)


async def _delete_looks(ctx: Context, chain: Aged) -> None:
    await ctx.stores.access_log.delete_run(chain.id)


RULES: tuple[Rule, ...] = (
    Rule("drafts", _drafts, _discard),
    Rule("thrown-away", _thrown_away, _delete_matter),
    *(
        Rule(state.value, _decided(state), _delete_matter)
        for state in (State.WITHDRAWN, State.REFUSED, State.FINISHED)
    ),
    Rule("talks", _talks, _forget_talk),
    Rule("logins", _logins, _forget_logins),
    Rule("visitors", _visitors, _forget_visitor),
    Rule("late-messages", _late_messages, _forget_late_message),
    Rule("mandates", _mandates, _delete_mandate),
    Rule("closed-accounts", _closed, _forget_person),
    Rule("access-log", _looks, _delete_looks),
)
"""Everything that expires, in the order it is done: a draft thrown away today is deleted later."""
