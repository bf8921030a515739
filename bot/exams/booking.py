"""「预约考试」: the subject, a session with a place (or one full, to stand in line), the deed.

What a student may book and why not is said by the rules; here it is only asked and worded.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.exams import pages
from bot.exams.reading import subject_in
from bot.exams.record import own_record
from bot.exams.wording import (
    cancelling,
    on_day_of,
    plan_line,
    record_head,
    sitting,
    standing,
    until,
)
from bot.scene import Move, NotAnAnswer, Question, Scene, end
from bot.wording import chosen, joined, numbered, refused
from casework.exams import booking as places
from casework.exams import listing, rights
from casework.exams.views import BookingView, PlanView, RecordView, SubjectView
from rules.refusals import Refusal

_YES = ("确认", "确定", "是", "好", "好的", "可以", "预约", "确认预约", "确认候补")
_NO = ("不", "否", "不要", "换一个", "换", "再看看")
_FULL_ONES = ("候补", "排队", "已满", "满的", "看已满的场次")
_FREE_ONES = ("看有名额的场次", "有名额的", "有名额")
_ANY = ("不限", "全部", "都看看", "所有", "重新看")
# After these there is no sense in looking at the session again; the next one may do.
_FILLED = frozenset({"plan-full", "plan-closed", "plan-unknown", "line-full"})


async def book(scene: Scene) -> Move:
    """Where he stands, then the subject: the one he named, or the only one he may book now."""
    record = await own_record(scene)
    if isinstance(record, Move):
        return record
    named = subject_in(scene.text)
    head = record_head(scene, record)
    wanted = [s for s in record.subjects if s.subject == named]
    open_ones = [s for s in record.subjects if _open(scene, s)]
    if not wanted and len(open_ones) == 1:
        wanted = open_ones
    if not wanted:
        return Move("booking.subject", {}, head)
    lines = "\n".join(standing(scene, s) for s in record.subjects)
    move = await _of_subject(scene, record, wanted[0])
    return replace(move, said=joined(head, lines, move.said))


def _open(scene: Scene, one: SubjectView) -> bool:
    """Whether he may book the subject today."""
    first = one.bookable_from
    waits = bool(one.why) or (first is not None and first > scene.ctx.today())
    return not (one.passed or one.booking or waits)


async def _ask_subject(scene: Scene) -> str:
    record = await listing.record(scene.ctx, scene.person)
    lines = [standing(scene, s) for s in record.subjects]
    return f"{scene.say('ask_exam_subject')}\n{numbered(lines)}"


async def _take_subject(scene: Scene) -> Move:
    record = await listing.record(scene.ctx, scene.person)
    choice = chosen(scene.text, len(record.subjects))
    named = subject_in(scene.text)
    for n, one in enumerate(record.subjects):
        if n == choice or (choice is None and one.subject == named):
            return await _of_subject(scene, record, one)
    raise NotAnAnswer(scene.say("choose_number"))


async def _of_subject(scene: Scene, record: RecordView, one: SubjectView) -> Move:
    """The sessions of a subject he may book; else why not, and the question again."""
    if one.booking:
        said = Refusal("already-booked", number=one.booking)
        return Move("exams.one", {"number": one.booking}, refused(scene.ctx.book.texts, said))
    try:
        await rights.must_be_bookable(scene.ctx, scene.person, one.subject)
    except Refusal as refusal:
        return end(refused(scene.ctx.book.texts, refusal))
    search = {
        "office": record.office.code if record.office else "",
        "subject": one.subject,
        "vehicle_class": record.vehicle_class,
        "since": scene.ctx.today().isoformat(),
    }
    return await _listed(scene, await pages.narrowed(scene, search) or search)


async def _listed(scene: Scene, search: Mapping[str, Any], said: str = "") -> Move:
    """The first page of a search; what finds nothing is widened: to the sessions that are full, of
    this day and site, then to any day and site."""
    search = {k: v for k, v in search.items() if k not in ("codes", "next", "plan")}
    narrow = bool(search.get("day") or search.get("site"))
    only = search.get("only", pages.FREE)
    page = await pages.found(scene, {**search, "only": only})
    if not page["codes"] and only == pages.FREE:
        page = await pages.found(scene, {**search, "only": pages.FULL})
        said = joined(said, scene.say("exam_none_free")) if page["codes"] else said
    if page["codes"]:
        return Move("booking.pick", page, said)
    if narrow:
        wide = {**search, "day": "", "site": "", "only": pages.FREE}
        return await _listed(scene, wide, joined(said, scene.say("exam_none_there")))
    if only == pages.FULL:
        wide = {**search, "only": pages.FREE}
        return await _listed(scene, wide, joined(said, scene.say("exam_none_full")))
    return end(joined(said, scene.say("exam_no_plans")))


def _choices(scene: Scene) -> list[tuple[str, str]]:
    """What can be chosen behind the sessions: (label, what follows)."""
    search = scene.answers
    found = [(scene.say("choice_more"), "more")] if search["next"] else []
    if search["only"] == pages.FREE:
        found.append((scene.say("choice_exam_full"), "full"))
    else:
        found.append((scene.say("choice_exam_free"), "free"))
    return found


async def _ask_pick(scene: Scene) -> str:
    lines = [plan_line(scene, plan) for plan in await pages.shown(scene)]
    labels = [label for label, _ in _choices(scene)]
    head = scene.say("ask_exam_plan" if scene.answers["only"] == pages.FREE else "ask_exam_line")
    return f"{head}\n{numbered([*lines, *labels])}\n{scene.say('exam_narrow')}"


async def _take_pick(scene: Scene) -> Move:
    codes, choices = scene.answers["codes"], _choices(scene)
    choice = chosen(scene.text, len(codes) + len(choices))
    if choice is not None and choice < len(codes):
        return await _picked(scene, codes[choice])
    what = choices[choice - len(codes)][1] if choice is not None else _said(scene.text)
    search = scene.answers
    if what == "more":
        return await pages.following(scene, "booking.pick")
    if what in (pages.FREE, pages.FULL):
        return await _listed(scene, {**search, "only": what})
    if what == "any":
        return await _listed(scene, {**search, "day": "", "site": "", "only": pages.FREE})
    narrower = await pages.narrowed(scene, search)
    if narrower is not None:
        return await _listed(scene, {**narrower, "only": pages.FREE})
    if subject_in(scene.text) not in (None, search["subject"]):
        return await book(scene)
    raise NotAnAnswer(scene.say("exam_not_read"))


def _said(text: str) -> str:
    words = {"more": pages.MORE, pages.FULL: _FULL_ONES, pages.FREE: _FREE_ONES, "any": _ANY}
    return next((what for what, said in words.items() if text in said), "")


async def _picked(scene: Scene, code: str) -> Move:
    plan = await listing.plan(scene.ctx, code)
    if plan.status != "open":
        said = refused(scene.ctx.book.texts, Refusal("plan-closed"))
        return await _listed(scene, scene.answers, said)
    wants = "seat" if plan.bookable else "line"
    return scene.go("booking.sure", plan=code, wants=wants, seen=_seen(plan))


def _seen(plan: PlanView) -> list[str]:
    """What he agrees to: when and where."""
    return [plan.day.isoformat(), plan.starts, plan.ends, plan.site_name]


async def _ask_sure(scene: Scene) -> str:
    plan = await listing.plan(scene.ctx, scene.answers["plan"])
    if scene.answers["wants"] == "seat":
        summary = scene.say("exam_summary", sitting=sitting(plan), left=plan.left)
        note = scene.say("exam_cancel_until", online=until(plan.closes_at))
        yes = scene.say("choice_exam_book")
    else:
        summary = scene.say("exam_line_summary", sitting=sitting(plan), position=plan.waiting + 1)
        note = scene.say("exam_line_until", until=until(plan.closes_at))
        yes = scene.say("choice_exam_wait")
    return joined(summary, note, numbered([yes, scene.say("choice_exam_other")]))


async def _take_sure(scene: Scene) -> Move:
    choice = chosen(scene.text, 2)
    if choice == 1 or scene.text in _NO:
        return await _listed(scene, scene.answers)
    if choice != 0 and scene.text not in _YES:
        raise NotAnAnswer(scene.say("choose_number"))
    plan, texts = scene.answers["plan"], scene.ctx.book.texts
    seen = _seen(await listing.plan(scene.ctx, plan))
    if seen != scene.answers["seen"]:
        # The office changed it since it was shown: he did not agree to that.
        return scene.stay(scene.say("exam_plan_moved"), seen=seen)
    verb = places.book if scene.answers["wants"] == "seat" else places.wait
    try:
        view = await verb(scene.ctx, scene.person, plan, scene.cause("book"), "chat")
    except Refusal as refusal:
        said = refused(texts, refusal)
        if refusal.code in _FILLED:
            return await _listed(scene, scene.answers, said)
        if refusal.code == "already-booked":
            return Move("exams.one", {"number": refusal.params["number"]}, said)
        if refusal.code in ("too-many-tries", "busy-try-again"):
            raise
        return end(said)
    return end(_booked(scene, view))


def _booked(scene: Scene, view: BookingView) -> str:
    """What he has now, what happens next, until when it can be cancelled."""
    if view.position is not None:
        return joined(
            scene.say(
                "exam_waiting", sitting=sitting(view), number=view.number, position=view.position
            ),
            scene.say("exam_waiting_next"),
        )
    return joined(
        scene.say("exam_booked", sitting=sitting(view), number=view.number),
        scene.say("exam_booked_next", day=on_day_of(view.told_by)),
        cancelling(scene, view),
    )


async def _back_to_subject(scene: Scene) -> Move:
    return Move("booking.subject", {})


async def _back_to_list(scene: Scene) -> Move:
    return await _listed(scene, scene.answers)


QUESTIONS = (
    Question("booking.subject", _ask_subject, _take_subject),
    Question("booking.pick", _ask_pick, _take_pick, back=_back_to_subject),
    Question("booking.sure", _ask_sure, _take_sure, back=_back_to_list),
)
