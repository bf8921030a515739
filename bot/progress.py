"""Progress (进度) of the citizen's matters, and what he may do with one (REQ E2)."""

from bot import application
from bot.registration import offer
from bot.scene import Move, Question, Scene, end
from bot.wording import chosen, joined, numbered, progress
from casework import matters
from casework.views import MatterSummary
from rules.enrolments import SERVICE as ENROLMENT
from rules.exams.plan import SERVICE as EXAM_BOOKING
from rules.flow import ENDED
from rules.matter import State

_MOST = 9
# What an action of rules.flow is called here; what is not listed has its own place in the chat.
_DEEDS = {"submit": "choice_go_on", "urge": "choice_urge", "withdraw": "choice_withdraw"}
_WITHDRAW = ("撤回", "撤销", "撤掉", "删除")
_URGE = ("催办", "催一下", "催")
EVERY = ("全部", "全部办件", "其他", "列表", "都看看")
_GO_ON = ("继续", "补正", "修改", "接着办")


async def begin(scene: Scene) -> Move:
    """The one matter under way, else the list to choose from."""
    if scene.citizen is None:
        return offer("progress", scene.say("progress_needs_register"))
    found = (await matters.mine(scene.ctx, scene.citizen))[:_MOST]
    if not found:
        return end(scene.say("no_matters"))
    under_way = [m for m in found if m.state not in ENDED]
    # A student is one for years; what he asks for is the test he has booked.
    pressing = [m for m in under_way if not _is_student(m)] or under_way
    if len(pressing) != 1:
        return _list(found)
    others = len(found) - 1
    said = scene.say("other_matters", count=others) if others else ""
    return _shown(pressing[0], said)


def _is_student(one: MatterSummary) -> bool:
    """An enrolment that has nothing under way: approved, until the licence is issued."""
    return one.service == ENROLMENT and one.state == State.APPROVED


def _shown(one: MatterSummary, said: str = "") -> Move:
    """One matter; a booking has a place of its own, with its line, offer and last day."""
    at = "exams.one" if one.service == EXAM_BOOKING else "progress.matter"
    return Move(at, {"number": one.number}, said)


def _list(found: list[MatterSummary]) -> Move:
    if len(found) == 1:
        return _shown(found[0])
    return Move("progress.pick", {"numbers": [m.number for m in found]})


async def every(scene: Scene) -> Move:
    """All he has, to choose from."""
    return _list((await matters.mine(scene.ctx, scene.person))[:_MOST])


async def _ask_pick(scene: Scene) -> str:
    known = {m.number: m for m in await matters.mine(scene.ctx, scene.person)}
    rows = [known[n] for n in scene.answers["numbers"] if n in known]
    lines = [
        scene.say("matter_line", title=m.title, state=m.state_label, number=m.number) for m in rows
    ]
    return f"{scene.say('ask_matter')}\n{numbered(lines)}"


async def _take_pick(scene: Scene) -> Move:
    numbers = scene.answers["numbers"]
    choice = chosen(scene.text, len(numbers))
    if choice is None:
        found = next((n for n in numbers if n == scene.text.upper()), None)
    else:
        found = numbers[choice]
    known = {m.number: m for m in await matters.mine(scene.ctx, scene.person)}
    if found not in known:
        return scene.stay(scene.say("choose_number"))
    return _shown(known[found])


async def _ask_matter(scene: Scene) -> str:
    view = await matters.view(scene.ctx, scene.person, scene.answers["number"])
    deeds = [scene.say(key) for deed, key in _DEEDS.items() if deed in view.actions]
    said = progress(scene.ctx.book.texts, view)
    if not deeds:
        return said
    return joined(said, f"{scene.say('what_next')}\n{numbered(deeds)}")


async def _take_matter(scene: Scene) -> Move:
    if scene.text in EVERY:
        return await every(scene)
    number = scene.answers["number"]
    view = await matters.view(scene.ctx, scene.person, number)
    deeds = [deed for deed in _DEEDS if deed in view.actions]
    choice = chosen(scene.text, len(deeds))
    deed = deeds[choice] if choice is not None else _named(scene.text, deeds)
    match deed:
        case "submit":
            return await application.resume(scene, number)
        case "urge":
            await matters.urge(scene.ctx, scene.person, number, scene.cause("urge"))
            return end(scene.say("urged", title=view.title))
        case "withdraw":
            return scene.go("progress.withdraw")
    return scene.stay(scene.say("choose_number"))


def _named(text: str, deeds: list[str]) -> str | None:
    for words, deed in ((_WITHDRAW, "withdraw"), (_URGE, "urge"), (_GO_ON, "submit")):
        if deed in deeds and any(word in text for word in words):
            return deed
    return None


async def _ask_withdraw(scene: Scene) -> str:
    view = await matters.view(scene.ctx, scene.person, scene.answers["number"])
    key = "ask_discard" if view.state == "draft" else "ask_withdraw"
    choices = numbered([scene.say("choice_withdraw_sure"), scene.say("choice_keep")])
    return joined(scene.say(key, title=view.title, number=view.number), choices)


async def _take_withdraw(scene: Scene) -> Move:
    choice = chosen(scene.text, 2)
    if choice == 1 or scene.text in ("不", "不撤回", "否"):
        return end(scene.say("kept"))
    if choice != 0 and scene.text not in ("确认撤回", "是", "确认"):
        return scene.stay(scene.say("choose_number"))
    number = scene.answers["number"]
    view = await matters.withdraw(scene.ctx, scene.person, number, scene.cause("withdraw"))
    return end(scene.say("withdrawn", title=view.title))


async def _back(scene: Scene) -> Move:
    return await begin(scene)


QUESTIONS = (
    Question("progress.pick", _ask_pick, _take_pick),
    Question("progress.matter", _ask_matter, _take_matter, back=_back),
    Question("progress.withdraw", _ask_withdraw, _take_withdraw, back=_back),
)
