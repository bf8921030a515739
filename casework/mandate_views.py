"""A mandate as principal, agent and officer read it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from casework.context import Context
from casework.views import TimelineEntry
from rules.mandate_flow import Party, allowed, delegable
from rules.mandates import DELEGABLE, RELATIONS, Mandate
from rules.messages import scope_labels


@dataclass(frozen=True)
class Choice:
    """Something to choose from: its name in a request, and what it is called."""

    value: str
    label: str


@dataclass(frozen=True)
class MandateOptions:
    """What a mandate may be given for, to whom, and until which day at most."""

    businesses: list[Choice]
    services: list[Choice]
    relations: list[Choice]
    latest: date


@dataclass(frozen=True)
class MandateView:
    """A mandate as one of the two sees it. ``id`` names this giving of it; ``role`` is the reader's
    part (principal or agent), ``actions`` what he may do with it now (accept, end)."""

    id: str
    role: str
    principal: str
    agent: str
    relation: str
    relation_label: str
    businesses: list[str]
    services: list[str]
    scope: list[str]
    until: date
    given_at: datetime
    answer_by: datetime
    standing: str
    standing_label: str
    actions: list[str]
    timeline: list[TimelineEntry]


@dataclass(frozen=True)
class MyMandates:
    """Mandates given and received, and what could be given."""

    given: list[MandateView]
    received: list[MandateView]
    options: MandateOptions


async def mandate_view(ctx: Context, mandate: Mandate, role: Party) -> MandateView:
    """The mandate as it is now. Both are named in full: a mandate names who gives it to whom."""
    principal = await ctx.stores.sessions.get(mandate.principal)
    terms, standing = mandate.terms, mandate.standing(ctx.now()).value
    return MandateView(
        id=mandate.grant,
        role=role,
        principal=principal.name if principal else "",
        agent=mandate.agent_name,
        relation=terms.relation,
        relation_label=ctx.book.texts.say(f"mandates.relations.{terms.relation}"),
        businesses=list(terms.businesses),
        services=list(terms.services),
        scope=scope_labels(ctx.book.texts, ctx.book.catalogue, terms.businesses, terms.services),
        until=terms.until,
        given_at=mandate.given_at,
        answer_by=mandate.answer_by,
        standing=standing,
        standing_label=ctx.book.texts.say(f"mandates.standings.{standing}"),
        actions=list(allowed(mandate, role, ctx.now())),
        timeline=mandate_log(ctx, mandate, mandate.grant),
    )


def mandate_log(ctx: Context, mandate: Mandate, grant: str) -> list[TimelineEntry]:
    """What happened to one giving of a mandate, oldest first."""
    start = next(i for i, e in enumerate(mandate.timeline) if e.id == grant)
    entries: list[TimelineEntry] = []
    for event in mandate.timeline[start:]:
        if event.type == "given" and event.id != grant:
            break
        text = ctx.book.texts.say(f"mandates.events.{event.type}")
        entries.append(TimelineEntry(event.at, event.type, text, None, ""))
    return entries


def options(ctx: Context) -> MandateOptions:
    """What may be chosen today: business agents may do by law, services that take one online."""
    say = ctx.book.texts.say
    days = int(ctx.figure("mandate.longest_days"))
    return MandateOptions(
        businesses=[Choice(b, say(f"mandates.businesses.{b}")) for b in DELEGABLE],
        services=[Choice(s.code, s.title) for s in ctx.book.catalogue if delegable(s)],
        relations=[Choice(r, say(f"mandates.relations.{r}")) for r in RELATIONS],
        latest=ctx.today() + timedelta(days=days),
    )
