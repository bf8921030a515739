"""Files about tests: the exam sites of the offices."""

from casework.context import Context
from casework.import_report import Chunk, ImportReport
from rules.exams.site import Site, subjects_in

_TEXTS = (
    *("code", "name", "office", "address", "phone", "hours"),
    *("layout", "route", "process"),
)


async def take_sites(ctx: Context, chunk: Chunk, report: ImportReport) -> None:
    """Exam sites: of vehicle offices only, testing one subject at least."""
    sites: list[Site] = []
    for line, row in chunk:
        office = await ctx.office(row["office"])
        subjects = subjects_in(row["subjects"])
        if office is None or office.kind != "vehicle_office":
            report.errors.append((line, "office", ctx.book.texts.say("exams.rows.office")))
        elif subjects is None:
            report.errors.append((line, "subjects", ctx.book.texts.say("exams.rows.subjects")))
        elif row["daily_capacity"] < 1:
            reason = ctx.book.texts.say("exams.rows.daily_capacity")
            report.errors.append((line, "daily_capacity", reason))
        else:
            texts = {name: str(row[name] or "") for name in _TEXTS}
            sites.append(
                Site(**texts, subjects=subjects, daily_capacity=int(row["daily_capacity"]))
            )
    await ctx.stores.exam_sites.upsert(sites)
    report.accepted += len(sites)
