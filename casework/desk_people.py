"""The people of a matter as the deciding officer sees them: the applicant, and who acts for him."""

from dataclasses import dataclass
from datetime import date

from casework.context import Context
from casework.facts import mandate_of
from casework.mandate_views import mandate_log
from casework.views import TimelineEntry
from rules.mandates import begin, evolve
from rules.matter import Matter
from rules.messages import scope_labels


@dataclass(frozen=True)
class PersonView:
    """A person in clear, for the officer who decides about him."""

    name: str
    id_number: str
    phone: str


@dataclass(frozen=True)
class AgentView:
    """Who applied for the applicant, and by which mandate: its terms, how and when it was given
    and accepted, and what it is worth now."""

    person: PersonView
    relation: str
    scope: list[str]
    until: date
    standing: str
    log: list[TimelineEntry]


async def applicant_view(ctx: Context, matter: Matter) -> PersonView:
    """Whom the matter is about; who has no account yet, by what was entered about him."""
    entered = PersonView(*(matter.form.get(n, "") for n in ("name", "id_number", "phone")))
    return await _person(ctx, matter.subject) or entered


async def _person(ctx: Context, key: str) -> PersonView | None:
    person = await ctx.stores.sessions.person(key)
    return PersonView(person.name, person.id_number, person.phone) if person else None


async def agent_view(ctx: Context, matter: Matter) -> AgentView | None:
    """The agent of a matter and the grant he applied by; None where there is none."""
    mandate = await mandate_of(ctx, matter.mandate) if matter.mandate else None
    if matter.mandate is None or mandate is None:
        return None
    # The mandate may have been given anew since: the officer sees the grant of this matter.
    then = begin(mandate.id, mandate.timeline[0])
    for event in mandate.timeline[1:]:
        if event.type == "given" and then.grant == matter.mandate:
            break
        then = evolve(then, event)
    say, standing = ctx.book.texts.say, then.standing(ctx.now()).value
    terms = then.terms
    return AgentView(
        person=await _person(ctx, matter.applicant) or PersonView("", "", ""),
        relation=say(f"mandates.relations.{terms.relation}"),
        scope=scope_labels(ctx.book.texts, ctx.book.catalogue, terms.businesses, terms.services),
        until=terms.until,
        standing=say(f"mandates.standings.{standing}"),
        log=mandate_log(ctx, mandate, matter.mandate),
    )
