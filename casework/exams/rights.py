"""What the rules say to a booking before a session is chosen (REQ B3)."""

from dataclasses import replace

from casework.context import Context
from casework.exams.facts import record_for
from casework.facts import facts_about
from casework.offices import with_offices
from casework.permissions import must
from rules.conditions import unmet
from rules.exams.plan import SERVICE
from rules.openings import not_open
from rules.people import Citizen
from rules.refusals import Refusal


async def must_be_student(ctx: Context, citizen: Citizen) -> None:
    """Raise not-allowed-tier, with the offices that help, unless he is a driving student."""
    facts = await facts_about(ctx, citizen.key, citizen.id_number)
    service = ctx.book.catalogue[SERVICE]
    await must(ctx, facts, service.who.business, service.title)


async def must_be_bookable(ctx: Context, citizen: Citizen, subject: str) -> None:
    """Raise what keeps a student from booking a subject today, whichever session he would choose.

    Raises not-a-student, service-not-open, the conditions of ``exam-booking``.
    """
    record = await record_for(ctx, citizen.key)
    if record is None:
        raise Refusal("not-a-student")
    facts = replace(await facts_about(ctx, citizen.key), record=record)
    any_session = {
        "office": record.office,
        "vehicle_class": record.vehicle_class,
        "subject": subject,
        "day": ctx.today().isoformat(),
    }
    service, office = ctx.book.catalogue[SERVICE], await ctx.office(record.office)
    if office is not None:
        closed = not_open(service, ctx.today(), office.region, ctx.book.texts)
        if closed is not None:
            raise await with_offices(ctx, closed, facts)
    found = unmet(service, facts, any_session, ctx.book.parameters)
    if found:
        raise found[0]
