"""Who could not be told what he must know before his test: the office calls him (REQ B4)."""

from collections.abc import Mapping
from typing import Any

from rules.exams.plan import SERVICE
from rules.guards import other_office
from rules.matter import Matter
from rules.notices import Notice, NoticeState
from rules.refusals import Refusal
from rules.requests import Request

MUST_KNOW = frozenset({"confirmed", "refused", "plan_changed", "released", "offered", "reminded"})
"""What others decided about his booking; what he did himself he knows."""

TOLD = "told_by_phone"
"""The event of an officer who told him."""

_LOST = frozenset({NoticeState.DEAD, NoticeState.UNDELIVERED})


def untold_place(matter: Matter, notices: Mapping[str, Notice]) -> str | None:
    """Where a booking stands among those whose student was not reached by the last message about
    it: office, day of the test, number, in this order. None where he was, be it by telephone, or
    nothing is lost yet.
    """
    if matter.service != SERVICE or not notices:
        return None
    last = max(notices.values(), key=lambda notice: notice.event)
    if last.state not in _LOST or last.template not in MUST_KNOW:
        return None
    told = matter.last(TOLD)
    if told is not None and told.id > last.event:
        return None
    return f"{matter.office}:{matter.form['day']}:{matter.number}"


def told_by_phone(request: Request) -> Mapping[str, Any] | Refusal:
    """An officer of the office that tests told the student himself, once for each piece of news. No
    word of the call is kept."""
    elsewhere = other_office(request)
    if elsewhere is not None:
        return elsewhere
    for event in reversed(request.present.timeline):
        if event.type in MUST_KNOW:
            return {}
        if event.type == TOLD:
            break
    return Refusal("step-not-possible", state="没有要告知的消息", action="note_told")
