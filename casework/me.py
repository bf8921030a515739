"""What a citizen sees of himself."""

from dataclasses import dataclass

from casework import logins, matters, privacy
from casework.context import Context
from casework.facts import facts_about
from casework.permissions import must
from casework.presenting import licence_view
from casework.privacy import Agreed
from casework.views import LicenceView, MatterSummary
from casework.wechat_bindings import BindingView, bound
from rules.masking import shown
from rules.people import Citizen
from rules.permissions import may


@dataclass(frozen=True)
class Me:
    """The citizen's own page: masked person, tiers, licence, matters under way, and
    ``alerts``: sentences about his logins that he should read."""

    name: str
    id_number: str
    phone: str
    tiers: list[str]
    tier_labels: list[str]
    wechat: list[str]
    bindings: list[BindingView]
    licences: list[LicenceView]
    matters: list[MatterSummary]
    privacy: Agreed
    alerts: list[str]


async def me(ctx: Context, citizen: Citizen) -> Me:
    """The person, what he may do and what he has going."""
    session = await ctx.stores.sessions.get(citizen.key)
    tiers = sorted(session.tiers_on(ctx.today()) if session else citizen.tiers)
    accounts = await bound(ctx, session) if session else []
    return Me(
        name=shown("api.me", "name", citizen.name),
        id_number=shown("api.me", "id_number", citizen.id_number),
        phone=shown("api.me", "phone", citizen.phone),
        tiers=[str(t) for t in tiers],
        tier_labels=[ctx.book.texts.say(f"tiers.{t}") for t in tiers],
        wechat=[one.app for one in accounts],
        bindings=accounts,
        licences=await licences(ctx, citizen) if may(tiers, "query") else [],
        matters=await matters.mine(ctx, citizen),
        privacy=await privacy.agreed(ctx, citizen),
        alerts=logins.alerts(ctx, session) if session else [],
    )


async def licences(ctx: Context, citizen: Citizen) -> list[LicenceView]:
    """The citizen's licence, if the registry holds one. Raises not-allowed-tier."""
    facts = await facts_about(ctx, citizen.key)
    await must(ctx, facts, "query", ctx.book.texts.say("queries.licence"))
    if facts.licence is None:
        return []
    office = facts.offices.get(facts.licence.issuing_office)
    return [licence_view(ctx, facts.licence, office, facts.licence_bound)]
