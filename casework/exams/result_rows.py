"""Rows of ``exam-results``: read, checked against themselves, taken in."""

from collections.abc import Mapping
from typing import Any

from casework.context import Context
from casework.exams.facts import record_for
from casework.exams.results import Sitting, sitting_known
from rules.exams.days import FIRST_DAY
from rules.exams.plan import Subject
from rules.exams.results import score_fits, sitting_of
from rules.refusals import Refusal

_FIRST = {"合格": "passed", "不合格": "failed", "缺考": "missed"}
_SECOND = {"合格": "passed", "不合格": "failed", "未补考": "missed", None: None}

COLUMNS = {
    "result-tries-unfit": "second",
    "score-not-fitting": "first_score",
    "day-too-early": "day",
    "result-too-early": "day",
    "result-other-plan": "plan",
    "result-without-booking": "plan",
    "result-not-confirmed": "plan",
    "step-not-possible": "plan",
    "result-already": "first",
}
"""The column a refusal of a row is about, where it is not the person."""


async def result_row(ctx: Context, row: Mapping[str, Any]) -> None:
    """Take in one row. Raises day-too-early, result-tries-unfit, score-not-fitting and what
    ``sitting_known`` does."""
    if row["day"] < FIRST_DAY:
        raise Refusal("day-too-early")
    first, second = _FIRST[row["first"]], _SECOND[row.get("second")]
    came = sitting_of(first, second)
    if isinstance(came, Refusal):
        raise came
    key, subject = ctx.stores.vault.id_key(row["id_number"]), Subject(row["subject"])
    record = await record_for(ctx, key)
    day, parameters = row["day"], ctx.book.parameters
    for tried, score in ((first, row.get("first_score")), (second, row.get("second_score"))):
        if score is None or record is None:
            # Who is no student any more has his class in no record.
            continue
        if tried not in ("passed", "failed") or not score_fits(
            subject, record.vehicle_class, tried == "passed", score, parameters, day
        ):
            raise Refusal("score-not-fitting")
    await sitting_known(
        ctx, Sitting(key, subject, day, row.get("plan") or "", came, row.get("reason") or "")
    )
