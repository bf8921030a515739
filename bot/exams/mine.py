"""「我的预约」, 「取消预约考试」, and the answer to an offer or a change (REQ B5, B7).

An offer is taken or declined by its word alone: it was asked for. Giving up a place that is held is
asked again first.
"""

from collections.abc import Awaitable, Callable, Sequence

from bot import progress
from bot.exams.reading import day_in, subject_in
from bot.exams.wording import booking_line, booking_text, on, sitting
from bot.scene import Move, NotAnAnswer, Question, Scene, end
from bot.wording import chosen, joined, numbered, refused
from casework.exams import leaving, listing
from casework.exams.views import BookingSummary, BookingView
from rules.refusals import Refusal

_Deed = Callable[[Scene, str], Awaitable[Move]]
_MOST = 8
ANSWERS = frozenset({"accept", "decline", "accept_change"})
"""Commands that answer an offer or a change of the plan, from anywhere."""

_DEEDS = {
    "accept": "choice_exam_accept",
    "accept_change": "choice_exam_accept_change",
    "leave": "choice_exam_leave",
    "cancel": "choice_exam_cancel",
}
_YES = ("确认", "确定", "是", "确认取消", "确定取消", "取消预约", "退出候补")
_NO = ("不", "否", "不取消", "不退出", "算了")
_CANCELS = ("取消", "退考", "取消预约", "取消考试", "退出候补", "退掉")


async def _live(scene: Scene) -> list[BookingSummary]:
    found = await listing.summaries(scene.ctx, scene.person)
    return [one for one in found if one.live][:_MOST]


async def my_exams(scene: Scene) -> Move:
    """What he has: one booking at once, several to choose from."""
    if scene.citizen is None:
        return end(scene.say("exam_needs_account"))
    found = await _live(scene)
    if not found:
        return end(scene.say("exam_none_mine"))
    if len(found) == 1:
        return Move("exams.one", {"number": found[0].number})
    return Move("exams.pick", {"numbers": [b.number for b in found], "then": "one"})


async def cancel(scene: Scene) -> Move:
    """Which one, then whether he means it."""
    if scene.citizen is None:
        return end(scene.say("exam_needs_account"))
    found = await _live(scene)
    if not found:
        return end(scene.say("exam_none_mine"))
    meant = _meant(scene, found)
    if len(meant) == 1:
        return await _leaving(scene, meant[0].number)
    return Move("exams.pick", {"numbers": [b.number for b in found], "then": "leave"})


def _meant(scene: Scene, found: list[BookingSummary]) -> list[BookingSummary]:
    """Those of the subject or the day he named; all when he named none he has."""
    subject, day = subject_in(scene.text), day_in(scene.text, scene.ctx.today())
    named = [b for b in found if b.subject == subject or b.day == day]
    return named or found


async def _ask_pick(scene: Scene) -> str:
    known = {b.number: b for b in await _live(scene)}
    lines = [
        booking_line(scene, known[n]) if n in known else scene.say("exam_over", number=n)
        for n in scene.answers["numbers"]
    ]
    key = "ask_exam_cancel_which" if scene.answers["then"] == "leave" else "ask_exam_which"
    return f"{scene.say(key)}\n{numbered(lines)}"


async def _take_pick(scene: Scene) -> Move:
    numbers = scene.answers["numbers"]
    choice = chosen(scene.text, len(numbers))
    if choice is None:
        raise NotAnAnswer(scene.say("choose_number"))
    if scene.answers["then"] == "leave":
        return await _leaving(scene, numbers[choice])
    return Move("exams.one", {"number": numbers[choice]})


# -- one booking ------------------------------------------------------------------------------


def _deeds(view: BookingView) -> list[str]:
    return [deed for deed in _DEEDS if deed in view.actions]


def _label(scene: Scene, view: BookingView, deed: str) -> str:
    if deed == "leave" and view.offer_until is not None:
        return scene.say("choice_exam_decline")
    return scene.say(_DEEDS[deed])


async def _ask_one(scene: Scene) -> str:
    view = await listing.booking(scene.ctx, scene.person, scene.answers["number"])
    labels = [_label(scene, view, deed) for deed in _deeds(view)]
    said = booking_text(scene, view)
    if not labels:
        return said
    return joined(said, numbered([*labels, scene.say("choice_exam_nothing")]))


async def _take_one(scene: Scene) -> Move:
    view = await listing.booking(scene.ctx, scene.person, scene.answers["number"])
    deeds = _deeds(view)
    if scene.text in progress.EVERY:
        return await progress.every(scene)
    if scene.text in _CANCELS:
        return await _leaving(scene, view.number)
    choice = chosen(scene.text, len(deeds) + 1)
    if choice is None or not deeds:
        raise NotAnAnswer(scene.say("choose_number" if deeds else "not_understood"))
    if choice == len(deeds):
        return end(scene.say("closed"))
    match deeds[choice]:
        case "accept":
            return await _accept(scene, view.number)
        case "accept_change":
            return await _accept_change(scene, view.number)
        case "leave" if view.offer_until is not None:
            return await _decline(scene, view.number)
    return await _leaving(scene, view.number)


async def _back(scene: Scene) -> Move:
    return await my_exams(scene)


# -- giving it up -----------------------------------------------------------------------------


async def _leaving(scene: Scene, number: str) -> Move:
    """The question whether he means it; where he cannot here, how and until when he can."""
    view = await listing.booking(scene.ctx, scene.person, number)
    if "leave" not in view.actions:
        try:
            await leaving.may_cancel(scene.ctx, scene.person, number)
        except Refusal as refusal:
            said = refused(scene.ctx.book.texts, refusal)
            return end(joined(sitting(view), said))
    return Move("exams.leave", {"number": number})


async def _ask_leave(scene: Scene) -> str:
    view = await listing.booking(scene.ctx, scene.person, scene.answers["number"])
    waits = "leave" in view.actions
    key = "ask_exam_leave_line" if waits else "ask_exam_cancel"
    yes = "choice_exam_leave" if waits else "choice_exam_cancel"
    choices = numbered([scene.say(yes), scene.say("choice_exam_keep")])
    return joined(scene.say(key, sitting=sitting(view), number=view.number), choices)


async def _take_leave(scene: Scene) -> Move:
    choice = chosen(scene.text, 2)
    if choice == 1 or scene.text in _NO:
        return end(scene.say("exam_kept"))
    if choice != 0 and scene.text not in _YES:
        raise NotAnAnswer(scene.say("choose_number"))
    number, cause = scene.answers["number"], scene.cause("leave")
    view = await listing.booking(scene.ctx, scene.person, number)
    if "leave" in view.actions:
        await leaving.leave(scene.ctx, scene.person, number, cause)
        return end(scene.say("exam_left_line", sitting=sitting(view)))
    await leaving.cancel(scene.ctx, scene.person, number, cause)
    return end(scene.say("exam_cancelled", sitting=sitting(view)))


# -- offers and changes -----------------------------------------------------------------------


async def answer(scene: Scene, word: str) -> Move | None:
    """What 接受, 放弃 or 接受变动 does to the offer or the change he has; None where there is
    nothing they could answer, so that they mean something else."""
    if scene.citizen is None:
        return None
    live = await _live(scene)
    offers = [b for b in live if b.offer_until is not None]
    changes = [b for b in live if b.changed]
    if word == "accept_change" or not offers:
        return await _only(scene, changes, _leaving if word == "decline" else _accept_change)
    return await _only(scene, offers, _accept if word == "accept" else _decline)


async def _only(scene: Scene, found: Sequence[BookingSummary], deed: _Deed) -> Move | None:
    if len(found) > 1:
        return Move("exams.pick", {"numbers": [b.number for b in found], "then": "one"})
    return await deed(scene, found[0].number) if found else None


async def _accept(scene: Scene, number: str) -> Move:
    try:
        view = await leaving.accept(scene.ctx, scene.person, number, scene.cause("accept"))
    except Refusal as refusal:
        return end(refused(scene.ctx.book.texts, refusal))
    return end(scene.say("exam_accepted", sitting=sitting(view), number=view.number))


async def _decline(scene: Scene, number: str) -> Move:
    view = await leaving.leave(scene.ctx, scene.person, number, scene.cause("leave"))
    return end(scene.say("exam_declined", sitting=sitting(view)))


async def _accept_change(scene: Scene, number: str) -> Move:
    cause = scene.cause("accept-change")
    view = await leaving.accept_change(scene.ctx, scene.person, number, cause)
    last = on(view.cancel_office_until)
    return end(scene.say("exam_change_accepted", sitting=sitting(view), office=last))


QUESTIONS = (
    Question("exams.pick", _ask_pick, _take_pick),
    Question("exams.one", _ask_one, _take_one, back=_back),
    Question("exams.leave", _ask_leave, _take_leave, back=_back),
)
