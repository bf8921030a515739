"""Booking without its guards, for three processes that race each other round by round.

python -m tests.races.careless_seats WAY MONGO REDIS DATABASE FOLDER; each line on standard input is
a JSON list of wishes (token, plan), which the process makes at the same moment. The way ``seats``
looks for a free seat and then takes it, the way ``claims`` looks for a booking of the subject and
then claims it; every other write is the verb's. ``guarded`` is the verb as it is.
"""

import asyncio
import json
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from casework.context import Context
from casework.exams.booking import book
from casework.logins import authenticate
from rules.places import taking
from rules.refusals import Refusal
from storage.claims import Claim, Claims
from storage.engines import EngineUrls
from storage.places import PlaceStore
from tests.casework.inside import house

_BETWEEN = 0.02
"""Seconds between looking for a seat and taking it."""


class CarelessPlaces(PlaceStore):
    """Looks first and writes then."""

    async def take(self, code: str, matter: str, now: datetime) -> bool:
        """The same fields written as by ``PlaceStore.take``, on no condition."""
        places = await self.get(code)
        if places is None or taking(places, matter, now) != "taken":
            return False
        # As long as a busy engine may take: the race is to be seen on any machine.
        await asyncio.sleep(_BETWEEN)
        counts = {"left": -1, "booked": 1, "rev": 1}
        await self._places.update_one({"_id": code}, {"$push": {"holders": matter}, "$inc": counts})
        return True


class CarelessClaims(Claims):
    """Looks first and writes then."""

    async def claim(self, key: str, matter: str, at: datetime) -> Claim:
        """The same document written as by ``Claims.claim``, whoever wrote it meanwhile."""
        held = await self.get(key)
        if held is not None:
            return held
        fields = {"matter": matter, "unconfirmed": at}
        await self._claims.update_one({"_id": key}, {"$set": fields}, upsert=True)
        return Claim(key, matter, at)


def without(ctx: Context, way: str) -> Context:
    """The same house without one of its guards."""
    stores = ctx.stores
    if way == "seats":
        places = CarelessPlaces(stores.database["exam_plans"])
        return replace(ctx, stores=replace(stores, exam_places=places))
    if way == "claims":
        claims = CarelessClaims(stores.database["live_bookings"])
        return replace(ctx, stores=replace(stores, live_bookings=claims))
    return ctx


async def wish(ctx: Context, token: str, plan: str) -> str:
    """Ask once; what was heard."""
    citizen = await authenticate(ctx, token)
    try:
        return (await book(ctx, citizen, plan, ctx.ids.token(), "mini")).state
    except Refusal as refusal:
        return refusal.code


async def main(way: str, mongo: str, redis: str, database: str, folder: str) -> None:
    """Take part in every round read, and say what was heard."""
    async with house(EngineUrls(mongo, redis), database, Path(folder)) as whole:
        ctx = without(whole, way)
        print("ready", flush=True)
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            heard = await asyncio.gather(*(wish(ctx, *one) for one in json.loads(line)))
            print(json.dumps(heard), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
