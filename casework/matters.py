"""A citizen's own matters: begin, fill in, submit, follow, withdraw."""

from collections.abc import Mapping

from casework import steps
from casework.acting import acting_view, facts_for, rows_of, sees
from casework.context import Context
from casework.numbers import number_for
from casework.photos import Spool
from casework.presenting import matter_view, notice_views
from casework.thumbnails import thumbnail_window
from casework.views import MatterSummary, MatterView, NoticeView, PhotoFile
from rules.flow import ENDED
from rules.matter import Matter, State, thrown_away
from rules.people import Citizen
from rules.refusals import Refusal
from storage.matter_documents import StoredMatter
from storage.photos import PhotoMissing

_LIST = 50
_TRIES = 8


async def open_draft(
    ctx: Context,
    citizen: Citizen,
    service_code: str,
    cause: str,
    channel: str,
    mandate: str | None = None,
) -> MatterView:
    """Begin a draft, or go on with the one under way, in whichever channel it was begun.

    By a ``mandate`` (a grant's name) it is begun for the principal, whose rights and one place
    count. Raises Refusal: service-unknown, booked-in-plan (a test is booked elsewhere),
    not-allowed-tier, service-not-open, the service's conditions, already-under-way when a matter
    of this service is past its draft; for an agent also agent-not-online, mandate-not-live,
    mandate-not-covering, and subject-under-way when the principal has a matter under way that is
    not this mandate's.
    """
    service = ctx.book.catalogue.find(service_code)
    if service.kind == "booking":
        raise Refusal("booked-in-plan", service=service.title, address="/bookings")
    subject, facts = await facts_for(ctx, citizen, service, mandate)
    given = {
        "applicant": citizen.key,
        "subject": subject,
        "channel": channel,
        "mandate": mandate,
    }
    for _ in range(_TRIES):
        number, begun = await _number(ctx, citizen, service.code, cause)
        if begun is not None:
            # The same request again, however the matter it began has fared since.
            return await matter_view(ctx, begun.matter, begun.notices, citizen.key)
        if service.one_at_a_time:
            # The claim is the truth: whoever loses it goes on with the winner's draft. A claim
            # whose matter was never begun is not given back but taken up by the next to ask: its
            # holder may be writing it this moment.
            number = await ctx.stores.sessions.claim_open(subject, service.code, number)
            ctx.checkpoint("after-claim")
        if await ctx.stores.matters.get(number) is None:
            await steps.start(ctx, service, "create", citizen.actor, cause, given, facts, number)
        stored = await steps.load(ctx, number)
        if stored.matter.subject == subject and stored.matter.state not in ENDED:
            return await _under_way(ctx, citizen, stored, mandate)
        # It ended and the release of its place is still owed, or somebody else began a matter of
        # the number claimed: settle that and begin anew.
        await steps.apply_owed(ctx, number)
        await ctx.stores.sessions.release_open(subject, service.code, number)
    raise Refusal("busy-try-again")


async def _under_way(
    ctx: Context, citizen: Citizen, stored: StoredMatter, mandate: str | None
) -> MatterView:
    """Go on with the matter that holds the place: whom it is about with any draft, an agent only
    with that of his own grant; of any other he learns no more than that there is one."""
    matter, title = stored.matter, ctx.book.catalogue[stored.matter.service].title
    if citizen.key != matter.subject and (matter.applicant, matter.mandate) != (
        citizen.key,
        mandate,
    ):
        raise Refusal("subject-under-way", service=title)
    if matter.state is not State.DRAFT:
        raise Refusal("already-under-way", number=matter.number, service=title)
    return await matter_view(ctx, matter, stored.notices, citizen.key)


async def _number(
    ctx: Context, citizen: Citizen, service: str, cause: str
) -> tuple[str, StoredMatter | None]:
    """The number a request's matter gets, and the matter when the request began it before. One
    that another matter has by chance is passed over."""
    for attempt in range(_TRIES):
        wanted = number_for(ctx.stores.vault, f"{citizen.key}:{service}:{cause}", attempt)
        stored = await ctx.stores.matters.get(wanted)
        if stored is None:
            return wanted, None
        if steps.begun_by(stored.matter, citizen.key, cause):
            return wanted, stored
    raise Refusal("busy-try-again")


async def fill(
    ctx: Context, citizen: Citizen, number: str, values: Mapping[str, str], cause: str
) -> MatterView:
    """Write form values. Raises form-incomplete naming each bad field; nothing is saved then."""
    return await _step(ctx, citizen, number, "fill", cause, {"values": dict(values)})


async def attach(
    ctx: Context, citizen: Citizen, number: str, material: str, upload: Spool, cause: str
) -> MatterView:
    """Add a photo to a material.

    The picture is checked, turned upright, freed of EXIF and stored encrypted before the matter
    names it; a stored picture that no matter names is swept after a day. Raises the photo-…
    refusals, part-not-open, photo-limit, step-not-possible.
    """
    matter = await owned(ctx, citizen, number)
    if matter.event_of(cause) is not None:
        return await matter_view(ctx, matter, reader=citizen.key)
    prepared = await ctx.lab.prepare(upload)
    photo_id, thumbnail = await ctx.stores.photos.keep(prepared, number, ctx.now())
    photo = {
        "id": photo_id,
        "material": material,
        "media_type": prepared.media_type,
        "width": prepared.width,
        "height": prepared.height,
        "bytes": prepared.bytes,
        "thumbnail": thumbnail,
        "checks": list(prepared.checks),
    }
    try:
        view = await _step(ctx, citizen, number, "attach", cause, {"photo": photo})
    except Refusal:
        await _delete_pictures(ctx, photo_id, thumbnail)
        raise
    if _names(view, photo_id):
        await ctx.stores.photos.confirm(photo_id)
        await ctx.stores.photos.confirm(thumbnail)
    else:
        # The same request was faster elsewhere, or the photo was taken away again meanwhile.
        await _delete_pictures(ctx, photo_id, thumbnail)
    return view


def _names(view: MatterView, photo_id: str) -> bool:
    return any(p.id == photo_id for m in view.materials for p in m.photos)


async def _delete_pictures(ctx: Context, photo_id: str, thumbnail: str) -> None:
    await ctx.stores.photos.delete(photo_id)
    await ctx.stores.photos.delete(thumbnail)


async def detach(
    ctx: Context, citizen: Citizen, number: str, photo_id: str, cause: str
) -> MatterView:
    """Take a photo away again; the picture itself is deleted. Raises not-found, part-not-open."""
    matter = await owned(ctx, citizen, number)
    gone = next((p for p in matter.photos if p.id == photo_id), None)
    if gone is not None:
        # Were the process to die after the step, the sweep would still find the pictures.
        await ctx.stores.photos.doubt(gone.id, ctx.now())
        await ctx.stores.photos.doubt(gone.thumbnail, ctx.now())
    view = await _step(ctx, citizen, number, "detach", cause, {"photo": photo_id})
    if gone is not None and not _names(view, photo_id):
        await _delete_pictures(ctx, gone.id, gone.thumbnail)
    return view


async def photo(ctx: Context, citizen: Citizen, number: str, photo_id: str) -> PhotoFile:
    """A photo of one of the citizen's own matters. Raises not-found."""
    matter = await owned(ctx, citizen, number)
    found = next((p for p in matter.photos if p.id == photo_id), None)
    if found is None:
        raise Refusal("not-found")
    try:
        return PhotoFile(found.media_type, await ctx.stores.photos.open(found.id))
    except PhotoMissing as error:
        # Taken away between the two looks.
        raise Refusal("not-found") from error


async def submit(ctx: Context, citizen: Citizen, number: str, cause: str) -> MatterView:
    """Hand it in, for the first time or after correction. Raises materials-missing and the
    service's conditions."""
    return await _step(ctx, citizen, number, "submit", cause)


async def withdraw(ctx: Context, citizen: Citizen, number: str, cause: str) -> MatterView:
    """Take it back before it is decided; a draft is thrown away."""
    return await _step(ctx, citizen, number, "withdraw", cause)


async def urge(ctx: Context, citizen: Citizen, number: str, cause: str) -> MatterView:
    """Urge the office (催办)."""
    return await _step(ctx, citizen, number, "urge", cause)


async def view(ctx: Context, citizen: Citizen, number: str) -> MatterView:
    """One matter of the citizen's, with its progress and what may be done now.

    A view drawn a moment ago by this process serves as long as nothing was written to the matter.
    """
    name = f"{number}/{citizen.key}"
    known = ctx.recent.views.get(name)
    if known is not None:
        stamp = await ctx.stores.matters.stamp(number)
        if stamp is None or not await sees(ctx, citizen.key, stamp):
            raise Refusal("not-found")
        if (stamp.version, stamp.notice_rev, thumbnail_window(ctx)) == known[0]:
            return known[1]
    stored = await steps.load(ctx, number)
    await _must_see(ctx, citizen, stored.matter)
    drawn = await matter_view(ctx, stored.matter, stored.notices, citizen.key)
    at = (stored.matter.version, stored.notice_rev, thumbnail_window(ctx))
    ctx.recent.views[name] = (at, drawn)
    return drawn


async def mine(ctx: Context, citizen: Citizen, limit: int = 20) -> list[MatterSummary]:
    """The citizen's matters and those he is an agent in, newest first; thrown-away drafts are not
    among them."""
    rows = await rows_of(ctx, citizen, min(limit, _LIST))
    return [
        MatterSummary(
            number=row.number,
            service=row.service,
            title=ctx.book.catalogue[row.service].title,
            state=row.state.value,
            state_label=ctx.book.texts.say(f"states.{row.state.value}"),
            updated_at=row.updated_at,
            acting=await acting_view(ctx, row),
        )
        for row in rows
        if not thrown_away(row.state, row.submitted_at)
    ]


async def notices(ctx: Context, citizen: Citizen) -> list[NoticeView]:
    """Every message to the citizen about a matter, newest first, sent or still owed."""
    rows = await rows_of(ctx, citizen, _LIST)
    found: list[NoticeView] = []
    for row in rows:
        stored = await steps.load(ctx, row.number)
        found.extend(notice_views(ctx, stored.matter, stored.notices, citizen.key))
    return sorted(found, key=lambda n: n.at, reverse=True)


async def owned(ctx: Context, citizen: Citizen, number: str) -> Matter:
    """A matter of the citizen's, or one he is an agent in. Another's is ``not-found``, as is one
    that does not exist, and one whose mandate has ended."""
    matter = (await steps.load(ctx, number)).matter
    await _must_see(ctx, citizen, matter)
    return matter


async def _must_see(ctx: Context, citizen: Citizen, matter: Matter) -> None:
    if not await sees(ctx, citizen.key, matter):
        raise Refusal("not-found")


async def _step(
    ctx: Context,
    citizen: Citizen,
    number: str,
    action: str,
    cause: str,
    given: Mapping[str, object] | None = None,
) -> MatterView:
    await owned(ctx, citizen, number)
    await steps.take(ctx, number, action, citizen.actor, cause, given)
    stored = await steps.load(ctx, number)
    return await matter_view(ctx, stored.matter, stored.notices, citizen.key)
