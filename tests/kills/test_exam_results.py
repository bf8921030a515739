"""An import of results is killed between a booking's result and the student's record; whoever comes
next finishes it, nothing is entered or told twice."""

import csv
import secrets
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from casework import steps
from casework.context import Context
from casework.exams.attending import attend
from casework.exams.booking import book
from casework.exams.listing import plan
from rules.matter import State
from rules.people import Citizen
from storage.engines import EngineUrls
from tests.casework.exams import enrolment, learner, published
from tests.kills.houses import KILLED
from tests.support.processes import House
from tests.support.story import look, until

POINTS = ("after-matter-write:1", "after-matter-write:2", "after-onward:1", "after-effect:3")
"""After the booking's result, after the record's entry, before the effect is struck off, and while
what follows of the record is told."""


async def sat(ctx: Context) -> list[Citizen]:
    """Who sits subject two today, as the last one each has to pass."""
    past = replace(ctx, clock=lambda: ctx.clock() - timedelta(days=20))
    people = [await learner(past, n, passed="134") for n, _ in enumerate(POINTS, 1)]
    await published(past, capacity=len(POINTS))
    for who in people:
        await book(past, who, "K2-1", "a", "mini")
    await attend(ctx, "K2-1")
    return people


async def came_to(ctx: Context, people: list[Citizen]) -> list[Counter[str]]:
    """How often each thing happened to each of them, and was told."""
    found = []
    for who in people:
        rows = await ctx.stores.matters.of_applicant(who.key, 20)
        (number,) = [r.number for r in rows if r.service == "exam-booking"]
        told: Counter[str] = Counter()
        for one in (number, await enrolment(ctx, who)):
            stored = await steps.load(ctx, one)
            told.update(e.type for e in stored.matter.timeline)
            told.update(f"told {n.template}" for n in stored.notices.values())
            told["owed"] += len(stored.effects)
        claim = await ctx.stores.live_bookings.get(f"{who.key}:2")
        told["claims"] = int(claim is not None)
        told["over"] = int((await steps.load(ctx, number)).matter.state is State.FINISHED)
        found.append(told)
    return found


def test_a_killed_import_is_finished_once(engine_urls: EngineUrls, tmp_path: Path) -> None:
    with House(tmp_path, engine_urls, f"test_kills_{secrets.token_hex(6)}") as house:
        people = look(house, sat)
        files = []
        for who, point in zip(people, POINTS, strict=True):
            file = tmp_path / f"{point.replace(':', '-')}.csv"
            with file.open("w", encoding="utf-8", newline="") as target:
                writer = csv.writer(target)
                writer.writerow(["id_number", "plan", "subject", "day", "first"])
                writer.writerow([who.id_number, "K2-1", "2", look(house, _today), "合格"])
            files.append(file)
            killed = house.command("import", "exam-results", str(file), BIANMIN_CRASH_AT=point)
            assert killed.returncode == KILLED, (point, killed.stderr)
        assert sum(told["owed"] for told in look(house, lambda ctx: came_to(ctx, people))) > 0
        # The half of them is read again by somebody who wonders, the others the sweep alone finds.
        for file in files[:2]:
            again = house.command("import", "exam-results", str(file))
            assert again.returncode == 0, again.stderr
        house.start_worker(BIANMIN_CLOCK_OFFSET="600")

        def finished() -> bool:
            return all(
                told["owed"] == 0 and told["exams_passed"]
                for told in look(house, lambda ctx: came_to(ctx, people))
            )

        until("everything owed is done", finished)
        for told in look(house, lambda ctx: came_to(ctx, people)):
            once = ("passed", "exams_passed", "told passed", "told exams_passed", "over")
            assert {name: told[name] for name in once} == dict.fromkeys(once, 1)
            assert (told["attempt_recorded"], told["claims"]) == (4, 0)
        assert look(house, lambda ctx: plan(ctx, "K2-1")).outcomes == {"passed": len(POINTS)}


async def _today(ctx: Context) -> str:
    return ctx.today().isoformat()
