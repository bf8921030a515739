"""「考试计划」: the published sessions of an office, for everybody (REQ B1)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.exams import pages
from bot.exams.booking import book
from bot.exams.reading import subject_in
from bot.exams.wording import on, plan_line, short, sitting, until
from bot.scene import Move, NotAnAnswer, Question, Scene
from bot.wording import chosen, joined, numbered
from casework.exams import listing, rights, sites
from casework.exams.views import SiteView
from casework.offices import offices
from casework.views import OfficeView
from rules.exams.plan import Subject
from rules.refusals import Refusal
from rules.regions import Region

_ABOUT = re.compile("的?(考试计划|考试安排|考场).*")


async def exam_plans(scene: Scene) -> Move:
    """The office that tests him, or the city he names; then the subject."""
    return await _begin(scene, "subject")


async def exam_seats(scene: Scene) -> Move:
    """Whether there are places: a student can take one at once, everybody else may look."""
    if scene.citizen is not None:
        try:
            await rights.must_be_student(scene.ctx, scene.citizen)
        except Refusal:
            return await exam_plans(scene)
        return await book(scene)
    return await exam_plans(scene)


async def exam_sites(scene: Scene) -> Move:
    """The sites of the office that tests him, or of the city he names."""
    return await _begin(scene, "sites")


async def _begin(scene: Scene, then: str) -> Move:
    scene = replace(scene, answers={"then": then, "asked": scene.text})
    named = _region(scene)
    if named is not None:
        return await _of_region(scene, named.code)
    if scene.citizen is not None:
        try:
            record = await listing.record(scene.ctx, scene.citizen)
        except Refusal:
            # Whoever is no student may still look.
            return Move("plans.city", scene.answers)
        if record.office is not None:
            return await _of_office(scene, record.office, record.vehicle_class)
    return Move("plans.city", scene.answers)


def _region(scene: Scene) -> Region | None:
    return scene.ctx.book.regions.named_in(_ABOUT.sub("", scene.text))


async def _ask_city(scene: Scene) -> str:
    return scene.say("ask_exam_city")


async def _take_city(scene: Scene) -> Move:
    region = _region(scene)
    if region is None:
        raise NotAnAnswer(scene.say("exam_city_unknown"))
    return await _of_region(scene, region.code)


async def _of_region(scene: Scene, region: str) -> Move:
    found = await offices(scene.ctx, region, "vehicle_office")
    if not found:
        return Move("plans.city", scene.answers, scene.say("exam_city_unknown"))
    if len(found) == 1:
        return await _of_office(scene, found[0])
    return scene.go("plans.office", offices=[o.code for o in found], region=region)


async def _ask_office(scene: Scene) -> str:
    return f"{scene.say('ask_exam_office')}\n{numbered([o.name for o in await _offices(scene)])}"


async def _offices(scene: Scene) -> list[OfficeView]:
    found = await offices(scene.ctx, scene.answers["region"], "vehicle_office")
    return [o for o in found if o.code in scene.answers["offices"]]


async def _take_office(scene: Scene) -> Move:
    found = await _offices(scene)
    return await _of_office(scene, found[_one_of(scene, [office.name for office in found])])


async def _of_office(scene: Scene, office: OfficeView, vehicle_class: str = "") -> Move:
    answers = {"office": office.code, "name": office.name, "vehicle_class": vehicle_class}
    if scene.answers.get("then") == "sites":
        return await _sites(scene, answers)
    # What was asked before the city or the office: the subject and the day need no saying twice.
    scene = replace(scene, text=scene.answers.get("asked", scene.text))
    subject = subject_in(scene.text)
    if subject is None:
        return Move("plans.subject", answers)
    return await _listed(scene, await _narrowed(scene, {**answers, "subject": subject.value}))


async def _narrowed(scene: Scene, search: Mapping[str, Any]) -> Mapping[str, Any]:
    since = scene.ctx.today().isoformat()
    return await pages.narrowed(scene, {**search, "since": since}) or search


async def _ask_subject(scene: Scene) -> str:
    labels = [scene.ctx.book.texts.say(f"exams.subjects.{s}") for s in Subject]
    head = scene.say("ask_exam_plans", office=scene.answers["name"])
    return f"{head}\n{numbered([*labels, scene.say('choice_exam_sites')])}"


async def _take_subject(scene: Scene) -> Move:
    choice = chosen(scene.text, len(Subject) + 1)
    if choice == len(Subject) or "考场" in scene.text:
        return await _sites(scene, scene.answers)
    subject = list(Subject)[choice] if choice is not None else subject_in(scene.text)
    if subject is None:
        raise NotAnAnswer(scene.say("choose_number"))
    return await _listed(scene, {**scene.answers, "subject": subject.value})


async def _sites(scene: Scene, answers: Mapping[str, Any]) -> Move:
    if not await sites.sites(scene.ctx, answers["office"]):
        said = scene.say("exam_no_sites", office=answers["name"])
        return Move("plans.subject", answers, said)
    return Move("plans.sites", answers)


async def _ask_sites(scene: Scene) -> str:
    found = await sites.sites(scene.ctx, scene.answers["office"])
    head = scene.say("exam_sites_head", office=scene.answers["name"])
    return f"{head}\n{numbered([s.name for s in found])}"


async def _take_sites(scene: Scene) -> Move:
    found = await sites.sites(scene.ctx, scene.answers["office"])
    return scene.stay(_site(scene, found[_one_of(scene, [site.name for site in found])]))


def _one_of(scene: Scene, names: Sequence[str]) -> int:
    """Which of the names is meant, by its number or a part of it that no other has."""
    choice = chosen(scene.text, len(names))
    named = [n for n, name in enumerate(names) if scene.text in name]
    if choice is None and len(named) != 1:
        raise NotAnAnswer(scene.say("choose_number"))
    return named[0] if choice is None else choice


def _site(scene: Scene, site: SiteView) -> str:
    subjects = "、".join(short(scene, subject) for subject in site.subjects)
    more = (
        ("exam_site_layout", site.layout),
        ("exam_site_route", site.route),
        ("exam_site_process", site.process),
    )
    return joined(
        scene.say(
            "exam_site",
            name=site.name,
            address=site.address,
            phone=site.phone,
            hours=site.hours,
            subjects=subjects,
            most=site.daily_capacity,
        ),
        "\n".join(
            scene.say("exam_site_more", what=scene.say(key), text=text)
            for key, text in more
            if text
        ),
    )


async def _listed(scene: Scene, search: Mapping[str, Any]) -> Move:
    today = scene.ctx.today().isoformat()
    page = await pages.found(scene, {**search, "since": today, "only": pages.ALL})
    if page["codes"]:
        return Move("plans.pick", page)
    if search.get("day") or search.get("site"):
        wide = {**search, "day": "", "site": ""}
        return (await _listed(scene, wide)).saying(scene.say("exam_none_there"))
    return Move("plans.subject", search, scene.say("exam_no_plans"))


async def _ask_pick(scene: Scene) -> str:
    found = await pages.shown(scene)
    every = not scene.answers["vehicle_class"]
    lines = [plan_line(scene, p) + (f" {p.vehicle_class}" if every else "") for p in found]
    if scene.answers["next"]:
        lines.append(scene.say("choice_more"))
    head = scene.say("exam_plans_head", office=scene.answers["name"])
    return f"{head}\n{numbered(lines)}\n{scene.say('exam_narrow')}"


async def _take_pick(scene: Scene) -> Move:
    codes, after = scene.answers["codes"], scene.answers["next"]
    choice = chosen(scene.text, len(codes) + bool(after))
    if choice is not None and choice < len(codes):
        return scene.stay(await _details(scene, codes[choice]))
    if choice is not None or scene.text in pages.MORE:
        return await pages.following(scene, "plans.pick")
    narrower = await pages.narrowed(scene, scene.answers)
    if narrower is None:
        raise NotAnAnswer(scene.say("exam_not_read"))
    return await _listed(scene, narrower)


async def _details(scene: Scene, code: str) -> str:
    """One session whole: places, line, closing, results."""
    plan = await listing.plan(scene.ctx, code)
    done = plan.outcomes
    results = scene.say(
        "exam_plan_results",
        passed=done.get("passed", 0),
        failed=done.get("failed", 0),
        missed=done.get("missed", 0),
    )
    return joined(
        scene.say(
            "exam_plan",
            sitting=sitting(plan),
            vehicle_class=plan.vehicle_class,
            capacity=plan.capacity,
            booked=plan.booked,
            left=plan.left,
            waiting=plan.waiting,
            until=until(plan.closes_at),
            published=on(plan.published_at.date()),
            status=plan.status_label,
        ),
        results if done else "",
    )


async def _back_to_subject(scene: Scene) -> Move:
    kept = {k: scene.answers[k] for k in ("office", "name", "vehicle_class")}
    return Move("plans.subject", kept)


async def _back_to_city(scene: Scene) -> Move:
    return Move("plans.city", {"then": scene.answers.get("then", "subject")})


QUESTIONS = (
    Question("plans.city", _ask_city, _take_city),
    Question("plans.office", _ask_office, _take_office, back=_back_to_city),
    Question("plans.subject", _ask_subject, _take_subject, back=_back_to_city),
    Question("plans.sites", _ask_sites, _take_sites, back=_back_to_subject),
    Question("plans.pick", _ask_pick, _take_pick, back=_back_to_subject),
)
