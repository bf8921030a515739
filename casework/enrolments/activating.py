"""A student's first login: from then on he can be sent to his tests."""

import structlog

from casework import steps
from casework.context import Context
from rules.people import Actor, Tier
from rules.refusals import Refusal
from storage.session_documents import Session

log = structlog.get_logger()


async def activate(ctx: Context, session: Session | None) -> None:
    """Note a student's first login in his enrolment; of anybody else, and later, nothing.

    A login never fails for it.
    """
    student = session.student if session else None
    if session is None or student is None or student.active:
        return
    if Tier.STUDENT not in session.tiers_on(ctx.today()):
        return
    actor, cause = Actor("citizen", session.key), f"activate:{student.matter}"
    try:
        await steps.take(ctx, student.matter, "activate", actor, cause)
    except Refusal as refusal:
        # He left, or was licensed, this moment.
        log.info("student-not-activated", matter=student.matter, code=refusal.code)
