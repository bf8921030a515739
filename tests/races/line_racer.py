"""Students who wait, are offered, accept, leave and cancel as they like, for three processes that
share one session.

python -m tests.races.line_racer MONGO REDIS DATABASE FOLDER PLAN START SECONDS; a line on standard
input is a JSON list of tokens; so many seconds later a line tells how often each thing was done.
An hour of the house's clock passes in a third of a second, counted from START, so that offers end.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from casework.context import Context
from casework.exams.attending import attend_due
from casework.exams.booking import wait
from casework.exams.leaving import accept, cancel, leave
from casework.exams.listing import booking
from casework.logins import authenticate
from rules.people import Citizen
from rules.refusals import Refusal
from storage.engines import EngineUrls
from storage.places import PlacesContended
from tests.casework.inside import house

FASTER = 3 * 3600
CHOICES = {
    "accepted": (("cancel", 0.5),),
    "waiting": (("leave", 0.1),),
    "offered": (("accept", 0.5), ("leave", 0.2)),
}
"""What a student may do where he stands, and how likely: else he lets it be."""


def clock_from(start: float) -> Callable[[], datetime]:
    """The house's clock, the same in every process."""
    began = datetime.fromtimestamp(start, UTC)
    return lambda: began + timedelta(seconds=max(time.time() - start, 0) * FASTER)


async def live(ctx: Context, who: Citizen, plan: str, end: float, done: Counter[str]) -> None:
    """One student's doings until the end."""
    steps = {"cancel": cancel, "leave": leave, "accept": accept}
    number = ""
    while time.time() < end:
        await asyncio.sleep(random.uniform(0.1, 1.0))
        try:
            if not number:
                number = (await wait(ctx, who, plan, ctx.ids.token(), "mini")).number
                done["wait"] += 1
                continue
            state = (await booking(ctx, who, number)).state
            if state not in CHOICES:
                number = ""
            for step, likely in CHOICES.get(state, ()):
                if random.random() < likely:
                    await steps[step](ctx, who, number, ctx.ids.token())
                    done[step] += 1
                    break
        except Refusal as refusal:
            done[refusal.code] += 1
        except PlacesContended:
            done["contended"] += 1


async def attending(ctx: Context, end: float) -> None:
    """What a worker does about plans."""
    while time.time() < end:
        await attend_due(ctx)
        await asyncio.sleep(0.1)


async def main(
    mongo: str, redis: str, database: str, folder: str, plan: str, start: str, seconds: str
) -> None:
    """Let the students live, then say what they did."""
    async with house(EngineUrls(mongo, redis), database, Path(folder)) as ctx:
        print("ready", flush=True)
        tokens = json.loads(await asyncio.to_thread(sys.stdin.readline))
        people = [await authenticate(ctx, token) for token in tokens]
        fast = replace(ctx, clock=clock_from(float(start)))
        end, done = time.time() + float(seconds), Counter[str]()
        lives = [live(fast, one, plan, end, done) for one in people]
        await asyncio.gather(attending(fast, end), *lives)
        print(json.dumps(done), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
