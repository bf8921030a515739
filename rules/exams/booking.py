"""Booking a test: what must hold before each step of a booking, beside rules.guards.

A booking's form is the session it is for, as ``Plan.sitting`` wrote it. Whether there is a place is
not decided here but in the plan's own document (``rules.places``); the system's steps bring its
answer. Who may book at all are the conditions of ``exam-booking`` (``rules.exams.conditions``).
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from rules.conditions import unmet
from rules.deadlines import house_time, say_date
from rules.exams.days import last_office_day, told_by
from rules.guards import other_office, reason_given, remind_once
from rules.matter import Matter, State
from rules.openings import not_open
from rules.permissions import tier_refusal
from rules.refusals import Refusal
from rules.requests import Request

HELD = frozenset({State.ACCEPTED, State.CONFIRMED})
"""A seat is his, and the test is to come."""

SEATED = HELD | {State.FINISHED}
"""A seat is his, or was until there was a result."""


def may_apply(request: Request) -> Mapping[str, Any] | Refusal:
    """A student asks for a place in a plan or in its line (``given["wants"]``: seat, line); or an
    officer of its office does for who stands there or calls (162令 第三十九条)."""
    plan, facts = request.facts.plan, request.facts
    if plan is None:
        return Refusal("plan-unknown")
    if request.actor.kind == "officer" and request.actor.office != plan.office:
        return Refusal("wrong-office", office=plan.office)
    refusal = tier_refusal(
        facts.tiers, request.service.who.business, request.service.title, request.book.texts
    ) or not_open(request.service, facts.today, plan.region, request.book.texts)
    if refusal is not None:
        return refusal
    unfit = _unfit(request, plan.sitting())
    if unfit is not None:
        return unfit
    if plan.status != "open" or request.now >= plan.closes_at:
        return Refusal("plan-closed")
    return {
        "applicant": request.given["applicant"],
        "subject": request.given["subject"],
        "office": plan.office,
        "channel": request.given["channel"],
        "wants": request.given["wants"],
        "sitting": plan.sitting(),
        "enrolment": facts.record.enrolment if facts.record else "",
    }


def _unfit(request: Request, sitting: Mapping[str, str]) -> Refusal | None:
    found = unmet(request.service, request.facts, sitting, request.book.parameters)
    return found[0] if found else None


def seated(request: Request) -> Mapping[str, Any] | Refusal:
    """A place was taken: the result is told by the day the law leaves for it (REQ B4)."""
    return {"due": _told(request)}


def turned_away(request: Request) -> Mapping[str, Any] | Refusal:
    """No place: ``given["why"]`` says full, line_full, closed or gone."""
    return {"why": request.given["why"]}


def still_fits(request: Request) -> Mapping[str, Any] | Refusal:
    """At the closing of the plan everything is decided again, on what is known then."""
    return _unfit(request, request.present.form) or {}


def before_closing(request: Request) -> Mapping[str, Any] | Refusal:
    """Online until the plan closes; after that at the office only, while it still can (article;
    REQ B5)."""
    if request.now < datetime.fromisoformat(request.present.form["closes_at"]):
        return {}
    last = last_office_day(day_of(request.present), request.book.parameters)
    late = request.facts.today > last
    return Refusal("cancel-too-late" if late else "cancel-at-office", last_day=say_date(last))


def before_last_day(request: Request) -> Mapping[str, Any] | Refusal:
    """At the office with the original ID card, at least a day before (162令 第四十六条; a working
    day by 第一百一十条). ``given["checked"]``: the original was looked at."""
    refusal = other_office(request)
    if refusal is not None:
        return refusal
    if not request.given.get("checked"):
        return Refusal("original-not-checked")
    last = last_office_day(day_of(request.present), request.book.parameters)
    if request.facts.today > last:
        return Refusal("cancel-too-late", last_day=say_date(last))
    return {}


def refusing(request: Request) -> Mapping[str, Any] | Refusal:
    """Not confirmed, with the reason: an officer's, or the rule's that did not hold at closing."""
    if request.actor.kind == "officer":
        return reason_given(request)
    return {"reason": request.given["reason"]}


def offered(request: Request) -> Mapping[str, Any] | Refusal:
    """The next in line is offered a place until a moment that his plan's document set."""
    return {"until": request.given["until"]}


def accepts(request: Request) -> Mapping[str, Any] | Refusal:
    """Accepting an offer decides again (DESIGN §2)."""
    return _unfit(request, request.present.form) or {"due": _told(request)}


def changing(request: Request) -> Mapping[str, Any] | Refusal:
    """The office changed the plan: the booking goes with it, and he may leave freely."""
    plan = request.facts.plan
    if plan is None:
        return Refusal("plan-unknown")
    if plan.sitting() == dict(request.present.form):
        return Refusal("step-not-possible", state="计划未变", action="change")
    due = request.given.get("until") if request.present.state is State.OFFERED else None
    if request.present.state is State.ACCEPTED:
        due = told_by(plan.day, request.book.parameters).isoformat()
    return {"sitting": plan.sitting(), "reason": request.given.get("reason", ""), "due": due}


def change_open(request: Request) -> Mapping[str, Any] | Refusal:
    """A change of the plan can be accepted until the test, once."""
    if not change_unanswered(request.present):
        return Refusal("step-not-possible", state="没有待确认的变动", action="accept_change")
    return {}


def leaving_open(request: Request) -> Mapping[str, Any] | Refusal:
    """After a change of the plan he may leave online until the day before the test, at no cost."""
    matter = request.present
    if not change_unanswered(matter):
        return before_closing(request)
    if request.facts.today >= day_of(matter):
        return Refusal("cancel-too-late", last_day=say_date(day_of(matter) - timedelta(days=1)))
    return {}


def change_unanswered(matter: Matter) -> bool:
    """Whether the office changed the plan and the student has not accepted it since."""
    for event in reversed(matter.timeline):
        if event.type in ("change_accepted", "offer_accepted"):
            return False
        if event.type == "plan_changed":
            return True
    return False


def possible_now(
    matter: Matter, actions: Sequence[str], now: datetime, today: date
) -> tuple[str, ...]:
    """Of the steps the table holds for a student those the hour leaves him: what ``leaving_open``
    and ``change_open`` would not refuse."""
    unanswered = change_unanswered(matter)
    closed = now >= datetime.fromisoformat(matter.form["closes_at"])
    over = today >= day_of(matter) if unanswered else closed
    hidden = {"cancel"} if over else set()
    if not unanswered:
        hidden.add("accept_change")
    return tuple(action for action in actions if action not in hidden)


def of_office(request: Request) -> Mapping[str, Any] | Refusal:
    """The reason of what the office does to a booking, if it gives one."""
    return {"reason": request.given.get("reason", "")}


def day_of(matter: Matter) -> date:
    """The day of the test booked."""
    return date.fromisoformat(matter.form["day"])


def _told(request: Request) -> str:
    return told_by(day_of(request.present), request.book.parameters).isoformat()


def begins(matter: Matter) -> datetime:
    """When the test booked begins (UTC)."""
    return house_time(day_of(matter), time.fromisoformat(matter.form["starts"]))


def remind_of_test(request: Request) -> Mapping[str, Any] | Refusal:
    """Once, and not any more when the test has begun."""
    refusal = remind_once(request)
    if isinstance(refusal, Refusal):
        return refusal
    if request.now >= begins(request.present):
        return Refusal("step-not-possible", state="考试已开始", action="remind")
    return {}


def by_own_office(request: Request) -> Mapping[str, Any] | Refusal:
    """An officer of the office that tests does it for who stands there or calls."""
    return other_office(request) or {}


def accepts_at_office(request: Request) -> Mapping[str, Any] | Refusal:
    """An officer takes the offer for who stands there or calls, and wants it."""
    return other_office(request) or accepts(request)


def change_open_at_office(request: Request) -> Mapping[str, Any] | Refusal:
    """An officer notes that who stands there or calls comes as the plan now says."""
    return other_office(request) or change_open(request)
