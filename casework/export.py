"""All that is held about a citizen, in one file for himself (REQ A9; 个人信息保护法 第四十五条).

It asks for a code of its own, used up by the one request: whoever finds an unlocked phone takes
nothing away. Officers appear by their office, never by name.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casework import logins, mandates, privacy
from casework.acting import rows_about
from casework.askers import Asker
from casework.codes import prove, slot
from casework.context import Context
from casework.facts import facts_about
from casework.logins import DeviceView
from casework.mandate_views import MandateView
from casework.presenting import notice_views
from casework.privacy import PrivacyRow
from casework.views import NoticeView
from rules.facts import Licence, Vehicle
from rules.masking import look_group
from rules.matter import Event, Matter
from rules.people import Citizen
from rules.refusals import Refusal
from storage.access_log import Look
from storage.session_documents import Session

_MOST = 10_000


@dataclass(frozen=True)
class ExportedPerson:
    """Who the account is of, in clear."""

    id_number: str
    name: str
    phone: str


@dataclass(frozen=True)
class ExportedAccount:
    """The account: since when, what it may do, what is bound to it, what was agreed to."""

    created_at: datetime
    tiers: dict[str, Any]
    licence_bound: str | None
    vehicles_bound: list[str]
    wechat: dict[str, datetime]
    devices: list[DeviceView]
    consents: dict[str, int]
    agreements: list[dict[str, Any]]
    dialogue: dict[str, Any] | None


@dataclass(frozen=True)
class ExportedRegistry:
    """What the internal systems have on file, as mirrored here."""

    population_name: str | None
    licence: Licence | None
    phone_on_file: str | None
    vehicles: list[Vehicle]


@dataclass(frozen=True)
class ExportedEvent:
    """A line of a timeline with all it recorded. ``by``: citizen, officer, school, system."""

    at: datetime
    type: str
    text: str
    by: str
    office: str | None
    data: dict[str, Any]


@dataclass(frozen=True)
class ExportedPhoto:
    """A photo: ``address`` gives it to whoever is logged in as its owner."""

    material: str
    added_at: datetime
    address: str


@dataclass(frozen=True)
class ExportedMatter:
    """A matter with its form, timeline, messages and photos."""

    number: str
    service: str
    title: str
    state: str
    state_label: str
    form: dict[str, str]
    timeline: list[ExportedEvent]
    notices: list[NoticeView]
    photos: list[ExportedPhoto]


@dataclass(frozen=True)
class ExportedLook:
    """A look of an officer: when, at which office, at what."""

    at: datetime
    office: str
    matter: str | None
    groups: list[str]
    labels: list[str]


@dataclass(frozen=True)
class Export:
    """The whole file. ``purposes`` is the table of why each field is held and for how long."""

    made_at: datetime
    controller: str
    contact: str
    person: ExportedPerson
    account: ExportedAccount
    registry: ExportedRegistry
    matters: list[ExportedMatter]
    mandates_given: list[MandateView]
    mandates_received: list[MandateView]
    looks: list[ExportedLook]
    purposes: list[PrivacyRow]


async def export(ctx: Context, citizen: Citizen, *, sms_code: str, asker: Asker) -> Export:
    """All that is held about the caller, and nobody else's. Raises the code refusals."""
    await prove(ctx, slot(ctx, "export", citizen.key, citizen.phone, asker), sms_code)
    session = await ctx.stores.sessions.get(citizen.key)
    if session is None:
        raise Refusal("not-logged-in")
    looks = await ctx.stores.access_log.of_subject(citizen.key, _MOST)
    held = await mandates.mine(ctx, citizen)
    table = ctx.book.privacy
    return Export(
        made_at=ctx.now(),
        controller=table.controller,
        contact=table.contact,
        person=ExportedPerson(session.id_number, session.name, session.phone),
        account=await _account(ctx, citizen, session),
        registry=await _registry(ctx, citizen.key),
        matters=await _matters(ctx, citizen),
        mandates_given=held.given,
        mandates_received=held.received,
        looks=[await _look(ctx, look) for look in looks],
        purposes=[privacy.row(ctx, field) for field in table.fields],
    )


async def _account(ctx: Context, citizen: Citizen, session: Session) -> ExportedAccount:
    opened = await ctx.stores.sessions.opening(citizen.key)
    found = await ctx.stores.conversations.of_citizen(citizen.key)
    dialogue = found[1].dialogue_at(ctx.now()) if found else None
    return ExportedAccount(
        created_at=opened.created_at,
        tiers=dict(opened.tiers),
        licence_bound=session.licence_number,
        vehicles_bound=sorted(session.plates),
        wechat={app: account.bound_at for app, account in session.wechat.items()},
        devices=await logins.listed(ctx, citizen),
        consents=dict(session.consents),
        agreements=[vars(a) for a in session.privacy],
        dialogue=dict(dialogue) if dialogue else None,
    )


async def _registry(ctx: Context, key: str) -> ExportedRegistry:
    facts = await facts_about(ctx, key)
    on_file = await ctx.stores.registry.phone_on_file(key)
    return ExportedRegistry(
        population_name=await ctx.stores.registry.population_name(key),
        licence=facts.licence,
        phone_on_file=on_file.phone if on_file else None,
        vehicles=list(facts.vehicles),
    )


async def _matters(ctx: Context, citizen: Citizen) -> list[ExportedMatter]:
    """The matters about him; what he did as somebody's agent is that person's."""
    found = []
    for row in await rows_about(ctx, citizen, _MOST):
        stored = await ctx.stores.matters.get(row.number)
        if stored is not None:
            notices = notice_views(ctx, stored.matter, stored.notices, citizen.key)
            found.append(_matter(ctx, stored.matter, notices))
    return found


def _matter(ctx: Context, matter: Matter, notices: list[NoticeView]) -> ExportedMatter:
    return ExportedMatter(
        number=matter.number,
        service=matter.service,
        title=ctx.book.catalogue[matter.service].title,
        state=matter.state.value,
        state_label=ctx.book.texts.say(f"states.{matter.state.value}"),
        form=dict(matter.form),
        timeline=[_event(ctx, e) for e in matter.timeline],
        notices=notices,
        photos=[
            ExportedPhoto(p.material, p.added_at, f"/api/v1/matters/{matter.number}/photos/{p.id}")
            for p in matter.photos
        ],
    )


def _event(ctx: Context, event: Event) -> ExportedEvent:
    return ExportedEvent(
        at=event.at,
        type=event.type,
        text=ctx.book.texts.say(f"events.{event.type}"),
        by=event.actor.kind,
        office=event.actor.office,
        data=dict(event.data),
    )


async def _look(ctx: Context, look: Look) -> ExportedLook:
    office = await ctx.office(look.office)
    groups = list(dict.fromkeys(look_group(named) for named in look.fields))
    return ExportedLook(
        at=look.at,
        office=office.name if office else look.office,
        matter=look.matter,
        groups=groups,
        labels=[ctx.book.texts.say(f"privacy.groups.{group}") for group in groups],
    )
