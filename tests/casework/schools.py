"""Driving schools for tests from inside: two schools, their clerks and people to enrol."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from casework.context import Context
from casework.enrolments import Enrolled, enrol
from casework.officers import Officer
from casework.photos import Spool
from tests.casework.inside import OFFICE, OTHER, officer
from tests.desk.town import id_number, picture

SCHOOL, NEAR, FAR = "4101-S1", "4101-S2", "4106-S1"
_SUPERVISORS = {SCHOOL: OFFICE, NEAR: OFFICE, FAR: OTHER}


async def clerk(ctx: Context, school: str = SCHOOL, username: str = "") -> Officer:
    """A clerk of a driving school, which is entered in the registry with its vehicle office."""
    await officer(ctx)
    rows = [
        {
            "code": code,
            "name": f"{code}驾校",
            "kind": "driving_school",
            "region": code[:4],
            "address": "学车路1号",
            "hours": "8:00-18:00",
            "phone": "0371-5550000",
            "supervisor": supervisor,
        }
        for code, supervisor in _SUPERVISORS.items()
    ]
    await ctx.stores.registry.upsert_offices(rows)
    office = await ctx.office(school)
    assert office is not None
    return Officer(username or f"clerk-{school}", "刘教务", "clerk", office)


def entry(ctx: Context, order: int, **changes: str) -> dict[str, str]:
    """What a school writes about somebody born in 1990 without a licence."""
    return {
        "id_number": changes.get("id_number") or id_number(order),
        "name": "陈学员",
        "phone": f"137000{order:05d}",
        "vehicle_class": "C1",
        "application": "初次申领",
        "medical_on": (ctx.today() - timedelta(days=10)).isoformat(),
        "medical_hospital": "市第一人民医院",
        **changes,
    }


@asynccontextmanager
async def upload(ctx: Context, content: bytes = b"") -> AsyncIterator[Spool]:
    """A picture received whole."""
    async with ctx.lab.spool() as spool:
        await spool.write(content or picture())
        yield spool


async def enrolled(
    ctx: Context, order: int, school: str = SCHOOL, cause: str = "enrol", **changes: str
) -> Enrolled:
    """Somebody enrolled by a school, under review."""
    async with upload(ctx) as portrait:
        return await enrol(
            ctx, await clerk(ctx, school), entry(ctx, order, **changes), portrait, cause
        )
