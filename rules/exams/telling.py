"""Who could not be told what he must know before his test: the office calls him (REQ B4)."""

from collections.abc import Mapping

from rules.exams.plan import SERVICE
from rules.matter import Matter
from rules.notices import Notice, NoticeState

MUST_KNOW = frozenset({"confirmed", "refused", "plan_changed", "released", "offered", "reminded"})
"""What others decided about his booking; what he did himself he knows."""

_LOST = frozenset({NoticeState.DEAD, NoticeState.UNDELIVERED})


def untold_place(matter: Matter, notices: Mapping[str, Notice]) -> str | None:
    """Where a booking stands among those whose student was not reached by the last message about
    it: office, day of the test, number, in this order. None where he was, or nothing is lost yet.
    """
    if matter.service != SERVICE or not notices:
        return None
    last = max(notices.values(), key=lambda notice: notice.event)
    if last.state not in _LOST or last.template not in MUST_KNOW:
        return None
    return f"{matter.office}:{matter.form['day']}:{matter.number}"
