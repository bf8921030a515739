"""``booking``: a seat of a test's session, or a place in its line. Who has one is decided in the
plan's own document (``rules.places``); the system's steps bring its answer."""

from rules.exams import booking, results, telling
from rules.life.step import Step, each
from rules.matter import State

_T, _Q, _O, _B, _K, _R, _W, _F = (
    State.TAKING,
    State.WAITING,
    State.OFFERED,
    State.ACCEPTED,
    State.CONFIRMED,
    State.REFUSED,
    State.WITHDRAWN,
    State.FINISHED,
)
_IN_LINE, _HELD = (_Q, _O), (_B, _K)
_SAT = tuple(results.EVENTS.items())

ROWS: tuple[Step, ...] = (
    # asked for, and the answer of the plan's document
    Step(None, "apply", "citizen", "applied", _T, booking.may_apply),
    Step(None, "apply", "officer", "applied", _T, booking.may_apply),
    Step(_T, "seat", "system", "accepted", _B, booking.seated),
    Step(_T, "queue", "system", "queued", _Q),
    Step(_T, "turn_away", "system", "turned_away", _W, booking.turned_away),
    # in line
    Step(_Q, "offer", "system", "offered", _O, booking.offered),
    Step(_Q, "leave", "citizen", "left_line", _W),
    Step(_Q, "leave", "officer", "left_line", _W, booking.by_own_office),
    Step(_O, "accept", "citizen", "offer_accepted", _B, booking.accepts),
    Step(_O, "accept", "officer", "offer_accepted", _B, booking.accepts_at_office),
    Step(_O, "leave", "citizen", "offer_declined", _W),
    Step(_O, "leave", "officer", "offer_declined", _W, booking.by_own_office),
    Step(_O, "expire", "system", "offer_expired", _W),
    *each(_IN_LINE, "end_wait", "system", "wait_ended", _W),
    # a seat held: confirmed or refused when the plan closes
    Step(_B, "confirm", "system", "confirmed", _K, booking.still_fits),
    Step(_B, "refuse", "system", "refused", _R, booking.refusing),
    Step(_B, "refuse", "officer", "refused", _R, booking.refusing),
    *each(_HELD, "cancel", "citizen", "cancelled", _W, booking.leaving_open),
    *each(_HELD, "cancel", "officer", "cancelled_at_office", _W, booking.before_last_day),
    Step(_K, "remind", "system", "reminded", _K, booking.remind_of_test),
    # the office changed or cancelled the session
    *each((*_IN_LINE, *_HELD), "change", "system", "plan_changed", None, booking.changing),
    *each(_HELD, "accept_change", "citizen", "change_accepted", None, booking.change_open),
    *each(
        *(_HELD, "accept_change", "officer", "change_accepted", None),
        booking.change_open_at_office,
    ),
    *each((*_IN_LINE, *_HELD), "release", "system", "released", _W, booking.of_office),
    # he is no student any more, or one of another office: what he has not sat yet is let go
    *each((*_IN_LINE, *_HELD), "let_go", "system", "let_go", _W, booking.of_office),
    # no message reached him: the office called
    *each(
        *((*_IN_LINE, *_HELD, _R, _W), "note_told", "officer", telling.TOLD, None),
        telling.told_by_phone,
    ),
    # what came of it
    *(
        row
        for action, event in _SAT
        for by in ("exchange", "officer")
        for row in each(_HELD, action, by, event, _F, results.entered)
    ),
    Step(_F, "correct", "exchange", "result_corrected", _F, results.corrected),
    Step(_F, "correct", "officer", "result_corrected", _F, results.corrected),
)
