"""Face-signing (面签): an officer checks the original ID card and signs the citizen up.

Only the vehicle office that issued the licence or registered a vehicle may do it (REQ A4). It is a
matter of the service ``register-face-sign``, finished at once; its effect grants the rights.
"""

from dataclasses import dataclass

from casework import steps
from casework.context import Context
from casework.desk import DeskLicence, PersonView, desk_licence, record_look
from casework.facts import facts_about
from casework.officers import Officer
from casework.presenting import matter_view, office_view
from casework.views import MatterView, OfficeView
from rules import phones
from rules.facts import Vehicle
from rules.guards import signing_offices
from rules.id_number import normalise
from rules.masking import mask_id, mask_name, mask_phone
from rules.people import Tier
from rules.refusals import Refusal

_SERVICE = "register-face-sign"


@dataclass(frozen=True)
class FaceSignView:
    """What the officer compares with the original card, and whether his office may sign."""

    person: PersonView
    licence: DeskLicence | None
    vehicles: list[Vehicle]
    allowed: bool
    already: bool
    offices: list[OfficeView]


async def face_sign_lookup(ctx: Context, officer: Officer, id_number: str) -> FaceSignView:
    """The registry's record of the person at the window, masked and without what he holds for an
    office that may not sign him up. The look is recorded first.

    Raises the ID-number refusals, not-in-registry when neither licence nor vehicle is held.
    """
    number = normalise(id_number, ctx.today())
    key = ctx.stores.vault.id_key(number)
    await record_look(ctx, officer, "face-sign", key, None, ["name", "licence", "vehicles"])
    facts = await facts_about(ctx, key, number)
    on_file = await ctx.stores.registry.phone_on_file(key)
    if on_file is None or not signing_offices(facts):
        raise Refusal("not-in-registry")
    # An office that may not sign him up only learns which one may.
    allowed = officer.office.code in signing_offices(facts)
    person = PersonView(on_file.name, number, on_file.phone)
    masked = PersonView(mask_name(on_file.name), mask_id(number), mask_phone(on_file.phone))
    return FaceSignView(
        person=person if allowed else masked,
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
    ctx: Context, officer: Officer, *, id_number: str, phone: str, cause: str
) -> MatterView:
    """Sign the citizen up: account if there is none, face-signed rights, licence bound.

    ``phone`` is the one he gives at the window with his original card, which is the lawful way of
    changing it. Raises wrong-office, phone-invalid, the ID-number refusals, not-in-registry.
    """
    number = normalise(id_number, ctx.today())
    key = ctx.stores.vault.id_key(number)
    facts = await facts_about(ctx, key, number)
    on_file = await ctx.stores.registry.phone_on_file(key)
    if on_file is None:
        raise Refusal("not-in-registry")
    await record_look(ctx, officer, "face-sign", key, None, ["name", "phone"])
    given = {
        "applicant": key,
        "subject": key,
        "id_number": number,
        "name": on_file.name,
        "phone": phones.normalise(phone),
    }
    service = ctx.book.catalogue[_SERVICE]
    matter = await steps.start(
        ctx, service, "face_sign", officer.actor, f"{key}:{cause}", given, facts
    )
    stored = await steps.load(ctx, matter.number)
    return await matter_view(ctx, stored.matter, stored.notices)
