"""「我的车」: the vehicles the registry holds for the citizen, and letting go of them (REQ A4)."""

from dataclasses import dataclass

from bot.registration import offer
from bot.scene import Move, Question, Scene, end
from bot.wording import chosen, joined, listed, numbered, refused
from casework import me, window_bindings
from rules.refusals import Refusal

_LICENCE = "licence"


@dataclass(frozen=True)
class _Bound:
    """Something that can be unbound: the licence, or a vehicle by its id."""

    id: str
    label: str


async def begin(scene: Scene) -> Move:
    """His vehicles; when something is bound, what he may do about it."""
    if scene.citizen is None:
        return offer("", scene.say("me_needs_register"))
    try:
        shown = await _shown(scene)
    except Refusal as refusal:
        return end(refused(scene.ctx.book.texts, refusal))
    if not await _bound(scene):
        return end(joined(shown, scene.say("vehicles_bind")))
    return Move("vehicles.pick", {}, shown)


async def _shown(scene: Scene) -> str:
    found = await window_bindings.vehicles(scene.ctx, scene.person)
    lines = [
        scene.say(
            "vehicle_bound" if v.bound else "vehicle_unbound",
            plate=v.plate,
            kind=v.kind,
            status=v.status,
            office=v.registering_office,
        )
        for v in found
    ]
    return f"{scene.say('vehicles_head')}\n{listed(lines)}" if lines else scene.say("no_vehicles")


async def _bound(scene: Scene) -> list[_Bound]:
    vehicles = await window_bindings.vehicles(scene.ctx, scene.person)
    found = [_Bound(v.id, scene.say("unbind_vehicle", plate=v.plate)) for v in vehicles if v.bound]
    licences = await me.licences(scene.ctx, scene.person)
    label = scene.say("unbind_licence")
    return found + [_Bound(_LICENCE, label) for licence in licences if licence.bound]


async def _ask_pick(scene: Scene) -> str:
    labels = [b.label for b in await _bound(scene)]
    return f"{scene.say('what_next')}\n{numbered([*labels, scene.say('choice_not_now')])}"


async def _take_pick(scene: Scene) -> Move:
    bound = await _bound(scene)
    choice = chosen(scene.text, len(bound) + 1)
    if choice is None:
        return scene.stay(scene.say("choose_number"))
    if choice == len(bound):
        return end(scene.say("closed"))
    return scene.go("vehicles.sure", thing=bound[choice].id, label=bound[choice].label)


async def _ask_sure(scene: Scene) -> str:
    choices = [scene.say("choice_unbind_sure"), scene.say("choice_keep_bound")]
    return joined(scene.say("ask_unbind", what=scene.answers["label"]), numbered(choices))


async def _take_sure(scene: Scene) -> Move:
    choice = chosen(scene.text, 2)
    if choice is None:
        return scene.stay(scene.say("choose_number"))
    if choice == 1:
        return end(scene.say("kept_bound"))
    thing, cause = str(scene.answers["thing"]), scene.cause("unbind")
    if thing == _LICENCE:
        await window_bindings.unbind_licence(scene.ctx, scene.person, cause)
    else:
        await window_bindings.unbind_vehicle(scene.ctx, scene.person, thing, cause)
    return end(joined(scene.say("unbound"), await _shown(scene)))


QUESTIONS = (
    Question("vehicles.pick", _ask_pick, _take_pick),
    Question("vehicles.sure", _ask_sure, _take_sure),
)
