"""What a rule needs to know about a person, read from the session and the registry's mirror."""

from dataclasses import replace

from casework.context import Context
from casework.exams.facts import booking_facts, plan_of
from rules.exams.plan import SERVICE as EXAM_BOOKING
from rules.facts import Facts, Office
from rules.id_number import region_of
from rules.mandates import Mandate, pair_of
from rules.matter import Matter
from rules.window_bindings import licence_bound, vehicles_bound


async def facts_about(ctx: Context, key: str, id_number: str | None = None) -> Facts:
    """The facts about one person as of today.

    ``key`` is the ID-number key; ``id_number`` stands in for the session's at the counter, where
    the person may not have registered yet. Offices are those that hold a licence or vehicle.
    """
    stores = ctx.stores
    session = await stores.sessions.get(key)
    licence = await stores.registry.licence(key)
    vehicles = await stores.registry.vehicles_of(key)
    codes = {v.registering_office for v in vehicles}
    if licence is not None:
        codes.add(licence.issuing_office)
    offices: dict[str, Office] = {}
    for code in sorted(codes):
        office = await stores.registry.office(code)
        if office is not None:
            offices[code] = office
    number = session.id_number if session else id_number
    issuing = offices.get(licence.issuing_office) if licence else None
    region = issuing.region if issuing else region_of(number) if number else None
    return Facts(
        today=ctx.today(),
        tiers=session.tiers_on(ctx.today()) if session else frozenset(),
        licence=licence,
        licence_bound=licence_bound(session.licence_number if session else None, licence),
        vehicles=tuple(vehicles),
        vehicles_bound=vehicles_bound(session.plates if session else (), vehicles),
        offices=offices,
        region=region,
    )


async def facts_of(ctx: Context, matter: Matter) -> Facts:
    """The facts a step of the matter is decided by: those about its subject, the mandate by which
    an agent acts in it, and for a test his record and the plan, as they are now."""
    if matter.service == EXAM_BOOKING:
        plan = await plan_of(ctx, matter.form["plan"])
        return await booking_facts(ctx, matter.subject, plan)
    facts = await facts_about(ctx, matter.subject)
    if matter.mandate is None:
        return facts
    return replace(facts, mandate=await mandate_of(ctx, matter.mandate))


async def mandate_of(ctx: Context, grant: str) -> Mandate | None:
    """The mandate a grant belongs to, whatever became of it since."""
    stored = await ctx.stores.mandates.get(pair_of(grant))
    return stored.mandate if stored else None


async def known_names(ctx: Context, key: str) -> tuple[str, ...]:
    """What the person with this ID number is called in each registry that knows him."""
    registry = ctx.stores.registry
    on_file = await registry.phone_on_file(key)
    known = (await registry.population_name(key), on_file.name if on_file else None)
    return tuple(name for name in known if name is not None)


async def account_phone(ctx: Context, key: str) -> str:
    """The phone of the person's account; empty where he has none."""
    session = await ctx.stores.sessions.get(key)
    return session.phone if session else ""
