"""The results of a session at the desk: who holds a place, what came of it, putting it right.

An officer of the office that tests, and nobody else; each look is recorded before it is answered.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from casework import steps
from casework.access_log import record_look
from casework.context import Context
from casework.desk import whole_log
from casework.desk_people import applicant_view
from casework.exams.own_office import own_plan
from casework.exams.results import note
from casework.exams.showing import outcome_label, plan_view
from casework.exams.views import PlanView
from casework.officers import Officer
from casework.views import TimelineEntry
from rules.exams.booking import SEATED
from rules.exams.plan import SERVICE
from rules.exams.results import result_of, sitting_of
from rules.masking import groups, groups_naming, shown
from rules.matter import Event, Matter, State
from rules.refusals import Refusal

PERMISSION = "exam_results"
_SCREEN = "desk.exam_results"
_AT_ONCE = 8


@dataclass(frozen=True)
class SheetRow:
    """One who holds a place; name and ID number masked. ``outcome`` is empty until there is one,
    ``open`` while it may be entered; ``retried`` when he took the second try."""

    number: str
    name: str
    id_number: str
    state_label: str
    open: bool
    outcome: str
    outcome_label: str
    retried: bool
    version: int


@dataclass(frozen=True)
class ResultSheet:
    """A session with everybody who holds a place of it. ``early`` before the day of the test."""

    plan: PlanView
    early: bool
    rows: list[SheetRow]


@dataclass(frozen=True)
class Correction:
    """One booking with its result, and everything that happened to it."""

    plan: PlanView
    row: SheetRow
    log: list[TimelineEntry]


async def sheet(ctx: Context, officer: Officer, code: str) -> ResultSheet:
    """The sheet of a session of the officer's own office; who has no result yet comes first.

    Raises plan-unknown, plan-of-other-office, role-not-allowed.
    """
    plan = await own_plan(ctx, officer, code, PERMISSION)
    seen = groups_naming(_SCREEN, "exams", code)
    await record_look(ctx, officer, "exam-results", None, None, seen)
    places = await ctx.stores.exam_places.get(code)
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(number: str) -> tuple[str, SheetRow] | None:
        async with room:
            stored = await ctx.stores.matters.get(number)
            if stored is None or stored.matter.state not in SEATED:
                # A place whose booking is over is about to be given back.
                return None
            return await _row(ctx, stored.matter)

    found = await asyncio.gather(*(one(n) for n in (places.holders if places else ())))
    named = sorted((f for f in found if f), key=lambda f: (not f[1].open, f[0], f[1].number))
    view = await plan_view(ctx, plan)
    return ResultSheet(view, ctx.today() < plan.day, [row for _, row in named])


async def enter(
    ctx: Context,
    officer: Officer,
    code: str,
    entries: Mapping[str, tuple[str, str]],
    cause: str,
) -> dict[str, Refusal | None]:
    """Enter results by booking number: (first try, second try), each passed, failed, missed or, for
    the second, empty. What became of each; one that fails keeps no other from being entered.

    Raises plan-unknown, plan-of-other-office, role-not-allowed.
    """
    await own_plan(ctx, officer, code, PERMISSION)
    answers: dict[str, Refusal | None] = {}
    for number, (first, second) in entries.items():
        try:
            booking = await _booking(ctx, code, number)
            came = sitting_of(first, second or None)
            if isinstance(came, Refusal):
                raise came
            await note(ctx, booking, officer.actor, f"{cause}:{number}", came)
        except Refusal as refusal:
            answers[number] = refusal
        else:
            answers[number] = None
    return answers


async def correction(ctx: Context, officer: Officer, code: str, number: str) -> Correction:
    """One booking whose result is to be put right. Raises not-found, and as ``sheet`` does."""
    plan = await plan_view(ctx, await own_plan(ctx, officer, code, PERMISSION))
    booking = await _booking(ctx, code, number)
    await record_look(ctx, officer, "exam-result", booking.subject, number, groups(_SCREEN))
    _, row = await _row(ctx, booking)
    entries = zip(await whole_log(ctx, booking), booking.timeline, strict=True)
    return Correction(plan, row, [_with_outcome(ctx, entry, event) for entry, event in entries])


def _with_outcome(ctx: Context, entry: TimelineEntry, event: Event) -> TimelineEntry:
    """A correction says what it made of the result, beside its reason."""
    if event.type != "result_corrected":
        return entry
    label = outcome_label(ctx, event.data["outcome"])
    return replace(entry, note=f"{label}，{entry.note}")


async def correct(
    ctx: Context,
    officer: Officer,
    code: str,
    number: str,
    tries: tuple[str, str],
    *,
    reason: str,
    version: int,
    cause: str,
) -> None:
    """Put a result right, with the reason, on the version the officer saw.

    Raises result-tries-unfit, reason-needed, result-the-same, stale-version, step-not-possible,
    not-found, and as ``sheet`` does.
    """
    await own_plan(ctx, officer, code, PERMISSION)
    await _booking(ctx, code, number)
    came = sitting_of(tries[0], tries[1] or None)
    if isinstance(came, Refusal):
        raise came
    given = {"outcome": came[0], "retried": came[1], "reason": reason}
    await steps.take(ctx, number, "correct", officer.actor, cause, given, seen=version)


async def _booking(ctx: Context, code: str, number: str) -> Matter:
    matter = (await steps.load(ctx, number)).matter
    if matter.service != SERVICE or matter.form["plan"] != code:
        raise Refusal("not-found")
    return matter


async def _row(ctx: Context, matter: Matter) -> tuple[str, SheetRow]:
    """The name in clear, to sort by, and the row."""
    person, result = await applicant_view(ctx, matter), result_of(matter)
    outcome, retried = result or ("", False)
    return person.name, SheetRow(
        number=matter.number,
        name=shown(_SCREEN, "name", person.name),
        id_number=shown(_SCREEN, "id_number", person.id_number),
        state_label=ctx.book.texts.say(f"states.{matter.state.value}"),
        open=matter.state is not State.FINISHED,
        outcome=outcome,
        outcome_label=outcome_label(ctx, outcome) if outcome else "",
        retried=retried,
        version=matter.version,
    )
