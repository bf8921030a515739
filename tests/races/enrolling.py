"""Two ways of enrolling somebody, for three processes that race each other round by round.

python -m tests.races.enrolling WAY MONGO REDIS DATABASE FOLDER SCHOOL; each line on standard input
is a round: the order of the person. The way ``claim`` is the verb as it is; ``look`` looks for a
live enrolment and, when there is none, begins a matter.
"""

import asyncio
import sys
from pathlib import Path

from casework import steps
from casework.context import Context
from casework.facts import facts_about
from casework.officers import Officer
from rules.enrolments import SERVICE
from rules.flow import ENDED
from rules.refusals import Refusal
from storage.engines import EngineUrls
from tests.casework.inside import house
from tests.casework.schools import clerk, enrolled, entry


async def claim(ctx: Context, who: Officer, order: int) -> str:
    """The verb."""
    try:
        done = await enrolled(ctx, order, who.office.code, cause=f"round-{order}")
    except Refusal as refusal:
        return refusal.code
    return "enrolled" if done.fresh else "there"


async def look(ctx: Context, who: Officer, order: int) -> str:
    """Look, then write: the same matter without a claim."""
    form = entry(ctx, order)
    key = ctx.stores.vault.id_key(form["id_number"])
    rows = await ctx.stores.matters.of_applicant(key, 9)
    if any(row.state not in ENDED for row in rows):
        return "student-elsewhere"
    given = {
        "applicant": key,
        "subject": key,
        "office": who.office.supervisor,
        "region": who.office.region,
        "school": who.office.code,
        "values": form,
        "photos": {"portrait": _PORTRAIT},
        "names": (),
    }
    facts = await facts_about(ctx, key, form["id_number"])
    service, cause = ctx.book.catalogue[SERVICE], f"{who.office.code}-{order}"
    await steps.start(ctx, service, "enrol", who.actor, cause, given, facts)
    return "enrolled"


_PORTRAIT = {
    "id": "p",
    "material": "portrait",
    "media_type": "image/jpeg",
    "width": 1,
    "height": 1,
    "bytes": 1,
    "thumbnail": "t",
    "checks": [],
    "source": "s",
}


async def main(way: str, mongo: str, redis: str, database: str, folder: str, school: str) -> None:
    """Take part in every round read, and say how it ended."""
    async with house(EngineUrls(mongo, redis), database, Path(folder)) as ctx:
        who = await clerk(ctx, school)
        print("ready", flush=True)
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            print(await {"claim": claim, "look": look}[way](ctx, who, int(line)), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
