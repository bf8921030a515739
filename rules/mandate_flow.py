"""The life of a mandate, as one table: who may do what with it, and what must hold.

What is not in the table is the refusal ``mandate-not-possible`` and changes nothing. ``decide`` is
pure; nothing here knows whether the agent named has an account, so no answer can tell.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from rules.book import Rulebook
from rules.calendar import HOUSE_ZONE
from rules.catalogue import Service
from rules.deadlines import add_years, say_date
from rules.id_number import birth_date
from rules.mandates import DELEGABLE, RELATIONS, RUNNING, Mandate, Standing
from rules.matter import Event, NewEvent
from rules.notices import Notice, NoticeState
from rules.refusals import Refusal

Party = Literal["principal", "agent"]


@dataclass(frozen=True)
class Wish:
    """An action as asked for; ``mandate`` is None when the pair never had one."""

    mandate: Mandate | None
    given: Mapping[str, Any]
    now: datetime
    book: Rulebook

    @property
    def today(self) -> date:
        """The date in the house's zone."""
        return self.now.astimezone(HOUSE_ZONE).date()

    def figure(self, name: str) -> int:
        """Today's value of a dated parameter."""
        return int(self.book.parameters.at(name, self.today).value)


Guard = Callable[[Wish], "Mapping[str, Any] | Refusal"]


@dataclass(frozen=True)
class Step:
    """One row: while it stands as ``before`` (None: never given), ``by`` may do ``action``."""

    before: frozenset[Standing | None]
    action: str
    by: Party
    event: str
    guard: Guard | None = None


def delegable(service: Service) -> bool:
    """Whether an agent may do this service online: the law allows agents for its business, and
    its file takes them online."""
    return service.who.business in DELEGABLE and service.who.agent == "online"


def _terms_fit(wish: Wish) -> Mapping[str, Any] | Refusal:
    """Another grown person, for business that may be done by an agent, until a day not too far."""
    given = wish.given
    if given["agent"] == given["principal"]:
        return Refusal("mandate-to-oneself")
    grown = add_years(birth_date(given["agent_id_number"]), wish.figure("mandate.agent_min_years"))
    if wish.today < grown:
        return Refusal("mandate-agent-too-young", years=wish.figure("mandate.agent_min_years"))
    businesses, services = tuple(given["businesses"]), tuple(given["services"])
    known = {s.code for s in wish.book.catalogue if delegable(s)}
    named = bool(businesses or services)
    if not named or not set(businesses) <= set(DELEGABLE) or not set(services) <= known:
        return Refusal("mandate-scope-unfit")
    if given["relation"] not in RELATIONS:
        return Refusal("mandate-relation-unknown")
    until: date = given["until"]
    last = wish.today + timedelta(days=wish.figure("mandate.longest_days"))
    if not wish.today < until <= last:
        return Refusal("mandate-until-unfit", last_day=say_date(last))
    answer_by = wish.now + timedelta(days=wish.figure("mandate.answer_days"))
    return {
        "principal": given["principal"],
        "agent": given["agent"],
        "agent_name": given["agent_name"],
        "relation": given["relation"],
        "businesses": sorted(set(businesses)),
        "services": sorted(set(services)),
        "until": until.isoformat(),
        "answer_by": answer_by.isoformat(),
    }


_NOT_RUNNING: frozenset[Standing | None] = frozenset({None, *Standing}) - RUNNING
_OFFERED: frozenset[Standing | None] = frozenset({Standing.OFFERED})
_LIVE: frozenset[Standing | None] = frozenset({Standing.LIVE})

TABLE: tuple[Step, ...] = (
    Step(_NOT_RUNNING, "give", "principal", "given", _terms_fit),
    Step(_OFFERED, "accept", "agent", "accepted"),
    Step(_OFFERED, "end", "agent", "declined"),
    Step(_LIVE, "end", "agent", "given_up"),
    Step(_OFFERED | _LIVE, "end", "principal", "revoked"),
)


def decide(
    mandate: Mandate | None,
    action: str,
    by: Party,
    given: Mapping[str, Any],
    now: datetime,
    book: Rulebook,
) -> NewEvent | Refusal:
    """What follows when principal or agent does ``action``. Never raises for an expected no."""
    standing = mandate.standing(now) if mandate else None
    for step in TABLE:
        if standing in step.before and step.action == action and step.by == by:
            wish = Wish(mandate, given, now, book)
            data = step.guard(wish) if step.guard else {}
            return data if isinstance(data, Refusal) else NewEvent(step.event, data)
    if action == "give":
        return Refusal("mandate-under-way")
    said = book.texts.say(f"mandates.standings.{standing.value if standing else 'lapsed'}")
    return Refusal("mandate-not-possible", state=said)


def allowed(mandate: Mandate, by: Party, now: datetime) -> tuple[str, ...]:
    """What principal or agent may do with it now: ``accept``, ``end``."""
    standing = mandate.standing(now)
    return tuple(
        s.action for s in TABLE if standing in s.before and s.by == by and s.action != "give"
    )


def mandate_notices(event: Event) -> tuple[Notice, ...]:
    """Both are told of everything that happens to a mandate, by SMS: subscribe messages speak of
    matters only."""
    return tuple(
        Notice(
            id=f"{event.id}-{audience[0]}",
            event=event.id,
            template=event.type,
            state=NoticeState.DUE,
            due=event.at,
            closed=("subscribe",),
            audience=audience,
        )
        for audience in ("principal", "agent")
    )
