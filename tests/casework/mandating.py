"""Mandates between people of a house seen from inside."""

from collections.abc import Sequence
from datetime import timedelta

from casework import mandates
from casework.context import Context
from casework.mandate_views import MandateView
from casework.mandates import NewMandate
from rules.people import Citizen


async def code(ctx: Context, who: Citizen) -> str:
    """The code that confirms a mandate of this person; the minute between two is not waited for."""
    names = (f"id:mandate:{who.key}", f"phone:{ctx.stores.vault.phone_key(who.phone)}")
    for name in names:
        await ctx.stores.redis.delete(ctx.stores.memory._key("hit", f"code:{name}:all:minute"))
    await mandates.send_code(ctx, who)
    (job,) = await ctx.stores.memory.outbox.take(100, 0.01)
    assert (job.phone, job.purpose) == (who.phone, "mandate")
    return job.code


def wish(ctx: Context, agent: Citizen, **changes: object) -> NewMandate:
    """A mandate for licence business for a month."""
    given: dict[str, object] = {
        "agent_id_number": agent.id_number,
        "agent_name": agent.name,
        "relation": "child",
        "businesses": ["licence"],
        "services": [],
        "until": ctx.today() + timedelta(days=30),
        **changes,
    }
    return NewMandate(**given)  # type: ignore[arg-type]  # any field


async def offered(
    ctx: Context, principal: Citizen, agent: Citizen, cause: str = "give", **changes: object
) -> MandateView:
    """A mandate given and not answered yet."""
    sms_code = await code(ctx, principal)
    return await mandates.give(ctx, principal, wish(ctx, agent, **changes), sms_code, cause)


async def live(
    ctx: Context,
    principal: Citizen,
    agent: Citizen,
    cause: str = "give",
    businesses: Sequence[str] = ("licence",),
    services: Sequence[str] = (),
) -> MandateView:
    """A mandate the agent has accepted."""
    view = await offered(
        ctx, principal, agent, cause, businesses=list(businesses), services=list(services)
    )
    return await mandates.accept(ctx, agent, view.id, f"{cause}-accept")
