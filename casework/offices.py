"""Where to go: the offices of a region."""

from casework.context import Context
from casework.presenting import office_view
from casework.views import OfficeView
from rules.facesign import signing_offices
from rules.facts import Facts, Office
from rules.people import Tier
from rules.permissions import GIVEN_AT, WINDOWS
from rules.refusals import Refusal

_MOST = 3


async def offices(
    ctx: Context, region: str | None = None, kind: str | None = None
) -> list[OfficeView]:
    """The offices of a region and kind, all when neither is given."""
    return [office_view(o) for o in await ctx.stores.registry.offices(region, kind)]


async def office_name(ctx: Context, code: str | None, unknown: str = "") -> str:
    """What an office is called; ``unknown`` where there is none of that code."""
    office = await ctx.office(code) if code else None
    return office.name if office else unknown


async def registration_offices(ctx: Context, region: str) -> list[Office]:
    """The windows of a region where a person who does not match can put it right: vehicle offices,
    and the police station for who has no licence or vehicle.

    The region is the one the citizen named, never one read from his record.
    """
    vehicle = await ctx.stores.registry.offices(region, "vehicle_office")
    police = await ctx.stores.registry.offices(region, "police_station")
    return [*vehicle[: _MOST - 1], *police[:1]]


async def with_offices(ctx: Context, refusal: Refusal, facts: Facts) -> Refusal:
    """A refusal with the offices that can help (``offices``), where one can: those that hold the
    citizen's own licence or vehicles, else those of his region (REQ A8)."""
    kinds = _helping(refusal)
    if not kinds:
        return refusal
    found: list[Office] = []
    if "signing_office" in kinds:
        found = [facts.offices[c] for c in sorted(signing_offices(facts)) if c in facts.offices]
    if not found and facts.region:
        home = ctx.book.regions.of_code(facts.region)
        for kind in kinds:
            if home is not None and kind != "signing_office":
                found += await ctx.stores.registry.offices(home.code, kind)
    return Refusal(refusal.code, **{**refusal.params, "offices": found[:_MOST]})


def _helping(refusal: Refusal) -> tuple[str, ...]:
    match refusal.code:
        case "not-allowed-tier":
            return GIVEN_AT[Tier(refusal.params["missing"][0])]
        case "licence-not-bound":
            return GIVEN_AT[Tier.FACE_SIGNED]
        case "service-not-open" | "not-by-yourself":
            return WINDOWS[refusal.params["business"]]
    return ()
