"""「委托」: mandates given and received, accepting and ending one, giving a new one (REQ A5).

Acting for somebody else is done in the mini-program: a chat shows its history to whoever holds the
phone.
"""

import re
from typing import Any

from bot.registration import offer
from bot.scene import Move, NotAnAnswer, Question, Scene, asks, back_to, end
from bot.wording import chosen, day, joined, numbered, refused
from casework import mandates
from casework.mandate_views import Choice, MandateView, options
from casework.mandates import NewMandate
from rules import id_number, names
from rules.forms import FieldProblem, read_date
from rules.masking import mask_name
from rules.refusals import Refusal

_MOST = 8
_CODE = re.compile(r"(?<!\d)\d{6}(?!\d)", re.ASCII)
_AGAIN = ("重发", "重新发送", "重新获取", "没收到", "再发一次", "收不到")
_SEVERAL = re.compile(r"[\d\s,，、和]+")
# What ending is called, by who ends it and how far the mandate has come.
_ENDS = {
    ("principal", "offered"): "choice_mandate_revoke",
    ("principal", "live"): "choice_mandate_revoke",
    ("agent", "offered"): "choice_mandate_decline",
    ("agent", "live"): "choice_mandate_give_up",
}


async def begin(scene: Scene) -> Move:
    """The mandates that may still do something, and the offer to give one."""
    if scene.citizen is None:
        return offer("", scene.say("mandate_needs_register"))
    mine = await mandates.mine(scene.ctx, scene.citizen)
    running = [m for m in (*mine.received, *mine.given) if m.actions][:_MOST]
    return Move("mandates.pick", {"mandates": [m.id for m in running]})


def _line(scene: Scene, view: MandateView) -> str:
    key = "mandate_given" if view.role == "principal" else "mandate_received"
    return scene.say(
        key,
        other=view.agent if view.role == "principal" else view.principal,
        relation=view.relation_label,
        scope="、".join(view.scope),
        until=view.until.isoformat(),
        standing=view.standing_label,
    )


async def _ask_pick(scene: Scene) -> str:
    lines = [
        _line(scene, await mandates.view(scene.ctx, scene.person, grant))
        for grant in scene.answers["mandates"]
    ]
    head = scene.say("ask_mandate") if lines else scene.say("no_mandates")
    return f"{head}\n{numbered([*lines, scene.say('choice_mandate_give')])}"


async def _take_pick(scene: Scene) -> Move:
    grants = scene.answers["mandates"]
    choice = chosen(scene.text, len(grants) + 1)
    if choice is None:
        raise NotAnAnswer(scene.say("choose_number"))
    if choice == len(grants):
        return Move("mandates.agent_number", {}, scene.say("mandate_intro"))
    return Move("mandates.one", {"mandate": grants[choice]})


def _deeds(view: MandateView) -> list[tuple[str, str]]:
    """(action, what it is called)."""
    called = {"accept": "choice_mandate_accept", "end": _ENDS.get((view.role, view.standing), "")}
    return [(action, called[action]) for action in view.actions]


async def _ask_one(scene: Scene) -> str:
    view = await mandates.view(scene.ctx, scene.person, scene.answers["mandate"])
    choices = [scene.say(key) for _, key in _deeds(view)]
    note = scene.say("mandate_act_elsewhere") if view.role == "agent" else ""
    return joined(_line(scene, view), note, numbered([*choices, scene.say("choice_mandate_keep")]))


async def _take_one(scene: Scene) -> Move:
    grant = scene.answers["mandate"]
    deeds = _deeds(await mandates.view(scene.ctx, scene.person, grant))
    choice = chosen(scene.text, len(deeds) + 1)
    if choice is None:
        raise NotAnAnswer(scene.say("choose_number"))
    if choice == len(deeds):
        return end(scene.say("closed"))
    if deeds[choice][0] == "accept":
        await mandates.accept(scene.ctx, scene.person, grant, scene.cause("accept"))
        return end(joined(scene.say("mandate_accepted"), scene.say("mandate_act_elsewhere")))
    ended = await mandates.end(scene.ctx, scene.person, grant, scene.cause("end"))
    return end(scene.say("mandate_ended", standing=ended.standing_label))


async def _back(scene: Scene) -> Move:
    return await begin(scene)


# -- giving one -------------------------------------------------------------------------------


async def _take_agent_number(scene: Scene) -> Move:
    number = id_number.normalise(scene.text, scene.ctx.today())
    return scene.go("mandates.agent_name", number=number)


async def _take_agent_name(scene: Scene) -> Move:
    return scene.go("mandates.relation", name=names.normalise(scene.text))


async def _ask_relation(scene: Scene) -> str:
    labels = [c.label for c in options(scene.ctx).relations]
    return f"{scene.say('ask_mandate_relation')}\n{numbered(labels)}"


async def _take_relation(scene: Scene) -> Move:
    choices = options(scene.ctx).relations
    choice = chosen(scene.text, len(choices))
    named = [c.value for c in choices if scene.text and scene.text in c.label]
    if choice is None and len(named) != 1:
        raise NotAnAnswer(scene.say("choose_number"))
    value = choices[choice].value if choice is not None else named[0]
    return scene.go("mandates.scope", relation=value)


def _scopes(scene: Scene) -> list[tuple[str, Choice]]:
    found = options(scene.ctx)
    return [("businesses", c) for c in found.businesses] + [("services", c) for c in found.services]


async def _ask_scope(scene: Scene) -> str:
    labels = [choice.label for _, choice in _scopes(scene)]
    return f"{scene.say('ask_mandate_scope')}\n{numbered(labels)}"


async def _take_scope(scene: Scene) -> Move:
    scopes = _scopes(scene)
    one = chosen(scene.text, len(scopes))
    picked = [one + 1] if one is not None else []
    if not picked and _SEVERAL.fullmatch(scene.text):
        picked = [int(n) for n in re.findall(r"\d+", scene.text)]
    if not picked or not all(1 <= n <= len(scopes) for n in picked):
        raise NotAnAnswer(scene.say("choose_number"))
    chose = [scopes[n - 1] for n in sorted(set(picked))]
    businesses, services = (
        [choice.value for of, choice in chose if of == kind] for kind in ("businesses", "services")
    )
    return scene.go("mandates.until", businesses=businesses, services=services)


async def _ask_until(scene: Scene) -> str:
    return scene.say("ask_mandate_until", latest=options(scene.ctx).latest.isoformat())


async def _take_until(scene: Scene) -> Move:
    try:
        until = read_date(scene.text)
    except FieldProblem as problem:
        raise NotAnAnswer(problem.reason) from problem
    wish = _wish({**scene.answers, "until": until.isoformat()})
    try:
        await mandates.check(scene.ctx, scene.person, wish)
    except Refusal as refusal:
        if refusal.code == "mandate-until-unfit":
            raise
        return end(refused(scene.ctx.book.texts, refusal))
    return await _send_code(scene, until=until.isoformat())


def _wish(answers: Any) -> NewMandate:
    return NewMandate(
        agent_id_number=answers["number"],
        agent_name=answers["name"],
        relation=answers["relation"],
        businesses=answers["businesses"],
        services=answers["services"],
        until=read_date(answers["until"]),
    )


async def _send_code(scene: Scene, **answers: Any) -> Move:
    sent = await mandates.send_code(scene.ctx, scene.person)
    said = scene.say("code_sent", phone=sent.phone, minutes=sent.minutes, hint=sent.hint)
    return scene.go("mandates.code", said, **answers)


async def _ask_code(scene: Scene) -> str:
    return scene.say("ask_mandate_code", agent=mask_name(scene.answers["name"]))


async def _take_code(scene: Scene) -> Move:
    if any(word in scene.text for word in _AGAIN):
        return await _send_code(scene)
    code = _CODE.search(scene.text.replace(" ", ""))
    if code is None:
        return scene.stay(scene.say("code_six_digits"))
    wish, cause = _wish(scene.answers), scene.cause("mandate")
    view = await mandates.give(scene.ctx, scene.person, wish, code[0], cause)
    return end(scene.say("mandate_offered", answer_by=day(view.answer_by)))


QUESTIONS = (
    Question("mandates.pick", _ask_pick, _take_pick),
    Question("mandates.one", _ask_one, _take_one, back=_back),
    Question("mandates.agent_number", asks("ask_mandate_number"), _take_agent_number, back=_back),
    Question(
        "mandates.agent_name",
        asks("ask_mandate_name"),
        _take_agent_name,
        back=back_to("mandates.agent_number"),
    ),
    Question(
        "mandates.relation", _ask_relation, _take_relation, back=back_to("mandates.agent_name")
    ),
    Question("mandates.scope", _ask_scope, _take_scope, back=back_to("mandates.relation")),
    Question("mandates.until", _ask_until, _take_until, back=back_to("mandates.scope")),
    Question("mandates.code", _ask_code, _take_code, back=back_to("mandates.until")),
)
