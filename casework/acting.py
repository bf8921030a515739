"""Who acts in a matter: whose matters a citizen sees, for whom he may begin one, and by what."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from casework.context import Context
from casework.facts import facts_about, mandate_of
from casework.views import ActingView
from rules.acting import Concerned, may_begin_for, may_see
from rules.catalogue import Service
from rules.facts import Facts
from rules.masking import mask_name
from rules.people import Citizen
from rules.refusals import Refusal
from storage.matter_documents import MatterRow


async def facts_for(
    ctx: Context, citizen: Citizen, service: Service, grant: str | None
) -> tuple[str, Facts]:
    """Whom the matter to be begun is about, and the facts about him: the citizen himself, or by a
    grant his principal, whose tier, record and place count. Raises agent-not-online,
    mandate-not-live, mandate-not-covering before anything is claimed or told of the principal."""
    if grant is None:
        return citizen.key, await facts_about(ctx, citizen.key)
    mandate = await mandate_of(ctx, grant)
    principal = mandate.principal if mandate else ""
    no = may_begin_for(service, citizen.key, principal, grant, mandate, ctx.now())
    if no is not None:
        raise no
    if await ctx.stores.sessions.get(principal) is None:
        raise Refusal("mandate-not-live")
    return principal, replace(await facts_about(ctx, principal), mandate=mandate)


async def sees(ctx: Context, key: str, matter: Concerned) -> bool:
    """Whether a citizen may see a matter now."""
    by_grant = matter.mandate is not None and key == matter.applicant != matter.subject
    mandate = await mandate_of(ctx, matter.mandate) if by_grant and matter.mandate else None
    return may_see(matter, key, mandate, ctx.now())


async def rows_of(ctx: Context, citizen: Citizen, limit: int) -> list[MatterRow]:
    """A citizen's matters, newest first: those he applied for, as long as he may see them, and
    those an agent applied for on his behalf."""
    applied, acted = await asyncio.gather(
        ctx.stores.matters.of_applicant(citizen.key, limit),
        ctx.stores.matters.of_principal(citizen.key, limit),
    )
    seen = [row for row in applied if await sees(ctx, citizen.key, row)]
    return _newest([*seen, *acted])[:limit]


async def rows_about(ctx: Context, citizen: Citizen, limit: int) -> list[MatterRow]:
    """The matters about a citizen, newest first, whoever applied; not those he is agent in."""
    rows = await rows_of(ctx, citizen, limit)
    return [row for row in rows if row.mandate is None or row.subject == citizen.key]


def _newest(rows: Iterable[MatterRow]) -> list[MatterRow]:
    return sorted(rows, key=lambda row: row.created_at, reverse=True)


async def acting_view(ctx: Context, matter: Concerned) -> ActingView | None:
    """Who applied for whom, names masked; None where everybody acts for himself."""
    if matter.mandate is None:
        return None
    principal = await ctx.stores.sessions.get(matter.subject)
    agent = await ctx.stores.sessions.get(matter.applicant)
    return ActingView(
        mandate=matter.mandate,
        principal=mask_name(principal.name) if principal else "",
        agent=mask_name(agent.name) if agent else "",
    )
