"""The life of a matter, as one table.

* A matter is the sum of its timeline: ``replay`` folds events into a ``Matter``; nothing else
  changes one.
* An action is possible only if ``TABLE`` has a row for the service's kind, the present state and
  the kind of actor. What is not in the table is the refusal ``step-not-possible`` and changes
  nothing.
* A row may name a guard in ``rules.guards``. A guard sees the matter, what was given with the
  action and the facts, and answers with the event's data or a ``Refusal``.
* A citizen's step is his own or an agent's: ``rules.acting`` says whether he may take it.
* ``decide`` is pure: time, facts and figures are handed in.

``docs/matter-life.md`` holds the diagram drawn from this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from rules import contacts, enrolments, facesign, guards
from rules.acting import may_go_on
from rules.book import Rulebook
from rules.catalogue import Service
from rules.exams import booking, learning, results
from rules.facts import Facts
from rules.matter import Defect, Event, Matter, NewEvent, Photo, State
from rules.people import Actor
from rules.refusals import Refusal
from rules.requests import Guard, Request


@dataclass(frozen=True)
class Step:
    """One row: in ``before``, an actor of kind ``by`` may do ``action``; ``event`` follows."""

    kinds: frozenset[str]
    before: State | None
    action: str
    by: str
    event: str
    after: State
    guard: Guard | None = None


_REVIEWED = frozenset({"reviewed"})
_WINDOW = frozenset({"window"})
_STUDENT = frozenset({"enrolment"})
_BOOKING = frozenset({"booking"})
_D, _S, _C, _A, _R, _W, _F = (
    State.DRAFT,
    State.SUBMITTED,
    State.CORRECTION,
    State.APPROVED,
    State.REFUSED,
    State.WITHDRAWN,
    State.FINISHED,
)
_T, _Q, _O, _B, _K = (
    State.TAKING,
    State.WAITING,
    State.OFFERED,
    State.ACCEPTED,
    State.CONFIRMED,
)

TABLE: tuple[Step, ...] = (
    # drafting
    Step(_REVIEWED, None, "create", "citizen", "created", _D, guards.may_begin),
    Step(_REVIEWED, _D, "fill", "citizen", "filled", _D, guards.values_fit),
    Step(_REVIEWED, _D, "attach", "citizen", "attached", _D, guards.photo_fits),
    Step(_REVIEWED, _D, "detach", "citizen", "detached", _D, guards.photo_there),
    Step(_REVIEWED, _D, "submit", "citizen", "submitted", _S, guards.complete),
    Step(_REVIEWED, _D, "withdraw", "citizen", "discarded", _W),
    Step(_REVIEWED, _D, "expire", "system", "discarded", _W, guards.draft_forgotten),
    # under review
    Step(_REVIEWED, _S, "approve", "officer", "approved", _A, guards.approval),
    Step(_REVIEWED, _S, "send_back", "officer", "sent_back", _C, guards.defects_named),
    Step(_REVIEWED, _S, "refuse", "officer", "refused", _R, guards.reason_given),
    Step(_REVIEWED, _S, "withdraw", "citizen", "withdrawn", _W),
    Step(_REVIEWED, _S, "urge", "citizen", "urged", _S, guards.urge_once_a_day),
    # correction (补正): only what the officer named is open
    Step(_REVIEWED, _C, "fill", "citizen", "filled", _C, guards.values_fit),
    Step(_REVIEWED, _C, "attach", "citizen", "attached", _C, guards.photo_fits),
    Step(_REVIEWED, _C, "detach", "citizen", "detached", _C, guards.photo_there),
    Step(_REVIEWED, _C, "submit", "citizen", "resubmitted", _S, guards.corrected),
    Step(_REVIEWED, _C, "withdraw", "citizen", "withdrawn", _W),
    # the mandate an agent acted by has ended: what he was about to do finds a newer version
    Step(_REVIEWED, _D, "part", "system", "agent_parted", _D, guards.mandate_ended),
    Step(_REVIEWED, _S, "part", "system", "agent_parted", _S, guards.mandate_ended),
    Step(_REVIEWED, _C, "part", "system", "agent_parted", _C, guards.mandate_ended),
    # to the internal system and back
    Step(_REVIEWED, _A, "export", "exchange", "exported", _A, guards.batch_named),
    Step(_REVIEWED, _R, "export", "exchange", "exported", _R, guards.batch_named),
    Step(_REVIEWED, _A, "acknowledge", "exchange", "finished", _F, guards.answer_given),
    Step(_REVIEWED, _R, "acknowledge", "exchange", "acknowledged", _R, guards.answer_given),
    Step(_REVIEWED, _A, "reject", "exchange", "not_taken", _A, guards.answer_given),
    Step(_REVIEWED, _R, "reject", "exchange", "not_taken", _R, guards.answer_given),
    # before what was granted ends
    Step(_REVIEWED, _A, "remind", "system", "reminded", _A, guards.remind_once),
    Step(_REVIEWED, _F, "remind", "system", "reminded", _F, guards.remind_once),
    # done in person, recorded at the window
    Step(_WINDOW, None, "face_sign", "officer", "face_signed", _F, facesign.right_office),
    Step(_WINDOW, None, "change_contact", "officer", "contact_changed", _F, contacts.change),
    Step(_WINDOW, _F, "export", "exchange", "exported", _F, guards.batch_named),
    Step(_WINDOW, _F, "acknowledge", "exchange", "acknowledged", _F, guards.answer_given),
    Step(_WINDOW, _F, "reject", "exchange", "not_taken", _F, guards.answer_given),
    # driving students: entered by a school, or in person at the vehicle office
    Step(_STUDENT, None, "enrol", "school", "enrolled", _S, enrolments.may_enrol),
    Step(
        _STUDENT,
        None,
        "enrol_in_person",
        "officer",
        "enrolled_in_person",
        _A,
        enrolments.may_enrol_in_person,
    ),
    Step(_STUDENT, _S, "approve", "officer", "approved", _A, enrolments.approval),
    Step(_STUDENT, _S, "send_back", "officer", "sent_back", _C, guards.defects_named),
    Step(_STUDENT, _S, "refuse", "officer", "refused", _R, guards.reason_given),
    Step(_STUDENT, _C, "amend", "school", "amended", _S, enrolments.amended),
    Step(_STUDENT, _S, "leave", "school", "withdrawn", _W, enrolments.leaves),
    Step(_STUDENT, _C, "leave", "school", "withdrawn", _W, enrolments.leaves),
    Step(_STUDENT, _A, "leave", "school", "left", _W, enrolments.leaves),
    Step(_STUDENT, _S, "transfer", "school", "transferred", _S, enrolments.transfers),
    Step(_STUDENT, _C, "transfer", "school", "transferred", _C, enrolments.transfers),
    Step(_STUDENT, _A, "transfer", "school", "transferred", _A, enrolments.transfers),
    # a student until the licence is issued, or the time for learning is over
    Step(_STUDENT, _A, "activate", "citizen", "activated", _A, enrolments.activates),
    Step(_STUDENT, _A, "licence_issued", "exchange", "licence_issued", _F, enrolments.licensed),
    Step(_STUDENT, _A, "lapse", "system", "lapsed", _W, enrolments.lapses),
    # what a student learns and is tested in: his record
    Step(_STUDENT, _A, "issue_permit", "exchange", "permit_issued", _A, learning.permit),
    Step(_STUDENT, _A, "record_attempt", "system", "attempt_recorded", _A, learning.attempt),
    Step(_STUDENT, _A, "correct_attempt", "system", "attempt_corrected", _A, learning.correction),
    # what his record says and he has not been told yet
    Step(_STUDENT, _A, "void", "system", "exams_voided", _A, learning.voids),
    Step(_STUDENT, _A, "restore", "system", "exams_restored", _A, learning.restores),
    Step(_STUDENT, _A, "complete", "system", "exams_passed", _A, learning.completes),
    Step(_STUDENT, _A, "reopen", "system", "exams_reopened", _A, learning.reopens),
    # booking a test: asked for, and the answer of the plan's document
    Step(_BOOKING, None, "apply", "citizen", "applied", _T, booking.may_apply),
    Step(_BOOKING, None, "apply", "officer", "applied", _T, booking.may_apply),
    Step(_BOOKING, _T, "seat", "system", "accepted", _B, booking.seated),
    Step(_BOOKING, _T, "queue", "system", "queued", _Q),
    Step(_BOOKING, _T, "turn_away", "system", "turned_away", _W, booking.turned_away),
    # waiting for a place
    Step(_BOOKING, _Q, "offer", "system", "offered", _O, booking.offered),
    Step(_BOOKING, _Q, "leave", "citizen", "left_line", _W),
    Step(_BOOKING, _Q, "leave", "officer", "left_line", _W, booking.by_own_office),
    Step(_BOOKING, _Q, "end_wait", "system", "wait_ended", _W),
    Step(_BOOKING, _O, "accept", "citizen", "offer_accepted", _B, booking.accepts),
    Step(_BOOKING, _O, "accept", "officer", "offer_accepted", _B, booking.accepts_at_office),
    Step(_BOOKING, _O, "leave", "citizen", "offer_declined", _W),
    Step(_BOOKING, _O, "leave", "officer", "offer_declined", _W, booking.by_own_office),
    Step(_BOOKING, _O, "expire", "system", "offer_expired", _W),
    Step(_BOOKING, _O, "end_wait", "system", "wait_ended", _W),
    # the office changed or cancelled the session waited for
    *(
        step
        for waits in (_Q, _O)
        for step in (
            Step(_BOOKING, waits, "change", "system", "plan_changed", waits, booking.changing),
            Step(_BOOKING, waits, "release", "system", "released", _W, booking.of_office),
        )
    ),
    # a place held: confirmed or refused when the plan closes
    Step(_BOOKING, _B, "confirm", "system", "confirmed", _K, booking.still_fits),
    Step(_BOOKING, _B, "refuse", "system", "refused", _R, booking.refusing),
    Step(_BOOKING, _B, "refuse", "officer", "refused", _R, booking.refusing),
    *(
        step
        for held in (_B, _K)
        for step in (
            Step(_BOOKING, held, "cancel", "citizen", "cancelled", _W, booking.leaving_open),
            Step(
                *(_BOOKING, held, "cancel", "officer", "cancelled_at_office", _W),
                booking.before_last_day,
            ),
            Step(_BOOKING, held, "change", "system", "plan_changed", held, booking.changing),
            Step(
                *(_BOOKING, held, "accept_change", "citizen", "change_accepted", held),
                booking.change_open,
            ),
            Step(
                *(_BOOKING, held, "accept_change", "officer", "change_accepted", held),
                booking.change_open_at_office,
            ),
            Step(_BOOKING, held, "release", "system", "released", _W, booking.of_office),
            *(
                Step(_BOOKING, held, action, by, event, _F, results.entered)
                for by in ("exchange", "officer")
                for action, event in results.OUTCOMES.items()
            ),
        )
    ),
    # he is no student any more, or one of another office: what he has not sat yet is let go
    *(
        Step(_BOOKING, there, "let_go", "system", "let_go", _W, booking.of_office)
        for there in (_Q, _O, _B, _K)
    ),
    Step(_BOOKING, _K, "remind", "system", "reminded", _K, booking.remind_of_test),
    Step(_BOOKING, _F, "correct", "exchange", "result_corrected", _F, results.corrected),
    Step(_BOOKING, _F, "correct", "officer", "result_corrected", _F, results.corrected),
)

ENDED = frozenset({State.REFUSED, State.WITHDRAWN, State.FINISHED})
"""States in which a matter no longer holds the citizen's one place for its service."""

_NOTHING_DUE = frozenset(
    {"approved", "refused", "withdrawn", "discarded", "confirmed", "cancelled"}
    | {"cancelled_at_office", "released", "let_go", "left_line", "wait_ended"}
    | {"offer_declined", "offer_expired", *results.OUTCOMES.values()}
)
"""Events after which no answer is waited for any more."""

_AFTER: Mapping[tuple[State | None, str], State] = {(s.before, s.event): s.after for s in TABLE}


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
        s.action
        for s in TABLE
        if service.kind in s.kinds and s.before is matter.state and s.by == actor_kind
    )


def _step(service: Service, matter: Matter | None, action: str, actor: Actor) -> Step | None:
    state = matter.state if matter else None
    for step in TABLE:
        if (
            service.kind in step.kinds
            and step.before is state
            and step.action == action
            and step.by == actor.kind
        ):
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
