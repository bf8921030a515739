"""「我的设备」「退出其他设备」: where the citizen is logged in, and signing out there."""

from bot.registration import offer
from bot.scene import Move, Question, Scene, end
from bot.wording import chosen, joined, numbered
from casework import logins
from casework.logins import DeviceView


async def begin(scene: Scene) -> Move:
    """The devices, to be signed out by their number."""
    if scene.citizen is None:
        return offer("", scene.say("me_needs_register"))
    if not await logins.listed(scene.ctx, scene.citizen):
        return end(scene.say("no_devices"))
    return Move("devices.pick")


async def sign_out_all(scene: Scene) -> Move:
    """Sign out all devices: the chat itself is none."""
    if scene.citizen is None:
        return offer("", scene.say("me_needs_register"))
    if scene.incoming.citizen:
        return end(scene.say("devices_in_app"))
    await logins.sign_out_others(scene.ctx, scene.citizen.key, None)
    return end(scene.say("devices_signed_out"))


async def _ask_pick(scene: Scene) -> str:
    found = await logins.listed(scene.ctx, scene.person)
    lines = [_line(scene, device) for device in found]
    return joined(scene.say("devices_head"), numbered([*lines, scene.say("choice_all_devices")]))


def _line(scene: Scene, device: DeviceView) -> str:
    key = "device" if device.state == "signed_in" else "device_reused"
    return scene.say(
        key,
        name=device.name or scene.say("device_nameless"),
        app=device.app_label,
        since=device.since.isoformat(),
        seen=device.seen.isoformat(),
    )


async def _take_pick(scene: Scene) -> Move:
    found = await logins.listed(scene.ctx, scene.person)
    choice = chosen(scene.text, len(found) + 1)
    if choice is None:
        return scene.stay(scene.say("choose_number"))
    if choice == len(found):
        return await sign_out_all(scene)
    device = found[choice]
    await logins.sign_out_device(scene.ctx, scene.person.key, device.id)
    said = scene.say("device_signed_out", name=device.name or scene.say("device_nameless"))
    return scene.stay(said) if len(found) > 1 else end(said)


QUESTIONS = (Question("devices.pick", _ask_pick, _take_pick),)
