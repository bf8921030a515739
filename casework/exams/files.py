"""Files about tests: the exam sites of the offices, and their plans."""

from collections.abc import Mapping
from typing import Any

from casework.context import Context
from casework.exams.publishing import cancel_plan, change_plan, publish
from casework.import_report import Chunk, ImportReport
from rules.exams.publishing import FIELDS, code_fits, entry_of, read_entry
from rules.exams.site import Site, subjects_in
from rules.formats import RowProblem
from rules.people import Actor
from rules.refusals import Refusal

_EXCHANGE = Actor("exchange", "file")
_TEXTS = (
    *("code", "name", "office", "address", "phone", "hours"),
    *("layout", "route", "process"),
)
_CANCELLED = "取消"


async def take_sites(ctx: Context, chunk: Chunk, report: ImportReport) -> None:
    """Exam sites: of vehicle offices only, testing one subject at least."""
    sites: list[Site] = []
    for line, row in chunk:
        try:
            sites.append(await _site(ctx, row))
        except RowProblem as problem:
            report.errors.append((line, problem.column, problem.reason))
    await ctx.stores.exam_sites.upsert(sites)
    report.accepted += len(sites)


async def _site(ctx: Context, row: Mapping[str, Any]) -> Site:
    subjects = subjects_in(row["subjects"])
    await _must_be_office(ctx, row["office"])
    if subjects is None:
        raise RowProblem("subjects", ctx.book.texts.say("exams.rows.subjects"))
    if row["daily_capacity"] < 1:
        raise RowProblem("daily_capacity", ctx.book.texts.say("exams.rows.daily_capacity"))
    texts = {name: str(row[name] or "") for name in _TEXTS}
    return Site(**texts, subjects=subjects, daily_capacity=int(row["daily_capacity"]))


async def _must_be_office(ctx: Context, code: str) -> None:
    office = await ctx.office(code)
    if office is None or office.kind != "vehicle_office":
        raise RowProblem("office", ctx.book.texts.say("exams.rows.office"))


async def take_plans(ctx: Context, chunk: Chunk, report: ImportReport) -> None:
    """Sessions: a new code publishes one, a row that differs from a published one changes it,
    status 取消 cancels it; the same row again changes nothing."""
    for line, row in chunk:
        try:
            await _plan(ctx, row)
        except RowProblem as problem:
            report.errors.append((line, problem.column, problem.reason))
        except Refusal as refusal:
            fields = refusal.params.get("fields", ())
            worded = ctx.book.texts.refusal(refusal)
            report.errors += [
                (line, str(f["part"]).removeprefix("field:"), str(f["reason"])) for f in fields
            ] or [(line, "code", worded.detail)]
        else:
            report.accepted += 1


async def _plan(ctx: Context, row: Mapping[str, Any]) -> None:
    code, office = str(row["code"]), str(row["office"])
    entry = {name: str(row[name] or "") for name in FIELDS}
    reason = str(row["reason"] or ctx.book.texts.say("exams.rows.reason"))
    if not code_fits(code):
        raise RowProblem("code", ctx.book.texts.say("exams.rows.code"))
    await _must_be_office(ctx, office)
    there, ends = await ctx.stores.exam_plans.get(code), row["status"] == _CANCELLED
    if there is None:
        if ends:
            raise Refusal("plan-unknown")
        await publish(ctx, _EXCHANGE, office, entry, f"file:{code}", code)
        return
    if there.office != office:
        raise RowProblem("office", ctx.book.texts.say("exams.rows.other_office"))
    cause = f"file:{code}:{there.changes}"
    if ends:
        await cancel_plan(ctx, _EXCHANGE, code, reason, cause)
        return
    read, problems = read_entry(entry, ctx.book)
    if read is None:
        raise Refusal("form-incomplete", fields=problems)
    if there.status == "cancelled":
        raise Refusal("plan-not-changeable")
    if read != entry_of(there):
        await change_plan(ctx, _EXCHANGE, code, entry, reason, cause)
