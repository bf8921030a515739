"""「解绑」: this WeChat forgets the citizen, after a question whether it is really wanted."""

from bot import vehicles
from bot.registration import offer
from bot.scene import Move, NotAnAnswer, Question, Scene, end
from bot.wording import chosen, joined, numbered
from casework import wechat_bindings


async def begin(scene: Scene) -> Move:
    """Ask what is to be unbound: the WeChat account, or the licence and vehicles."""
    if scene.citizen is None:
        return offer("", scene.say("me_needs_register"))
    if scene.incoming.citizen:
        return end(scene.say("unbind_in_app"))
    return Move("unbinding.sure")


async def _ask_sure(scene: Scene) -> str:
    choices = ("choice_unbind_wechat", "choice_unbind_vehicles", "choice_keep_bound")
    return joined(scene.say("ask_unbind_wechat"), numbered([scene.say(c) for c in choices]))


async def _take_sure(scene: Scene) -> Move:
    match chosen(scene.text, 3):
        case 0:
            app = scene.incoming.app
            await wechat_bindings.unbind(scene.ctx, scene.person.key, app)
            return Move(None, {}, scene.say("wechat_unbound"), paused={}, left=True)
        case 1:
            return await vehicles.begin(scene)
        case 2:
            return end(scene.say("closed"))
    raise NotAnAnswer(scene.say("choose_number"))


QUESTIONS = (Question("unbinding.sure", _ask_sure, _take_sure),)
