"""The officers' desk: a matter with all an officer may see, its photos, deciding.

Every look is written to the access log before anything is shown.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass

from casework import steps
from casework.access_log import record_look
from casework.context import Context
from casework.desk_people import AgentView, PersonView, agent_view, applicant_view
from casework.facts import facts_about
from casework.officers import Officer
from casework.offices import office_name
from casework.presenting import actor_label, event_note, licence_view, matter_view
from casework.views import LicenceView, MatterView, PhotoFile, TimelineEntry
from rules.calendar import HOUSE_ZONE
from rules.conditions import judged
from rules.enrolments import of_office_alone
from rules.exams.plan import SERVICE as BOOKING
from rules.facts import Facts, Vehicle
from rules.flow import allowed
from rules.masking import groups
from rules.matter import Defect, Matter
from rules.refusals import Refusal
from storage.matter_documents import StoredMatter
from storage.photos import PhotoMissing


@dataclass(frozen=True)
class DeskLicence(LicenceView):
    """A licence with its full number and its holder, to be compared with the person."""

    holder: str


@dataclass(frozen=True)
class ConditionView:
    """A condition of the service, judged as of the day of submission."""

    text: str
    met: bool


@dataclass(frozen=True)
class DeskMatter:
    """A matter as the deciding officer sees it. The applicant is whom it is about; ``agent`` is
    set where somebody else applied for him. ``may_leave``: whether the officer can end the
    enrolment of a student who came in person."""

    view: MatterView
    applicant: PersonView
    agent: AgentView | None
    registered_name: str | None
    licence: DeskLicence | None
    vehicles: list[Vehicle]
    conditions: list[ConditionView]
    log: list[TimelineEntry]
    actions: list[str]
    may_leave: bool
    version: int


async def open_matter(ctx: Context, officer: Officer, number: str) -> DeskMatter:
    """A matter of the officer's own office, with applicant, registry record and conditions.

    Raises not-found, wrong-office. The look is recorded before it is answered.
    """
    stored = await _of_office(ctx, officer, number)
    matter = stored.matter
    await record_look(ctx, officer, "open-matter", matter.subject, number, groups("desk.matter"))
    if matter.mandate is not None:
        agent = matter.applicant
        await record_look(ctx, officer, "open-agent", agent, number, groups("desk.agent"))
    service = ctx.book.catalogue[matter.service]
    facts = await facts_about(ctx, matter.subject, matter.form.get("id_number"))
    day = (matter.submitted_at or ctx.now()).astimezone(HOUSE_ZONE).date()
    possible = allowed(service, matter, "officer")
    in_person = officer.may("enrol_in_person") and of_office_alone(matter, officer.office.code)
    return DeskMatter(
        view=await matter_view(ctx, matter, stored.notices),
        applicant=await applicant_view(ctx, matter),
        agent=await agent_view(ctx, matter),
        registered_name=await ctx.stores.registry.population_name(matter.subject),
        licence=desk_licence(ctx, facts),
        vehicles=list(facts.vehicles),
        conditions=[
            ConditionView(text, met)
            for text, met in judged(service, facts, matter.form, ctx.book.parameters, day)
        ],
        log=await whole_log(ctx, matter),
        # With his code, on a page of its own: it is no decision.
        actions=[action for action in possible if action != "leave"],
        may_leave="leave" in possible and in_person,
        version=matter.version,
    )


def desk_licence(ctx: Context, facts: Facts) -> DeskLicence | None:
    """The licence of the person the facts are about, as an officer sees it."""
    licence = facts.licence
    if licence is None:
        return None
    office = facts.offices.get(licence.issuing_office)
    masked = vars(licence_view(ctx, licence, office, facts.licence_bound))
    return DeskLicence(**{**masked, "number": licence.number}, holder=licence.holder_name)


async def officer_photo(ctx: Context, officer: Officer, number: str, photo_id: str) -> PhotoFile:
    """A photo of a matter of the officer's office, marked with who looked and when."""
    stored = await _of_office(ctx, officer, number)
    if all(p.id != photo_id for p in stored.matter.photos):
        raise Refusal("not-found")
    await record_look(
        ctx, officer, "open-photo", stored.matter.subject, number, [f"photo:{photo_id}"]
    )
    return await marked_photo(ctx, officer, photo_id)


async def marked_photo(ctx: Context, officer: Officer, photo_id: str) -> PhotoFile:
    """A stored picture marked with who looked and when; the look is recorded by who calls.

    Raises not-found.
    """
    try:
        content = b"".join([piece async for piece in await ctx.stores.photos.open(photo_id)])
    except PhotoMissing as error:
        raise Refusal("not-found") from error
    when = ctx.now().astimezone(HOUSE_ZONE).strftime("%Y-%m-%d %H:%M")
    marked = await ctx.lab.watermark(content, f"{officer.username} {officer.office.code} {when}")

    async def once() -> AsyncIterator[bytes]:
        yield marked

    return PhotoFile("image/jpeg", once())


async def decide(
    ctx: Context,
    officer: Officer,
    number: str,
    version: int,
    decision: str,
    defects: Sequence[Defect],
    reason: str,
    cause: str,
) -> MatterView:
    """Approve, send back with every defect named, or refuse with a reason.

    Decided on ``version`` as the officer saw it: a newer one raises stale-version. Raises also
    wrong-office, reason-needed, step-not-possible.
    """
    if decision not in ("approve", "send_back", "refuse"):
        raise Refusal("bad-request")
    given = {"defects": [asdict(d) for d in defects], "reason": reason.strip()}
    await _of_office(ctx, officer, number)
    await steps.take(ctx, number, decision, officer.actor, cause, given, seen=version)
    stored = await steps.load(ctx, number)
    return await matter_view(ctx, stored.matter, stored.notices)


async def _of_office(ctx: Context, officer: Officer, number: str) -> StoredMatter:
    officer.must("review")
    stored = await steps.load(ctx, number)
    if stored.matter.service == BOOKING:
        # Its own page asks for its own permission (casework/exams/desk_bookings.py).
        raise Refusal("not-found")
    if stored.matter.office != officer.office.code or steps.is_draft(stored.matter):
        await record_look(ctx, officer, "turned-away", stored.matter.subject, number, [])
        if steps.is_draft(stored.matter):
            raise Refusal("not-found")
        raise Refusal("wrong-office", office=await office_name(ctx, stored.matter.office))
    return stored


async def whole_log(ctx: Context, matter: Matter) -> list[TimelineEntry]:
    """Everything that happened, with who did it: an officer or a clerk by name, a citizen as
    such."""
    service = ctx.book.catalogue[matter.service]
    codes = {e.actor.office for e in matter.timeline if e.actor.office}
    names = {code: await office_name(ctx, code, code) for code in codes}
    return [
        TimelineEntry(
            at=e.at,
            type=e.type,
            text=ctx.book.texts.say(f"events.{e.type}"),
            office=names[e.actor.office] if e.actor.office else None,
            note=event_note(service, e),
            actor=e.actor.key if e.actor.office else actor_label(ctx, matter, e),
        )
        for e in matter.timeline
    ]
