"""A citizen at the counter: what an officer has looked up stays with the visit until it is done.

Kept in Redis, sealed, for minutes. Losing one loses nothing: the officer begins again. A visit is
its officer's own, and its id is all that stands in an address.
"""

from dataclasses import dataclass

from casework import steps
from casework.context import Context
from casework.numbers import number_for
from casework.officers import Officer
from rules.refusals import Refusal

_TRIES = 8


@dataclass(frozen=True)
class Visit:
    """Somebody at the counter for one purpose; ``number`` is that of the matter to be."""

    id: str
    purpose: str
    officer: str
    office: str
    key: str
    id_number: str
    number: str

    @property
    def cause(self) -> str:
        """The one event the visit may bring about: a second click repeats it."""
        return f"visit:{self.id}"


async def begin_visit(
    ctx: Context, officer: Officer, purpose: str, key: str, id_number: str
) -> Visit:
    """A visit of the person with this ID number."""
    visit_id = ctx.ids.token()
    number = await _number(ctx, key, f"visit:{visit_id}")
    visit = Visit(visit_id, purpose, officer.username, officer.office.code, key, id_number, number)
    await keep(ctx, visit, "", vars(visit))
    return visit


async def visit_of(ctx: Context, officer: Officer, purpose: str, visit_id: str) -> Visit:
    """The officer's own visit. Raises visit-ended for any other, and when its time is over."""
    held = await ctx.stores.memory.get_kept(f"visit/{visit_id}/")
    if held is None:
        raise Refusal("visit-ended")
    visit = Visit(**held)
    own = (visit.officer, visit.office) == (officer.username, officer.office.code)
    if not own or visit.purpose != purpose:
        raise Refusal("visit-ended")
    return visit


async def keep(ctx: Context, visit: Visit, part: str, value: dict[str, object]) -> None:
    """Keep something with the visit, each under its own name: parts never overwrite each other."""
    seconds = int(ctx.figure("desk.visit_minutes")) * 60
    await ctx.stores.memory.put_kept(f"visit/{visit.id}/{part}", value, seconds)


async def kept(ctx: Context, visit: Visit, part: str) -> dict[str, object] | None:
    """What was kept under this name."""
    return await ctx.stores.memory.get_kept(f"visit/{visit.id}/{part}")


async def _number(ctx: Context, key: str, cause: str) -> str:
    for attempt in range(_TRIES):
        number = number_for(ctx.stores.vault, f"{key}:{cause}", attempt)
        stored = await ctx.stores.matters.get(number)
        if stored is None or steps.begun_by(stored.matter, key, cause):
            return number
    raise Refusal("busy-try-again")
