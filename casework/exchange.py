"""Data exchanged with the internal systems by files: registry rows in, decisions out, answers in.

Rows are read one by one; a bad row is reported with its line and column and the others go on.
Columns are those of ``rules/formats/<kind>.toml``, the same for every way in.
"""

import asyncio
import csv
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from casework import steps
from casework.context import Context
from casework.enrolments import licence_issued, permit_issued
from casework.enrolments.permits import COLUMNS as PERMIT_COLUMNS
from casework.exams.files import take_plans, take_sites
from casework.exams.result_rows import COLUMNS as RESULT_COLUMNS
from casework.exams.result_rows import result_row
from casework.import_report import Chunk, ImportReport, Take
from casework.numbers import is_number
from rules.calendar import HOUSE_ZONE
from rules.formats import Format, RowProblem
from rules.matter import Matter
from rules.people import Actor
from rules.refusals import Refusal

_CHUNK = 500
_MOST = 10_000
_EXCHANGE = Actor("exchange", "file")

Progress = Callable[[int], None]


class UnknownKind(ValueError):
    """No such kind of file, or not in this direction."""


async def import_file(ctx: Context, kind: str, path: Path, progress: Progress) -> ImportReport:
    """Read a CSV file (UTF-8, header line) of one kind.

    ``progress`` is called with the rows done so far. Raises UnknownKind, OSError, and RowProblem
    when the header does not fit.
    """
    take = _TAKERS.get(kind)
    if take is None:
        raise UnknownKind(kind)
    report = ImportReport()
    layout = ctx.book.formats[kind]
    with path.open(encoding="utf-8-sig", newline="") as source:
        chunk: list[tuple[int, Mapping[str, Any]]] = []
        for line, row in _rows(layout, source, report):
            chunk.append((line, row))
            if len(chunk) == _CHUNK:
                await take(ctx, chunk, report)
                progress(report.rows)
                chunk = []
        if chunk:
            await take(ctx, chunk, report)
        progress(report.rows)
    return report


def _rows(
    layout: Format, source: Iterable[str], report: ImportReport
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.DictReader(source)
    layout.check_header(reader.fieldnames or [])
    for raw in reader:
        report.rows += 1
        try:
            yield reader.line_num, layout.read(raw)
        except RowProblem as problem:
            report.errors.append((reader.line_num, problem.column, problem.reason))


def _mirror(name: str) -> Take:
    async def take(ctx: Context, chunk: Chunk, report: ImportReport) -> None:
        upsert = getattr(ctx.stores.registry, f"upsert_{name}")
        await upsert([row for _, row in chunk])
        report.accepted += len(chunk)

    return take


async def _acknowledgements(ctx: Context, chunk: Chunk, report: ImportReport) -> None:
    """The internal system's answer to each decision: taken, or why not."""
    for line, row in chunk:
        number = str(row["number"])
        action = "acknowledge" if row["result"] == "ok" else "reject"
        given = {"reference": row["reference"], "message": row["message"] or ""}
        cause = f"ack:{row['batch']}:{number}:{row['reference']}"
        try:
            if not is_number(number):
                raise Refusal("not-found")
            await steps.take(ctx, number, action, _EXCHANGE, cause, given)
        except Refusal as refusal:
            worded = ctx.book.texts.refusal(refusal)
            report.errors.append((line, "number", worded.detail))
        else:
            report.accepted += 1


def _one_by_one(
    verb: Callable[[Context, Mapping[str, Any]], Awaitable[None]],
    columns: Mapping[str, str],
    otherwise: str = "id_number",
) -> Take:
    """Each row by itself. A refusal is reported with the column ``columns`` names for its code."""

    async def take(ctx: Context, chunk: Chunk, report: ImportReport) -> None:
        for line, row in chunk:
            try:
                await verb(ctx, row)
            except Refusal as refusal:
                column = columns.get(refusal.code, otherwise)
                report.errors.append((line, column, ctx.book.texts.refusal(refusal).detail))
            else:
                report.accepted += 1

    return take


_TAKERS: Mapping[str, Take] = {
    "offices": _mirror("offices"),
    "population": _mirror("population"),
    "licences": _mirror("licences"),
    "vehicles": _mirror("vehicles"),
    "acknowledgements": _acknowledgements,
    # Into the registry, and students become licence holders.
    "licence-issues": _one_by_one(
        licence_issued, {"licence-before-learning": "issued_on"}, "vehicle_class"
    ),
    "learner-permits": _one_by_one(permit_issued, PERMIT_COLUMNS),
    "exam-results": _one_by_one(result_row, RESULT_COLUMNS),
    "exam-sites": take_sites,
    "exam-plans": take_plans,
}

IMPORTED = tuple(_TAKERS)
"""Every kind that can be imported."""


async def export_file(ctx: Context, kind: str, path: Path, progress: Progress) -> int:
    """Write the decisions that have not left yet; how many there were.

    A decision is written to the file before its matter says so: a process that dies in between
    exports it again in the next batch under the same decision number, which the other side knows.
    Raises UnknownKind, OSError.
    """
    if kind != "decisions":
        raise UnknownKind(kind)
    layout = ctx.book.formats[kind]
    batch = f"D{ctx.now().astimezone(HOUSE_ZONE):%Y%m%d%H%M%S}{ctx.ids.digits(4)}"
    written = 0
    partial = path.with_name(path.name + ".part")
    numbers: list[str] = []
    partial.unlink(missing_ok=True)
    # ID numbers are in it: nobody else on the machine may read it.
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, [c.name for c in layout.columns])
        writer.writeheader()
        async for matter in _undelivered(ctx):
            writer.writerow(await _decision(ctx, batch, matter))
            numbers.append(matter.number)
        target.flush()
        # On the disk before any matter says that it left.
        await asyncio.to_thread(os.fsync, target.fileno())
    partial.replace(path)
    for number in numbers:
        await steps.take(ctx, number, "export", _EXCHANGE, f"export:{number}", {"batch": batch})
        written += 1
        progress(written)
    return written


async def _undelivered(ctx: Context) -> AsyncIterator[Matter]:
    for number in await ctx.stores.matters.with_export_due(ctx.now(), _MOST):
        yield (await steps.load(ctx, number)).matter


async def _decision(ctx: Context, batch: str, matter: Matter) -> dict[str, str]:
    session = await ctx.stores.sessions.get(matter.subject)
    licence = await ctx.stores.registry.licence(matter.subject)
    decided = matter.last("approved") or matter.last("refused") or matter.last("contact_changed")
    assert decided is not None  # export_due is only set by one of them
    return {
        "batch": batch,
        "number": matter.number,
        "service": matter.service,
        "decision": decided.type,
        "decided_at": decided.at.astimezone(HOUSE_ZONE).isoformat(timespec="seconds"),
        "office": matter.office or "",
        "officer": decided.actor.key,
        "id_number": session.id_number if session else matter.form.get("id_number", ""),
        "licence_number": licence.number if licence else "",
        "until": matter.form.get("until", ""),
        "reason": str(decided.data.get("reason", "")),
        "phone": matter.form.get("phone", "") if decided.type == "contact_changed" else "",
    }
