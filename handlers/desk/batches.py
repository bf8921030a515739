"""A school's batch files: template, upload, progress, and what has to be corrected."""

import asyncio
from collections.abc import Sequence

from casework import school_batches, tables
from casework.school_batches import Upload
from handlers.desk.base import HOME, DeskHandler
from handlers.desk.file_form import FileFormHandler
from rules.refusals import Refusal, Worded

_CSV = "text/csv; charset=utf-8"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MEGABYTE = 1024 * 1024
_UPLOAD_SECONDS = 1800
_SHOWN = 50


class BatchesHandler(FileFormHandler):
    """The upload form and the school's latest files."""

    needs = "enrol"
    fields = ("cause",)
    files = ("table", "portraits")
    seconds = _UPLOAD_SECONDS
    _upload: Upload | None = None

    async def get(self) -> None:
        """Show both."""
        await self.show(None)

    async def show(self, problem: Worded | None) -> None:
        """The page, with what was wrong with the files sent."""
        figure = self.ctx.figure
        self.render(
            "batches.html",
            batches=await school_batches.batches(self.ctx, self.officer),
            columns=self.ctx.book.formats[school_batches.KIND].columns,
            problem=problem,
            cause=self.new_cause(),
            rows=figure("school.batch_rows"),
            days=figure("school.batch_days"),
            table_mb=figure("school.table_bytes") // _MEGABYTE,
            portraits_mb=figure("school.portraits_bytes") // _MEGABYTE,
        )

    def most_megabytes(self) -> int:
        """Both files, and as much again so that a refusal arrives."""
        sizes = self.ctx.figure("school.table_bytes") + self.ctx.figure("school.portraits_bytes")
        return int(2 * sizes // _MEGABYTE)

    async def take_file(self, name: str, chunk: bytes) -> None:
        """A piece of the table or of the archive; the first one opens the upload."""
        upload = await self._opened()
        if name == "table":
            await upload.table(chunk)
        else:
            await upload.portraits(chunk)

    async def _opened(self) -> Upload:
        if self._upload is None:
            upload = Upload(self.ctx, self.officer, self.cause())
            self._upload = await self.held.enter_async_context(upload)
        return self._upload

    async def send(self) -> None:
        """Hand the file to the workers and show how far it comes."""
        batch = await (await self._opened()).begin()
        self.redirect(f"{HOME}batches/{batch.id}", status=303)

    async def show_refused(self, refusal: Refusal) -> None:
        """Nothing of the file was taken."""
        worded = self.problem(refusal)
        await self.show(worded)

    def page_address(self) -> str:
        """This page."""
        return f"{HOME}batches"


class BatchHandler(DeskHandler):
    """How far a file has come; the page comes again by itself while it is worked on."""

    needs = "enrol"

    async def get(self, batch_id: str) -> None:
        """Show it."""
        batch = await school_batches.batch_view(self.ctx, self.officer, batch_id)
        wrong: list[tuple[int, str, str]] = []
        if batch.wrong:
            wrong = await school_batches.error_list(self.ctx, self.officer, batch_id)
        self.render(
            "batch.html",
            batch=batch,
            wrong=wrong[:_SHOWN],
            more=max(0, len(wrong) - _SHOWN),
            running=batch.state in ("waiting", "running"),
        )


class DownloadHandler(DeskHandler):
    """A table as a file."""

    needs = "enrol"

    def attach(self, name: str, content: bytes, kind: str) -> None:
        """Give it to be saved."""
        self.set_header("Content-Type", _CSV if kind == "csv" else _XLSX)
        self.set_header("Content-Disposition", f'attachment; filename="{name}.{kind}"')
        self.finish(content)

    async def send_table(self, name: str, rows: Sequence[Sequence[str]], kind: str) -> None:
        """Rows as CSV or XLSX."""
        if kind == "csv":
            content = await asyncio.to_thread(tables.write_csv, rows)
        else:
            title = self.ctx.book.formats[school_batches.KIND].title
            content = await asyncio.to_thread(tables.write_xlsx, rows, title)
        self.attach(name, content, kind)


class TemplateHandler(DownloadHandler):
    """The heading to be filled below."""

    async def get(self, kind: str) -> None:
        """As CSV or XLSX."""
        layout = self.ctx.book.formats[school_batches.KIND]
        await self.send_table("students-template", school_batches.template(layout), kind)


class ErrorsHandler(DownloadHandler):
    """Line, column and reason of everything that was wrong."""

    async def get(self, batch_id: str) -> None:
        """As CSV."""
        found = await school_batches.error_list(self.ctx, self.officer, batch_id)
        rows = school_batches.as_csv_rows(found, self.say("batch.column"))
        await self.send_table(f"errors-{batch_id}", rows, "csv")


class CorrectionsHandler(DownloadHandler):
    """The rows that were not taken, to be corrected and uploaded again."""

    async def get(self, batch_id: str, kind: str) -> None:
        """As XLSX, in which long numbers stay whole, or as CSV."""
        rows = await school_batches.rows_to_correct(self.ctx, self.officer, batch_id)
        await self.send_table(f"corrections-{batch_id}", rows, kind)
