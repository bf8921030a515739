"""A student leaves his school, or goes over to another: only with the code on his own phone."""

from dataclasses import dataclass

from casework import steps
from casework.access_log import record_look
from casework.codes import desk_slot, prove, send_to_phone
from casework.context import Context
from casework.enrolments import schools
from casework.enrolments.outcome import Enrolled
from casework.officers import Officer
from rules.flow import ENDED
from rules.id_number import normalise
from rules.masking import mask_phone
from rules.matter import Matter
from rules.refusals import Refusal

_HOUR = 3600
_PURPOSES = frozenset({"leave", "transfer"})


@dataclass(frozen=True)
class StudentCode:
    """A code is on its way to the student's phone, which is masked."""

    minutes: int
    phone: str


async def ask_student_code(
    ctx: Context, clerk: Officer, number_or_id: str, purpose: str
) -> StudentCode:
    """Send the student the code his school, or the one he goes over to, needs.

    ``leave``: the matter's number, of a student of the clerk's school. ``transfer``: the ID number
    of somebody enrolled elsewhere. A code serves this school and purpose alone. Raises not-found,
    student-here-already, the ID-number refusals, too-many-codes, too-many-tries, bad-request.
    """
    if purpose not in _PURPOSES:
        raise Refusal("bad-request")
    if purpose == "leave":
        matter = (await schools.own(ctx, clerk, number_or_id)).matter
        if matter.state in ENDED:
            raise Refusal("not-found")
    else:
        matter = await _elsewhere(ctx, clerk, number_or_id)
    await record_look(ctx, clerk, f"code-{purpose}", matter.subject, matter.number, [])
    phone = await _phone(ctx, matter)
    minutes = await send_to_phone(
        ctx, purpose=purpose, key=matter.subject, phone=phone, asker=clerk.office.code
    )
    return StudentCode(minutes, mask_phone(phone))


async def leave(ctx: Context, clerk: Officer, number: str, code: str, cause: str) -> Enrolled:
    """Take an enrolment back before it is decided, or let a student go after.

    Raises not-found, code-wrong, code-expired, too-many-tries, step-not-possible.
    """
    matter = (await schools.own(ctx, clerk, number)).matter
    return await _proved_step(ctx, clerk, matter, "leave", code, cause)


async def transfer(ctx: Context, clerk: Officer, id_number: str, code: str, cause: str) -> Enrolled:
    """A student comes over to the clerk's school; its vehicle office has him from then on.

    Raises not-found, student-here-already, the code refusals, added-elsewhere, moved-too-often,
    move-not-this-class, step-not-possible.
    """
    matter = await _elsewhere(ctx, clerk, id_number, cause)
    return await _proved_step(ctx, clerk, matter, "transfer", code, cause)


async def _proved_step(
    ctx: Context, clerk: Officer, matter: Matter, action: str, code: str, cause: str
) -> Enrolled:
    if matter.event_of(cause) is not None:
        return Enrolled(matter.number, matter.state, False)
    phone = await _phone(ctx, matter)
    again = int(ctx.figure("sms_code.again_seconds"))
    place = desk_slot(ctx, action, matter.subject, phone, clerk.office.code)
    await prove(ctx, place, code, claim=cause, again=again)
    given = {"school": clerk.office.code, "office": clerk.office.supervisor}
    after = await steps.take(ctx, matter.number, action, clerk.actor, cause, given)
    return Enrolled(after.number, after.state, True)


async def _elsewhere(ctx: Context, clerk: Officer, id_number: str, cause: str = "") -> Matter:
    """The enrolment of somebody who is not this school's student; ``cause`` lets a repeated
    request find what it moved."""
    await schools.supervisor_of(ctx, clerk)
    # The answer tells whether somebody learns to drive: nobody goes through the numbers.
    most = int(ctx.figure("school.transfers_per_hour"))
    if not await ctx.stores.memory.hit(f"transfer:{clerk.username}", most, _HOUR):
        raise Refusal("too-many-tries")
    key = ctx.stores.vault.id_key(normalise(id_number, ctx.today()))
    await record_look(ctx, clerk, "transfer", key, None, ["school"])
    matter = await schools.live(ctx, key)
    if matter is None or matter.state in ENDED:
        raise Refusal("not-found")
    if matter.school == clerk.office.code and matter.event_of(cause) is None:
        raise Refusal("student-here-already")
    return matter


async def _phone(ctx: Context, matter: Matter) -> str:
    """The account's own phone, else the one given at enrolment."""
    session = await ctx.stores.sessions.get(matter.applicant)
    return session.phone if session else matter.form["phone"]
