"""The home of the conversation: greeting, menu, and every wish said in free words."""

from bot import (
    application,
    closing,
    devices,
    exams,
    mandates,
    offices,
    privacy,
    progress,
    registration,
    services,
    switching,
    unbinding,
    vehicles,
)
from bot.intents import Intent, command, understand
from bot.registration import offer
from bot.scene import Move, Question, Scene, end
from bot.wording import chosen, day, joined, numbered, tidy
from casework import me as person
from casework.guide import services as all_services

HOME = "menu.pick"
EVERYWHERE = frozenset({
    "menu", "help", "progress", "register", "cancel", "resume", "services", "offices", "me",
    "vehicles", "privacy", "close", "mandates",
    "switch", "unbind", "devices", "sign_out",
    "book_exam", "cancel_exam", "my_exams", "exam_record", "exam_plans", "exam_sites",
})  # fmt: skip
"""Commands that work in the middle of any question."""

_BEGUN = ("registration.", "application.", "photo.", "booking.")
_ID_NUMBER = 18
_FEATURED = 3


def _entries(scene: Scene) -> list[tuple[str, str]]:
    """The menu: (label, wish); a wish is a command or ``service:<code>``."""
    open_ones = [
        (s.title, f"service:{s.code}")
        for s in all_services(scene.ctx)
        if s.kind == "reviewed" and s.status == "open"
    ]
    account = "me" if scene.citizen else "register"
    return [
        *open_ones[:_FEATURED],
        (scene.say("menu_book_exam"), "book_exam"),
        (scene.say("menu_cancel_exam"), "cancel_exam"),
        (scene.say("menu_progress"), "progress"),
        (scene.say(f"menu_{account}"), account),
        (scene.say("menu_services"), "services"),
        (scene.say("menu_offices"), "offices"),
        (scene.say("menu_help"), "help"),
    ]


def menu(scene: Scene) -> str:
    """The numbered menu."""
    return f"{scene.say('menu_head')}\n{numbered([label for label, _ in _entries(scene)])}"


async def on_event(scene: Scene) -> Move:
    """Following, scanning and the account's buttons."""
    key = scene.incoming.event_key.removeprefix("qrscene_")
    if scene.incoming.event == "click":
        return await _wish(scene, key)
    if key in {s.code for s in all_services(scene.ctx)}:
        return _aside(scene, Move("services.guide", {"service": key}))
    return _aside(scene, end(joined(scene.say("greeting"), menu(scene))))


async def _take(scene: Scene) -> Move:
    entries = _entries(scene)
    choice = chosen(scene.text, len(entries))
    if choice is not None:
        return await _wish(scene, entries[choice][1])
    return await _understood(scene, understand(scene.text, scene.ctx.book.catalogue))


async def wished(scene: Scene) -> Move | None:
    """What free words ask for; None when they are not understood."""
    intent = understand(scene.text, scene.ctx.book.catalogue)
    return None if intent.kind == "unknown" else await _understood(scene, intent)


async def _understood(scene: Scene, intent: Intent) -> Move:
    match intent.kind:
        case "command":
            return await obey(scene, intent.name)
        case "service":
            return await begin_service(scene, intent.name)
        case "guide":
            return Move("services.guide", {"service": intent.name})
        case "offer":
            return Move("menu.offer", {"services": list(intent.services)})
    bare = tidy(scene.text).replace(" ", "")
    if len(bare) == _ID_NUMBER and bare[:17].isdigit() and scene.citizen is None:
        return offer("", scene.say("id_number_unasked"))
    return end(joined(scene.say("not_understood"), menu(scene)))


async def _wish(scene: Scene, wish: str) -> Move:
    if wish.startswith("service:"):
        return await begin_service(scene, wish.removeprefix("service:"))
    return await obey(scene, wish if wish in EVERYWHERE else command(tidy(wish)) or "menu")


async def begin_service(scene: Scene, code: str) -> Move:
    """Begin what a citizen asked for by its name: a test is booked, all else applied for."""
    if scene.ctx.book.catalogue.find(code).kind == "booking":
        return await obey(scene, "book_exam")
    return await application.begin(scene, code)


async def answered(scene: Scene, word: str) -> Move | None:
    """An offer of a place, or a change of the plan, taken or not; None where there is none."""
    move = await exams.answer(scene, word)
    return _aside(scene, move) if move else None


async def obey(scene: Scene, word: str) -> Move:
    """Do what a command says; what it interrupts can be taken up again."""
    match word:
        case "cancel":
            return _cancel(scene)
        case "resume":
            return await _resume(scene)
        case "register":
            return _register(scene)
        case "progress" | "withdraw":
            return _aside(scene, await progress.begin(scene))
        case "services":
            return _aside(scene, services.begin(scene))
        case "offices":
            return _aside(scene, await offices.begin(scene))
        case "me":
            return _aside(scene, await _me(scene))
        case "vehicles":
            return _aside(scene, await vehicles.begin(scene))
        case "mandates":
            return _aside(scene, await mandates.begin(scene))
        case "switch":
            return _aside(scene, switching.begin(scene))
        case "unbind":
            return _aside(scene, await unbinding.begin(scene))
        case "devices":
            return _aside(scene, await devices.begin(scene))
        case "sign_out":
            return _aside(scene, await devices.sign_out_all(scene))
        case "book_exam":
            booking = await exams.book(scene)
            return booking if scene.at.startswith("booking.") else _aside(scene, booking)
        case "cancel_exam":
            return _aside(scene, await exams.cancel(scene))
        case "my_exams":
            return _aside(scene, await exams.my_exams(scene))
        case "exam_record":
            return _aside(scene, await exams.exam_record(scene))
        case "exam_plans":
            return _aside(scene, await exams.exam_plans(scene))
        case "exam_seats":
            seats = await exams.exam_seats(scene)
            return seats if scene.at.startswith("booking.") else _aside(scene, seats)
        case "exam_sites":
            return _aside(scene, await exams.exam_sites(scene))
        case "accept" | "decline" | "accept_change":
            return end(scene.say("exam_no_offer"))
        case "close":
            return _aside(scene, await closing.begin(scene))
        case "privacy":
            return _aside(scene, privacy.begin(scene))
        case "help":
            hotline = scene.ctx.book.texts.say("offices.hotline")
            return _aside(scene, end(scene.say("help", hotline=hotline)))
        case "thanks":
            return end(scene.say("welcome"))
        case "hello":
            return end(joined(scene.say("greeting"), menu(scene)))
    return _aside(scene, end(menu(scene)))


def _aside(scene: Scene, move: Move) -> Move:
    """The move, keeping what it interrupts: something begun, not something looked at."""
    if not scene.at.startswith(_BEGUN) or scene.paused is not None:
        return move
    flow, _, step = scene.at.partition(".")
    kept = {"flow": flow, "step": step, "answers": dict(scene.answers)}
    return Move(move.to, move.answers, move.said, move.citizen, paused=kept)


def _register(scene: Scene) -> Move:
    if scene.citizen is not None:
        return _aside(scene, registration.begin(scene))
    under_way = scene.at.startswith("registration.")
    return registration.begin(scene, str(scene.answers.get("then", "")) if under_way else "")


def _cancel(scene: Scene) -> Move:
    if scene.at == HOME and scene.paused is None:
        return end(scene.say("nothing_to_cancel"))
    stopped = scene.at
    if scene.paused is not None and not stopped.startswith(_BEGUN):
        stopped = str(scene.paused["flow"]) + "."
    keys = {
        "application.": "cancelled",
        "registration.": "cancelled_nothing_kept",
        "booking.": "exam_stopped",
    }
    key = next((key for flow, key in keys.items() if stopped.startswith(flow)), "closed")
    return Move(None, {}, scene.say(key), paused={})


async def _resume(scene: Scene) -> Move:
    if scene.paused is not None:
        at = f"{scene.paused['flow']}.{scene.paused['step']}"
        return Move(at, scene.paused["answers"], paused={})
    if scene.at == "application.part":
        return await application.go_on(scene)
    if scene.at != HOME:
        return scene.stay()
    return await progress.begin(scene)


async def _me(scene: Scene) -> Move:
    if scene.citizen is None:
        return offer("", scene.say("me_needs_register"))
    found = await person.me(scene.ctx, scene.citizen)
    licences = [
        scene.say(
            "me_licence",
            vehicle_class=x.vehicle_class,
            until=x.valid_until.isoformat(),
            office=x.issuing_office,
        )
        + (f"。{x.deferral}" if x.deferral else "")
        for x in found.licences
    ]
    who = scene.say("me", name=found.name, phone=found.phone, tiers="、".join(found.tier_labels))
    accounts = [
        scene.say("me_wechat", app=b.app_label, day=day(b.bound_at)) for b in found.bindings
    ]
    return end(joined(who, "\n".join([*licences, *accounts]), "\n".join(found.alerts)))


async def _ask_menu(scene: Scene) -> str:
    return ""


async def _ask_offer(scene: Scene) -> str:
    catalogue = scene.ctx.book.catalogue
    titles = [catalogue.find(code).title for code in scene.answers["services"]]
    return f"{scene.say('ask_offer')}\n{numbered([*titles, scene.say('choice_none')])}"


async def _take_offer(scene: Scene) -> Move:
    codes = scene.answers["services"]
    choice = chosen(scene.text, len(codes) + 1)
    if choice is None:
        return await _understood(scene, understand(scene.text, scene.ctx.book.catalogue))
    if choice == len(codes):
        return end(menu(scene))
    return await begin_service(scene, codes[choice])


QUESTIONS = (
    Question(HOME, _ask_menu, _take),
    Question("menu.offer", _ask_offer, _take_offer),
)
