"""The life of a matter, as one table.

* A matter is the sum of its timeline: ``replay`` folds events into a ``Matter``; nothing else
  changes one.
* An action is possible only if ``TABLE`` has a row for the service's kind, the present state and
  the kind of actor; each kind has a file of rows in ``rules.life``. What is not in the table is the
  refusal ``step-not-possible`` and changes nothing.
* A row may name a guard in ``rules.guards``. A guard sees the matter, what was given with the
  action and the facts, and answers with the event's data or a ``Refusal``.
* A citizen's step is his own or an agent's: ``rules.acting`` says whether he may take it.
* ``decide`` is pure: time, facts and figures are handed in.

``docs/matter-life.md`` holds the diagram drawn from this table.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from rules.acting import may_go_on
from rules.book import Rulebook
from rules.catalogue import Service
from rules.exams import results
from rules.facts import Facts
from rules.life import booking, enrolment, reviewed, window
from rules.life.step import Step
from rules.matter import Defect, Event, Matter, NewEvent, Photo, State
from rules.people import Actor
from rules.refusals import Refusal
from rules.requests import Request

TABLE: Mapping[str, tuple[Step, ...]] = {
    "reviewed": reviewed.ROWS,
    "window": window.ROWS,
    "enrolment": enrolment.ROWS,
    "booking": booking.ROWS,
}
"""Kind of service -> its rows, from the file of ``rules.life`` of that name."""

ENDED = frozenset({State.REFUSED, State.WITHDRAWN, State.FINISHED})
"""States in which a matter no longer holds the citizen's one place for its service."""

_NOTHING_DUE = frozenset(
    {"approved", "refused", "withdrawn", "discarded", "confirmed", "cancelled"}
    | {"cancelled_at_office", "released", "let_go", "left_line", "wait_ended"}
    | {"offer_declined", "offer_expired", *results.EVENTS.values()}
)
"""Events after which no answer is waited for any more."""

_AFTER: Mapping[tuple[State | None, str], State] = {
    (step.before, step.event): step.after for rows in TABLE.values() for step in rows
}


def decide(
    service: Service,
    matter: Matter | None,
    action: str,
    actor: Actor,
    given: Mapping[str, Any],
    facts: Facts,
    now: datetime,
    book: Rulebook,
) -> NewEvent | Refusal:
    """Say what follows when ``actor`` does ``action``; ``matter`` is None to begin one.

    ``given`` holds what came with the action: ``values`` for fill, ``photo`` for attach,
    ``defects`` for send_back, ``reason`` for refuse. Never raises for an expected refusal.
    """
    if matter is None and actor.kind not in service.who.enters:
        # The doors add where to go.
        who = service.who
        return Refusal(
            "not-by-yourself", service=service.title, who=who.text, business=who.business
        )
    step = _step(service, matter, action, actor)
    if step is None:
        state = matter.state.value if matter else "none"
        return Refusal("step-not-possible", state=book.texts.say(f"states.{state}"), action=action)
    if matter is not None and actor.kind == "citizen":
        stranger = may_go_on(service, matter, actor, facts.mandate, now)
        if stranger is not None:
            return stranger
    data: Mapping[str, Any] = {}
    if step.guard is not None:
        verdict = step.guard(Request(service, matter, actor, given, facts, now, book))
        if isinstance(verdict, Refusal):
            return verdict
        data = verdict
    return NewEvent(step.event, data)


def allowed(service: Service, matter: Matter, actor_kind: str) -> tuple[str, ...]:
    """The actions the table holds for this kind of actor now, in the table's order."""
    return tuple(
        step.action
        for step in TABLE.get(service.kind, ())
        if step.before is matter.state and step.by == actor_kind
    )


def _step(service: Service, matter: Matter | None, action: str, actor: Actor) -> Step | None:
    state = matter.state if matter else None
    for step in TABLE.get(service.kind, ()):
        if step.before is state and step.action == action and step.by == actor.kind:
            return step
    return None


def begin(number: str, service: str, event: Event) -> Matter:
    """The matter that its first event opens; applicant, subject and office are in its data."""
    data = event.data
    return Matter(
        number=number,
        service=service,
        state=_AFTER[None, event.type],
        version=1,
        applicant=data["applicant"],
        subject=data["subject"],
        # What is entered whole is handed in by its first event.
        form=data.get("form") or data.get("sitting", {}),
        photos=tuple(_photo(p, event.at) for p in data.get("photos", ())),
        timeline=(event,),
        office=data["office"],
        created_at=event.at,
        since=event.at,
        submitted_at=event.at if "form" in data else None,
        due=_time(data.get("due")),
        school=data.get("school", ""),
        mandate=data.get("mandate"),
    )


def evolve(matter: Matter, event: Event) -> Matter:
    """The matter after one more event. Raises KeyError for an event its state does not know."""
    state = _AFTER[matter.state, event.type]
    changed = replace(
        matter,
        state=state,
        since=matter.since if state is matter.state else event.at,
        version=matter.version + 1,
        timeline=(*matter.timeline, event),
    )
    data = event.data
    match event.type:
        case "filled":
            return replace(changed, form={**matter.form, **data["values"]})
        case "attached":
            return replace(changed, photos=(*matter.photos, _photo(data["photo"], event.at)))
        case "detached":
            kept = tuple(p for p in matter.photos if p.id != data["photo"])
            return replace(changed, photos=kept)
        case "submitted":
            return replace(changed, submitted_at=event.at, due=_time(data["due"]))
        case "resubmitted":
            return replace(changed, due=_time(data["due"]), defects=())
        case "sent_back":
            defects = tuple(Defect(**d) for d in data["defects"])
            return replace(changed, defects=defects, due=None)
        case _ if event.type in _NOTHING_DUE:
            return replace(changed, due=None)
        case "amended":
            new = tuple(_photo(p, event.at) for p in data["photos"])
            replaced = {p.material for p in new}
            left = (p for p in matter.photos if p.material not in replaced)
            return replace(
                changed,
                form={**matter.form, **data["values"]},
                photos=(*left, *new),
                due=_time(data["due"]),
                defects=(),
            )
        case "accepted" | "queued":
            return replace(changed, submitted_at=event.at, due=_time(data.get("due")))
        case "offered" | "offer_accepted":
            return replace(changed, due=_time(data.get("until") or data.get("due")))
        case "plan_changed":
            due = _time(data.get("due")) or changed.due
            return replace(changed, form=dict(data["sitting"]), due=due)
        case "transferred":
            return replace(changed, school=data["school"], office=data["office"])
        case _:
            return changed


def replay(number: str, service: str, events: tuple[Event, ...]) -> Matter:
    """A matter from its whole timeline, oldest event first."""
    matter = begin(number, service, events[0])
    for event in events[1:]:
        matter = evolve(matter, event)
    return matter


def _photo(data: Mapping[str, Any], at: datetime) -> Photo:
    return Photo(**{**data, "checks": tuple(data["checks"]), "added_at": at})


def _time(text: str | None) -> datetime | None:
    # Event data is kept as JSON, so times in it are ISO 8601 text.
    return datetime.fromisoformat(text) if text else None
