"""Face-signing (面签): an officer checks the original ID card and signs the citizen up.

Only the vehicle office that issued the licence or registered a vehicle may do it (REQ A4). It is a
matter of the service ``register-face-sign``, finished at once; its effect grants the rights.

At the desk it is a visit: the card's number is read, a picture of the person is taken, the officer
compares it with the registry's portrait and confirms. The picture stays with the matter. A phone
other than the one known so far is proved by a code sent to it; the former one is told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from casework import mandates, steps
from casework.access_log import record_look
from casework.codes import desk_slot, prove, send_to_phone
from casework.context import Context
from casework.desk import DeskLicence, desk_licence, marked_photo
from casework.desk_people import PersonView
from casework.facts import facts_about
from casework.imaging import PORTRAIT_SIDE
from casework.officers import Officer
from casework.photos import Spool
from casework.presenting import matter_view, office_view
from casework.views import MatterView, OfficeView, PhotoFile
from casework.visits import Visit, begin_visit, keep, kept, visit_of
from rules import phones
from rules.facesign import signing_offices
from rules.facts import Vehicle
from rules.id_number import normalise
from rules.masking import groups, mask_phone, shown
from rules.people import Tier
from rules.refusals import Refusal

_SERVICE = "register-face-sign"
_PURPOSE = "face-sign"
_PORTRAIT, _PICTURE = "portrait", "counter_picture"
_NEW = "new-phone"
CHECKS = frozenset({"card", "face", "papers"})
"""What the officer ticks, each by its text ``desk.sign.check_<name>``."""


@dataclass(frozen=True)
class FaceSignView:
    """What the officer compares with the original card, and whether his office may sign.
    ``sent_to`` is the new phone, masked, once a code is on its way to it."""

    person: PersonView
    licence: DeskLicence | None
    vehicles: list[Vehicle]
    allowed: bool
    already: bool
    offices: list[OfficeView]
    visit: str = ""
    portrait: bool = False
    picture: bool = False
    sent_to: str = ""


async def receive(ctx: Context, officer: Officer, id_number: str) -> FaceSignView:
    """Look a person up and, where this office may sign him up, begin the visit.

    Raises as ``face_sign_lookup``.
    """
    found = await face_sign_lookup(ctx, officer, id_number)
    if not found.allowed:
        return found
    number = found.person.id_number
    key = ctx.stores.vault.id_key(number)
    visit = await begin_visit(ctx, officer, _PURPOSE, key, number)
    return await _with_kept(ctx, found, visit)


async def received(ctx: Context, officer: Officer, visit_id: str) -> FaceSignView:
    """The person of a visit under way, looked up afresh. Raises visit-ended."""
    visit = await visit_of(ctx, officer, _PURPOSE, visit_id)
    found = await face_sign_lookup(ctx, officer, visit.id_number)
    return await _with_kept(ctx, found, visit)


async def _with_kept(ctx: Context, found: FaceSignView, visit: Visit) -> FaceSignView:
    new = await kept(ctx, visit, _NEW)
    return replace(
        found,
        visit=visit.id,
        portrait=await ctx.stores.registry.portrait(visit.key) is not None,
        picture=await kept(ctx, visit, _PICTURE) is not None,
        sent_to=mask_phone(str(new["phone"])) if new else "",
    )


async def send_code(ctx: Context, officer: Officer, visit_id: str, phone: str) -> None:
    """Send a code to the phone given at the window where it is another than the one known so far;
    the person reads it out. Raises visit-ended, phone-invalid, phone-unchanged, too-many-codes."""
    visit = await visit_of(ctx, officer, _PURPOSE, visit_id)
    new = phones.normalise(phone)
    if new == await _known_phone(ctx, visit.key):
        raise Refusal("phone-unchanged")
    await send_to_phone(ctx, purpose=_PURPOSE, key=visit.key, phone=new, asker=visit.id)
    await keep(ctx, visit, _NEW, {"phone": new})


def slot(ctx: Context, visit: Visit, phone: str) -> str:
    """Where a code is kept: for one visit and one phone."""
    return desk_slot(ctx, _PURPOSE, visit.key, phone, visit.id)


async def _known_phone(ctx: Context, key: str) -> str:
    """The account's own phone, else the one on file."""
    session = await ctx.stores.sessions.get(key)
    if session is not None:
        return session.phone
    on_file = await ctx.stores.registry.phone_on_file(key)
    return on_file.phone if on_file else ""


async def take_picture(ctx: Context, officer: Officer, visit_id: str, upload: Spool) -> None:
    """Keep the picture taken at the counter, in place of a former one. Raises visit-ended and the
    photo-… refusals."""
    visit = await visit_of(ctx, officer, _PURPOSE, visit_id)
    prepared = await ctx.lab.prepare(upload, PORTRAIT_SIDE)
    photo_id, thumbnail = await ctx.stores.photos.keep(prepared, visit.number, ctx.now())
    # A picture taken again leaves the former one unnamed: the sweep deletes it.
    picture = {
        "id": photo_id,
        "material": _PICTURE,
        "media_type": prepared.media_type,
        "width": prepared.width,
        "height": prepared.height,
        "bytes": prepared.bytes,
        "thumbnail": thumbnail,
        "checks": list(prepared.checks),
    }
    await keep(ctx, visit, _PICTURE, picture)


async def shown_portrait(ctx: Context, officer: Officer, visit_id: str) -> PhotoFile:
    """The registry's portrait of the person of a visit, marked. Raises visit-ended, not-found."""
    visit = await visit_of(ctx, officer, _PURPOSE, visit_id)
    portrait = await ctx.stores.registry.portrait(visit.key)
    if portrait is None:
        raise Refusal("not-found")
    return await _shown(ctx, officer, visit, portrait, _PORTRAIT)


async def shown_picture(ctx: Context, officer: Officer, visit_id: str) -> PhotoFile:
    """The picture taken at the counter, marked. Raises visit-ended, not-found."""
    visit = await visit_of(ctx, officer, _PURPOSE, visit_id)
    picture = await kept(ctx, visit, _PICTURE)
    if picture is None:
        raise Refusal("not-found")
    return await _shown(ctx, officer, visit, str(picture["id"]), _PICTURE)


async def _shown(
    ctx: Context, officer: Officer, visit: Visit, photo_id: str, which: str
) -> PhotoFile:
    await record_look(ctx, officer, "open-photo", visit.key, visit.number, [which])
    photo = await marked_photo(ctx, officer, photo_id)
    await keep(ctx, visit, f"{which}-shown", {"photo": photo_id})
    return photo


async def confirm(
    ctx: Context,
    officer: Officer,
    visit_id: str,
    *,
    phone: str,
    checked: frozenset[str],
    code: str = "",
) -> MatterView:
    """Sign the person of a visit up, once both pictures were shown and every check is ticked;
    ``code`` is the one read out where the phone is a new one.

    Where the registry has no portrait, the original card's picture takes its place. Raises
    visit-ended, not-compared, code-wrong, code-expired, too-many-tries, and as ``face_sign``.
    """
    visit = await visit_of(ctx, officer, _PURPOSE, visit_id)
    picture = await kept(ctx, visit, _PICTURE)
    portrait = await ctx.stores.registry.portrait(visit.key)
    compared = await _was_shown(ctx, visit, _PORTRAIT, portrait) or portrait is None
    taken = picture is not None and await _was_shown(ctx, visit, _PICTURE, str(picture["id"]))
    if not (compared and taken and checked >= CHECKS):
        raise Refusal("not-compared")
    assert picture is not None  # taken
    proved = await _proved(ctx, visit, phone, code)
    signed = await face_sign(
        ctx,
        officer,
        id_number=visit.id_number,
        phone=phone,
        proved=proved,
        cause=visit.cause,
        number=visit.number,
        photos=[picture],
        compared_with="registry" if portrait else "card",
    )
    await ctx.stores.photos.confirm(str(picture["id"]))
    await ctx.stores.photos.confirm(str(picture["thumbnail"]))
    return signed


async def _proved(ctx: Context, visit: Visit, phone: str, code: str) -> bool:
    """Whether the code read out is the one sent to this very phone. A second click is proved by
    the same code. Raises the code refusals."""
    new = await kept(ctx, visit, _NEW)
    given = phones.normalise(phone)
    if new != {"phone": given} or not code or given == await _known_phone(ctx, visit.key):
        return False
    again = int(ctx.figure("sms_code.again_seconds"))
    await prove(ctx, slot(ctx, visit, given), code, claim=visit.id, again=again)
    return True


async def _was_shown(ctx: Context, visit: Visit, which: str, photo_id: str | None) -> bool:
    seen = await kept(ctx, visit, f"{which}-shown")
    return photo_id is not None and seen == {"photo": photo_id}


async def face_sign_lookup(ctx: Context, officer: Officer, id_number: str) -> FaceSignView:
    """The registry's record of the person at the window, masked and without what he holds for an
    office that may not sign him up. The look is recorded first.

    Raises the ID-number refusals, not-in-registry when neither licence nor vehicle is held.
    """
    officer.must("face_sign")
    number = normalise(id_number, ctx.today())
    key = ctx.stores.vault.id_key(number)
    facts = await facts_about(ctx, key, number)
    on_file = await ctx.stores.registry.phone_on_file(key)
    if on_file is None or not signing_offices(facts):
        await record_look(ctx, officer, "face-sign", key, None, [])
        raise Refusal("not-in-registry")
    # An office that may not sign him up only learns which one may.
    allowed = officer.office.code in signing_offices(facts)
    screen = "desk.face_sign" if allowed else "desk.face_sign_elsewhere"
    await record_look(ctx, officer, "face-sign", key, None, groups(screen))
    return FaceSignView(
        person=PersonView(
            shown(screen, "name", on_file.name),
            shown(screen, "id_number", number),
            shown(screen, "phone", await _known_phone(ctx, key)),
        ),
        licence=desk_licence(ctx, facts) if allowed else None,
        vehicles=list(facts.vehicles) if allowed else [],
        allowed=allowed,
        already=Tier.FACE_SIGNED in facts.tiers,
        offices=[
            office_view(facts.offices[code])
            for code in sorted(signing_offices(facts))
            if code in facts.offices
        ],
    )


async def face_sign(
    ctx: Context,
    officer: Officer,
    *,
    id_number: str,
    phone: str,
    cause: str,
    number: str | None = None,
    photos: Sequence[Mapping[str, object]] = (),
    compared_with: str = "card",
    proved: bool = False,
) -> MatterView:
    """Sign the citizen up: account if there is none, face-signed rights, licence and vehicles.

    ``phone`` is the one he gives at the window with his original card; another than the one known
    so far is ``proved`` by a code sent to it. ``number`` is the matter's where a visit named it
    before; ``photos`` are those taken, ``compared_with`` says with what: the registry's portrait
    or the card's. Raises wrong-office, phone-not-proved, phone-invalid, the ID-number refusals,
    not-in-registry.
    """
    officer.must("face_sign")
    id_number = normalise(id_number, ctx.today())
    key = ctx.stores.vault.id_key(id_number)
    facts = await facts_about(ctx, key, id_number)
    on_file = await ctx.stores.registry.phone_on_file(key)
    if on_file is None:
        raise Refusal("not-in-registry")
    await record_look(ctx, officer, "face-sign", key, None, groups("desk.face_sign_receipt"))
    given = {
        "applicant": key,
        "subject": key,
        "id_number": id_number,
        "name": on_file.name,
        "phone": phones.normalise(phone),
        "before": await _known_phone(ctx, key),
        "proved": proved,
        "photos": list(photos),
        "compared_with": compared_with,
    }
    service = ctx.book.catalogue[_SERVICE]
    matter = await steps.start(
        ctx, service, "face_sign", officer.actor, f"{key}:{cause}", given, facts, number
    )
    session = await ctx.stores.sessions.get(key)
    if session is not None and matter.timeline[0].data.get("before"):
        await mandates.end_given(ctx, session.citizen(ctx.today()), f"signed:{matter.number}")
    stored = await steps.load(ctx, matter.number)
    return await matter_view(ctx, stored.matter, stored.notices)
