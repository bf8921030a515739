"""Changing one's phone at the counter (联系方式变更): card read, new phone proved by a code, done.

It is a matter of the service ``contact-change``, finished at once. Its effect changes the account's
phone and ends every login; the decision goes to the internal system, which is the truth about the
phone on file: the registry's mirror shows it when the next file comes.
"""

from dataclasses import dataclass, replace

from casework import mandates, steps
from casework.access_log import record_look
from casework.codes import desk_slot, prove, send_to_phone
from casework.context import Context
from casework.desk_people import PersonView
from casework.facts import facts_about
from casework.officers import Officer
from casework.presenting import matter_view, office_view
from casework.views import MatterView, OfficeView
from casework.visits import Visit, begin_visit, keep, kept, visit_of
from rules import phones
from rules.contacts import may_change_at
from rules.facesign import signing_offices
from rules.facts import Facts
from rules.id_number import normalise
from rules.masking import mask_id, mask_name, mask_phone
from rules.refusals import Refusal

_SERVICE = "contact-change"
_PURPOSE = "contact"
_NEW = "new-phone"
CHECKS = frozenset({"card", "face"})
"""What the officer ticks, each by its text ``desk.contact.check_<name>``."""


@dataclass(frozen=True)
class ContactView:
    """What the officer compares with the card; phones are masked. ``sent_to`` is the new phone
    once a code is on its way to it."""

    person: PersonView
    account: bool
    allowed: bool
    offices: list[OfficeView]
    visit: str = ""
    sent_to: str = ""


@dataclass(frozen=True)
class _Known:
    """A person as known before the change."""

    name: str
    phone: str
    account: bool


async def receive(ctx: Context, officer: Officer, id_number: str) -> ContactView:
    """Look a person up and, where this office may change his phone, begin the visit.

    Raises the ID-number refusals, nobody-found.
    """
    officer.must("contact_change")
    number = normalise(id_number, ctx.today())
    key = ctx.stores.vault.id_key(number)
    found = await _look_up(ctx, officer, key, number)
    if not found.allowed:
        return found
    visit = await begin_visit(ctx, officer, _PURPOSE, key, number)
    return replace(found, visit=visit.id)


async def received(ctx: Context, officer: Officer, visit_id: str) -> ContactView:
    """The person of a visit under way. Raises visit-ended."""
    visit = await visit_of(ctx, officer, _PURPOSE, visit_id)
    found = await _look_up(ctx, officer, visit.key, visit.id_number)
    new = await kept(ctx, visit, _NEW)
    return replace(found, visit=visit.id, sent_to=mask_phone(str(new["phone"])) if new else "")


async def _look_up(ctx: Context, officer: Officer, key: str, number: str) -> ContactView:
    await record_look(ctx, officer, "contact-change", key, None, ["name", "phone-masked"])
    known = await _known(ctx, key)
    facts = await _facts(ctx, officer, key, number)
    allowed = may_change_at(officer.office, facts, ctx.book.regions)
    name, shown = (known.name, number) if allowed else (mask_name(known.name), mask_id(number))
    return ContactView(
        person=PersonView(name, shown, mask_phone(known.phone)),
        account=known.account,
        allowed=allowed,
        offices=[
            office_view(facts.offices[code])
            for code in sorted(signing_offices(facts))
            if code in facts.offices
        ],
    )


async def _known(ctx: Context, key: str) -> _Known:
    """The account's name and phone, else those on file, else the population registry's name."""
    session = await ctx.stores.sessions.get(key)
    if session is not None:
        return _Known(session.name, session.phone, True)
    on_file = await ctx.stores.registry.phone_on_file(key)
    if on_file is not None:
        return _Known(on_file.name, on_file.phone, False)
    name = await ctx.stores.registry.population_name(key)
    if name is None:
        raise Refusal("nobody-found")
    return _Known(name, "", False)


async def _facts(ctx: Context, officer: Officer, key: str, number: str) -> Facts:
    """The facts about the person, the officer's own office among them."""
    facts = await facts_about(ctx, key, number)
    return replace(facts, offices={**facts.offices, officer.office.code: officer.office})


async def send_code(ctx: Context, officer: Officer, visit_id: str, phone: str) -> None:
    """Send a code to the new phone, which the person at the counter reads out.

    Raises visit-ended, phone-invalid, phone-unchanged, too-many-codes.
    """
    visit = await visit_of(ctx, officer, _PURPOSE, visit_id)
    new = phones.normalise(phone)
    if new == (await _known(ctx, visit.key)).phone:
        raise Refusal("phone-unchanged")
    # Counted before it is kept: a phone that is full is not the one that will be proved.
    await send_to_phone(ctx, purpose=_PURPOSE, key=visit.key, phone=new, asker=visit.id)
    await keep(ctx, visit, _NEW, {"phone": new})


def slot(ctx: Context, visit: Visit, phone: str) -> str:
    """Where a code is kept: for one visit and one phone."""
    return desk_slot(ctx, _PURPOSE, visit.key, phone, visit.id)


async def confirm(
    ctx: Context, officer: Officer, visit_id: str, *, code: str, checked: frozenset[str]
) -> MatterView:
    """Change the phone; a repeated click gives the same matter.

    Raises visit-ended, not-checked, code-wrong, code-expired, too-many-tries, phone-unchanged,
    wrong-contact-office.
    """
    visit = await visit_of(ctx, officer, _PURPOSE, visit_id)
    cause = f"{visit.key}:{visit.cause}"
    done = await ctx.stores.matters.get(visit.number)
    if done is not None and steps.begun_by(done.matter, visit.key, cause):
        await _end_mandates(ctx, visit)
        return await matter_view(ctx, done.matter, done.notices)
    new = await kept(ctx, visit, _NEW)
    if new is None or not checked >= CHECKS:
        raise Refusal("not-checked")
    phone = str(new["phone"])
    again = int(ctx.figure("sms_code.again_seconds"))
    await prove(ctx, slot(ctx, visit, phone), code, claim=visit.id, again=again)
    known = await _known(ctx, visit.key)
    await record_look(ctx, officer, "contact-change", visit.key, visit.number, ["name", "phone"])
    given = {
        "applicant": visit.key,
        "subject": visit.key,
        "id_number": visit.id_number,
        "name": known.name,
        "phone": phone,
        "before": known.phone,
    }
    facts = await _facts(ctx, officer, visit.key, visit.id_number)
    service = ctx.book.catalogue[_SERVICE]
    matter = await steps.start(
        ctx, service, "change_contact", officer.actor, cause, given, facts, visit.number
    )
    await _end_mandates(ctx, visit)
    stored = await steps.load(ctx, matter.number)
    return await matter_view(ctx, stored.matter, stored.notices)


async def _end_mandates(ctx: Context, visit: Visit) -> None:
    """What the former phone confirmed ends with it: whoever found or stole it may have had
    himself made somebody's agent."""
    session = await ctx.stores.sessions.get(visit.key)
    if session is not None:
        await mandates.end_given(ctx, session.citizen(ctx.today()), f"contact:{visit.number}")
