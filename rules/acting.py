"""Who acts on a matter, and who is told of it: the person it is about, or an agent with a mandate.

A mandate gives no right of its own: tier, conditions and the one place are the principal's, and
the table of rules.permissions is asked about him. It only lets somebody else take his steps, as
long as it is live and only for what it names.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from rules.catalogue import Service
from rules.mandate_flow import delegable
from rules.mandates import Mandate
from rules.matter import Matter
from rules.people import Actor
from rules.refusals import Refusal


class Concerned(Protocol):
    """A matter, or a row of it: who applied, whom it is about, by which grant."""

    @property
    def applicant(self) -> str:
        """The ID-number key of who applied."""

    @property
    def subject(self) -> str:
        """The ID-number key of whom it is about."""

    @property
    def mandate(self) -> str | None:
        """The grant by which the one acts for the other."""


def may_begin_for(
    service: Service,
    applicant: str,
    subject: str,
    grant: str | None,
    mandate: Mandate | None,
    now: datetime,
) -> Refusal | None:
    """Why ``applicant`` may not begin a matter about ``subject``; None when he may."""
    if applicant == subject and grant is None:
        return None
    if service.who.agent != "online":
        return Refusal("agent-not-online", service=service.title)
    return _by_mandate(service, applicant, subject, grant, mandate, now)


def may_go_on(
    service: Service, matter: Matter, actor: Actor, mandate: Mandate | None, now: datetime
) -> Refusal | None:
    """Why this citizen may not take a step of the matter; None when he may. Only whom it is about
    and who applied may at all; who applied by a mandate, while that very grant is live."""
    if actor.key == matter.subject:
        return None
    if actor.key != matter.applicant:
        return Refusal("not-found")
    if matter.mandate is None:
        return None
    return _by_mandate(service, actor.key, matter.subject, matter.mandate, mandate, now)


def _by_mandate(
    service: Service,
    agent: str,
    principal: str,
    grant: str | None,
    mandate: Mandate | None,
    now: datetime,
) -> Refusal | None:
    fits = (
        mandate is not None
        and grant is not None
        and (mandate.agent, mandate.principal) == (agent, principal)
        and mandate.is_live(grant, now)
    )
    if not fits or mandate is None:
        return Refusal("mandate-not-live")
    if not delegable(service) or not mandate.covers(service.code, service.who.business):
        return Refusal("mandate-not-covering", service=service.title)
    return None


def may_see(matter: Concerned, key: str, mandate: Mandate | None, now: datetime) -> bool:
    """Whether this citizen may see the matter: an agent only while his grant is live."""
    if key == matter.subject:
        return True
    if key != matter.applicant:
        return False
    if matter.mandate is None:
        return True
    return mandate is not None and mandate.agent == key and mandate.is_live(matter.mandate, now)


def audiences(matter: Matter, mandate: Mandate | None, now: datetime) -> tuple[str, ...]:
    """Who is told of a matter's events: who applied, as long as he may see it, whom it is about
    if that is somebody else, and the former phone of who changed his."""
    told = ["applicant"] if may_see(matter, matter.applicant, mandate, now) else []
    if matter.mandate is not None:
        told.append("subject")
    if matter.timeline[-1].data.get("before"):
        told.append("former")
    return tuple(told)


def reader_of(matter: Matter, audience: str) -> str:
    """The ID-number key of whom an audience is."""
    readers: Mapping[str, str] = {
        "applicant": matter.applicant,
        "subject": matter.subject,
        "former": matter.applicant,
    }
    return readers[audience]
