"""From a matter to what a person reads: labels, progress, what comes next, what may be done."""

from collections.abc import Mapping

from casework.acting import acting_view
from casework.context import Context
from casework.thumbnails import thumbnail_path
from casework.views import (
    DefectView,
    FieldView,
    LicenceView,
    MaterialView,
    MatterView,
    NoticeView,
    OfficeView,
    PhotoView,
    TimelineEntry,
)
from rules.acting import reader_of
from rules.catalogue import Service
from rules.exams.booking import possible_now
from rules.facts import Licence, Office
from rules.flow import allowed
from rules.forms import display, material_required, materials_of, missing_parts
from rules.guards import labels, part_open
from rules.masking import mask_licence
from rules.matter import Event, Matter, State
from rules.messages import notice_text
from rules.notices import Notice

# Written down for the record, but no news to the one who did it.
_QUIET = frozenset({"filled", "attached", "detached"})


async def matter_view(
    ctx: Context,
    matter: Matter,
    notices: Mapping[str, Notice] | None = None,
    reader: str | None = None,
) -> MatterView:
    """A matter as ``reader`` sees it, who applied or whom it is about: what he must still give and
    the messages to him; with all messages when there is no reader, as at the desk."""
    by_agent = matter.by_agent(reader or "")
    service = ctx.book.catalogue[matter.service]
    office = await ctx.office(matter.office)
    open_parts = matter.state in (State.DRAFT, State.CORRECTION)
    return MatterView(
        number=matter.number,
        service=service.code,
        title=service.title,
        state=matter.state.value,
        state_label=ctx.book.texts.say(f"states.{matter.state.value}"),
        created_at=matter.created_at,
        submitted_at=matter.submitted_at,
        due=matter.due,
        office=office_view(office) if office else None,
        form=dict(matter.form),
        fields=_fields(service, matter),
        materials=_materials(ctx, service, matter, reader),
        timeline=timeline(ctx, matter, office),
        next_step=_next_step(ctx, matter),
        actions=_actions(ctx, service, matter),
        consent_templates=list(ctx.book.texts.consent_templates()),
        defects=defect_views(service, matter),
        missing=[
            DefectView(part=d.part, label=labels(service, [d.part])[0], reason=d.reason)
            for d in (missing_parts(service, matter, by_agent=by_agent) if open_parts else ())
        ],
        notices=notice_views(ctx, matter, notices or {}, reader),
        version=matter.version,
        acting=await acting_view(ctx, matter),
    )


def _actions(ctx: Context, service: Service, matter: Matter) -> list[str]:
    """What the table holds for the citizen, without what the hour forbids."""
    found = allowed(service, matter, "citizen")
    if service.kind == "booking":
        found = possible_now(matter, found, ctx.now(), ctx.today())
    return list(found)


def _next_step(ctx: Context, matter: Matter) -> str:
    """What comes next, in the service's own words where it has some."""
    own = f"next.{matter.service}.{matter.state.value}"
    has = ctx.book.texts.has(own)
    return ctx.book.texts.say(own if has else f"next.{matter.state.value}")


def _touched(matter: Matter, material: str) -> bool:
    """Whether a material that is the agent's to give was given, or is to be put right: else it is
    nothing his principal is asked for."""
    wrong = any(d.part == f"material:{material}" for d in matter.defects)
    return wrong or bool(matter.photos_of(material))


def office_view(office: Office) -> OfficeView:
    """An office as shown."""
    return OfficeView(**vars(office))


def _fields(service: Service, matter: Matter) -> list[FieldView]:
    return [
        FieldView(
            name=f.name,
            label=f.label,
            value=matter.form.get(f.name, ""),
            text=display(f, matter.form[f.name]) if f.name in matter.form else "",
            required=f.required,
            open=part_open(matter, f"field:{f.name}"),
        )
        for f in service.fields
    ]


def _materials(
    ctx: Context, service: Service, matter: Matter, reader: str | None
) -> list[MaterialView]:
    by_agent = matter.by_agent(reader or "")
    return [
        MaterialView(
            name=m.name,
            label=m.label,
            shows=m.shows,
            required=material_required(m, by_agent=by_agent),
            max_photos=m.max_photos,
            open=part_open(matter, f"material:{m.name}"),
            photos=[
                PhotoView(
                    id=p.id,
                    media_type=p.media_type,
                    width=p.width,
                    height=p.height,
                    added_at=p.added_at,
                    thumbnail=thumbnail_path(ctx, matter.number, p.thumbnail),
                    checks=[ctx.book.texts.say(f"photo_checks.{c}") for c in p.checks],
                )
                for p in matter.photos_of(m.name)
            ],
        )
        for m in materials_of(service, matter)
        if m.when == "always" or by_agent or reader is None or _touched(matter, m.name)
    ]


def defect_views(service: Service, matter: Matter) -> list[DefectView]:
    """What is to be put right now; empty unless the matter is in correction."""
    if matter.state is not State.CORRECTION:
        return []
    return [
        DefectView(part=d.part, label=labels(service, [d.part])[0], reason=d.reason)
        for d in matter.defects
    ]


def timeline(ctx: Context, matter: Matter, office: Office | None) -> list[TimelineEntry]:
    """The progress, oldest first: every event that is news, with the reasons given."""
    service = ctx.book.catalogue[matter.service]
    return [
        TimelineEntry(
            at=e.at,
            type=e.type,
            text=ctx.book.texts.say(f"events.{e.type}"),
            office=office.name if office and e.actor.kind == "officer" else None,
            note=event_note(service, e),
            # Only where two may have done it need it be said which.
            actor=actor_label(ctx, matter, e) if matter.mandate else "",
        )
        for e in matter.timeline
        if e.type not in _QUIET
    ]


def actor_label(ctx: Context, matter: Matter, event: Event) -> str:
    """Who did it, not by name: the applicant himself, his agent, the system."""
    kind = event.actor.kind
    by_agent = kind == "citizen" and matter.by_agent(event.actor.key)
    return ctx.book.texts.say("actors.agent" if by_agent else f"actors.{kind}")


def event_note(service: Service, event: Event) -> str:
    """The words an officer added to an event: defects by name, or the reason."""
    if event.type == "sent_back":
        parts = labels(service, [d["part"] for d in event.data["defects"]])
        named = zip(parts, event.data["defects"], strict=True)
        return "；".join(f"{label}：{d['reason']}" for label, d in named)
    return str(event.data.get("reason") or event.data.get("note") or "")


def notice_views(
    ctx: Context, matter: Matter, notices: Mapping[str, Notice], reader: str | None = None
) -> list[NoticeView]:
    """The messages of one matter to ``reader`` (to everybody when None), oldest first, worded as
    they were sent."""
    service = ctx.book.catalogue[matter.service]
    views: list[NoticeView] = []
    for notice in sorted(notices.values(), key=lambda n: n.id):
        if reader is not None and reader_of(matter, notice.audience) != reader:
            continue
        event = next(e for e in matter.timeline if e.id == notice.event)
        sent = next((a.at for a in notice.attempts if a.outcome == "taken"), None)
        views.append(
            NoticeView(
                at=sent or notice.due or event.at,
                matter=matter.number,
                title=service.title,
                text=notice_text(ctx.book.texts, service, matter, notice.template),
                channel=ctx.book.texts.say(f"channels.{notice.channel or 'none'}"),
                state=notice.state.value,
                state_label=ctx.book.texts.say(f"notice_states.{notice.state.value}"),
                repeated=notice.flagged,
                reader=_reader_label(ctx, matter, notice),
            )
        )
    return views


def _reader_label(ctx: Context, matter: Matter, notice: Notice) -> str:
    if matter.mandate is None:
        return ""
    return ctx.book.texts.say(
        "actors.agent" if notice.audience == "applicant" else "actors.citizen"
    )


def licence_view(ctx: Context, licence: Licence, office: Office | None, bound: bool) -> LicenceView:
    """A licence as its holder sees it."""
    say = ctx.book.texts.say
    if licence.deferred_until is not None:
        deferral = say("licence.deferred", until=licence.deferred_until.isoformat())
    elif licence.deferral_pending:
        deferral = say("licence.deferral_pending")
    else:
        deferral = ""
    return LicenceView(
        number=mask_licence(licence.number),
        vehicle_class=licence.vehicle_class,
        status=licence.status,
        valid_from=licence.valid_from,
        valid_until=licence.valid_until,
        issuing_office=office.name if office else licence.issuing_office,
        points=licence.points,
        bound=bound,
        deferral=deferral,
    )
