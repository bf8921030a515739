"""A student leaves his school, or the office where he enrolled in person, or goes over to another
school: only with the code on his own phone."""

from dataclasses import dataclass

from casework import steps
from casework.access_log import record_look
from casework.codes import desk_slot, prove, send_to_phone
from casework.context import Context
from casework.enrolments import schools
from casework.enrolments.outcome import Enrolled
from casework.officers import Officer
from rules.enrolments import of_office_alone
from rules.flow import ENDED
from rules.id_number import normalise
from rules.masking import mask_phone
from rules.matter import Matter, State
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
    return await _send(ctx, clerk, matter, purpose)


async def _send(ctx: Context, who: Officer, matter: Matter, purpose: str) -> StudentCode:
    await record_look(ctx, who, f"code-{purpose}", matter.subject, matter.number, [])
    phone = await _phone(ctx, matter)
    minutes = await send_to_phone(
        ctx, purpose=purpose, key=matter.subject, phone=phone, asker=who.office.code
    )
    return StudentCode(minutes, mask_phone(phone))


async def leave(ctx: Context, clerk: Officer, number: str, code: str, cause: str) -> Enrolled:
    """Take an enrolment back before it is decided, or let a student go after.

    Raises not-found, code-wrong, code-expired, too-many-tries, step-not-possible.
    """
    matter = (await schools.own(ctx, clerk, number)).matter
    return await _proved_step(ctx, clerk, matter, "leave", code, cause)


async def in_person(ctx: Context, officer: Officer, number: str, cause: str = "") -> Matter:
    """An enrolment the officer's office may end; ``cause`` lets a repeated request find what it
    ended. Raises role-not-allowed, not-found: a look that was turned away is recorded."""
    officer.must("enrol_in_person")
    matter = (await steps.load(ctx, number)).matter
    if not of_office_alone(matter, officer.office.code):
        await record_look(ctx, officer, "turned-away", matter.subject, number, [])
        raise Refusal("not-found")
    if matter.state is not State.APPROVED and matter.event_of(cause) is None:
        raise Refusal("not-found")
    return matter


async def ask_leave_code(ctx: Context, officer: Officer, number: str) -> StudentCode:
    """Send the student the code with which his office ends his enrolment. Raises as ``in_person``
    does, and too-many-codes."""
    return await _send(ctx, officer, await in_person(ctx, officer, number), "leave")


async def leave_in_person(
    ctx: Context, officer: Officer, number: str, code: str, cause: str
) -> Enrolled:
    """End an enrolment that was entered in person: he is no student any more, and what he has not
    sat yet is let go. Raises as ``in_person`` does, and the code refusals."""
    matter = await in_person(ctx, officer, number, cause)
    return await _proved_step(ctx, officer, matter, "leave", code, cause)


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
