"""The citizen's vehicles, and letting go of what was bound to his account at the window (REQ A4).

Binding is done by face-signing only (``casework.facesign``): it needs the original ID card.
"""

import structlog

from casework.context import Context
from casework.facts import facts_about
from casework.permissions import must
from casework.views import VehicleView
from rules.masking import mask_plate
from rules.people import Citizen
from rules.refusals import Refusal

log = structlog.get_logger()


async def vehicles(ctx: Context, citizen: Citizen) -> list[VehicleView]:
    """The vehicles the registry holds for him, by plate. Raises not-allowed-tier."""
    facts = await facts_about(ctx, citizen.key)
    await must(ctx, facts, "query", ctx.book.texts.say("queries.vehicle"))
    found = []
    for vehicle in facts.vehicles:
        office = facts.offices.get(vehicle.registering_office)
        bound = vehicle.plate in facts.vehicles_bound
        found.append(
            VehicleView(
                id=_handle(ctx, vehicle.plate),
                plate=vehicle.plate if bound else mask_plate(vehicle.plate),
                kind=vehicle.kind,
                status=vehicle.status,
                registering_office=office.name if office else vehicle.registering_office,
                bound=bound,
            )
        )
    return found


async def unbind_vehicle(ctx: Context, citizen: Citizen, handle: str, cause: str) -> None:
    """Let go of a vehicle by the id its view carries; the same cause again changes nothing, for
    it may have been bound anew since. Raises not-found when it is none of his."""
    facts = await facts_about(ctx, citizen.key)
    plates = [v.plate for v in facts.vehicles if _handle(ctx, v.plate) == handle]
    if not plates:
        raise Refusal("not-found")
    if await _done_before(ctx, citizen, cause):
        return
    await ctx.stores.sessions.unbind_vehicle(citizen.key, plates[0])
    await ctx.stores.sessions.remember(citizen.key, cause)
    log.info("vehicle-unbound")


async def unbind_licence(ctx: Context, citizen: Citizen, cause: str) -> None:
    """Let go of the licence; the same cause again changes nothing."""
    if await _done_before(ctx, citizen, cause):
        return
    await ctx.stores.sessions.unbind_licence(citizen.key)
    await ctx.stores.sessions.remember(citizen.key, cause)
    log.info("licence-unbound")


async def _done_before(ctx: Context, citizen: Citizen, cause: str) -> bool:
    session = await ctx.stores.sessions.get(citizen.key)
    return session is not None and cause in session.causes


def _handle(ctx: Context, plate: str) -> str:
    # Not the index the registry uses: addresses are seen by more than our own stores.
    return ctx.stores.vault.index("vehicle-handle", plate)[:22]
