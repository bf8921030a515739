"""「考试成绩」: a student's record, his sittings, what is left (REQ B3, B6)."""

from bot.exams.wording import record_head, short, standing
from bot.scene import Move, Scene, end
from bot.wording import joined, listed, refused
from casework.exams import listing, rights
from casework.exams.views import AttemptView, RecordView
from rules.deadlines import say_date
from rules.refusals import Refusal

_MOST = 12


async def own_record(scene: Scene) -> RecordView | Move:
    """The student's record; to who has none, the answer that says why and what to do."""
    if scene.citizen is None:
        return end(scene.say("exam_needs_account"))
    try:
        await rights.must_be_student(scene.ctx, scene.citizen)
        return await listing.record(scene.ctx, scene.citizen)
    except Refusal as refusal:
        return end(refused(scene.ctx.book.texts, refusal))


async def exam_record(scene: Scene) -> Move:
    """Standing in each subject, then the sittings, newest first."""
    record = await own_record(scene)
    if isinstance(record, Move):
        return record
    sittings = [_sitting(scene, one) for one in reversed(record.attempts)][:_MOST]
    said = f"{scene.say('exam_sittings')}\n{listed(sittings)}" if sittings else ""
    return end(
        joined(
            record_head(scene, record),
            listed([standing(scene, s) for s in record.subjects]),
            said or scene.say("exam_no_sittings"),
            scene.say("exam_record_next"),
        )
    )


def _sitting(scene: Scene, one: AttemptView) -> str:
    retried = scene.say("exam_retried") if one.retried else ""
    void = scene.say("exam_void") if one.void else ""
    return f"{say_date(one.day)} {short(scene, one.subject)} {one.outcome_label}{retried}{void}"
