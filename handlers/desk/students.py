"""The clerk's home: his school's students by state, one student, correcting what came back."""

from collections.abc import Mapping
from typing import Any, ClassVar

from casework import enrolments
from casework.enrolments import StudentView
from casework.photos import Spool
from handlers.desk.base import HOME, DeskHandler
from handlers.desk.file_form import FileFormHandler
from rules.catalogue import Service
from rules.enrolments import PORTRAIT, SERVICE
from rules.refusals import Refusal, Worded

_LONGEST = 120
_DONE = frozenset({"enrolled", "there", "amended", "left", "transferred"})
_FIELDS = (
    *("id_number", "name", "phone", "vehicle_class", "application"),
    *("medical_on", "medical_hospital"),
)


def problems_by_part(refusal: Refusal) -> dict[str, str]:
    """What is wrong with single parts: ``field:<name>`` or ``material:<name>`` -> why."""
    return {str(f["part"]): str(f["reason"]) for f in refusal.params.get("fields", ())}


class StudentsHandler(DeskHandler):
    """One tab a state, what must be put right first."""

    needs = "enrol"

    async def get(self) -> None:
        """Show one page of one tab."""
        after = self.get_query_argument("after", "")
        found = await enrolments.students(
            self.ctx, self.officer, self.get_query_argument("state", "") or None, after or None
        )
        self.render(
            "students.html",
            found=found,
            later_page=bool(after),
            bad_number=self.get_query_argument("note", "") == "bad_number",
        )


class StudentHandler(FileFormHandler):
    """One student, and the form to correct what was sent back. The form's files are streamed."""

    needs = "enrol"
    fields: ClassVar[tuple[str, ...]] = ("cause", "version", *_FIELDS)
    files = (PORTRAIT,)
    _spool: Spool | None = None

    @property
    def service(self) -> Service:
        """The service whose fields the forms show."""
        return self.ctx.book.catalogue[SERVICE]

    @property
    def number(self) -> str:
        """The matter's number in the address."""
        return str(self.path_kwargs["number"])

    async def get(self, **_: str) -> None:
        """Show it."""
        await self.show_student(None, {})

    async def show_student(self, problem: Worded | None, wrong: Mapping[str, str]) -> None:
        """The page, with what was typed before and what was wrong with it."""
        student = await enrolments.student(self.ctx, self.officer, self.number)
        typed = {name: self.typed_text(name) for name in _FIELDS if name in self.typed}
        done = self.get_query_argument("done", "")
        self.render(
            "student.html",
            student=student,
            view=student.view,
            service=self.service,
            values={**student.values, **typed},
            open_parts=self._open(student),
            problem=problem,
            wrong=wrong,
            done=done if done in _DONE else "",
            cause=self.new_cause(),
        )

    def _open(self, student: StudentView) -> frozenset[str]:
        """What may be corrected here: the parts named, but never who he is."""
        if "amend" not in student.actions:
            return frozenset()
        return frozenset(d.part for d in student.defects) - {"field:id_number"}

    async def take_file(self, name: str, chunk: bytes) -> None:
        """A piece of the portrait."""
        if self._spool is None:
            self._spool = await self.held.enter_async_context(self.ctx.lab.spool())
        await self._spool.write(chunk)

    async def send(self) -> None:
        """Correct what was sent back; it is under review again."""
        version = self.line("version", 10)
        if not version.isascii() or not version.isdecimal():
            raise Refusal("bad-request")
        await enrolments.amend(
            self.ctx,
            self.officer,
            self.number,
            int(version),
            self.entry(),
            self._spool,
            self.cause(),
        )
        self.redirect(f"{HOME}students/{self.number}?done=amended", status=303)

    def entry(self) -> dict[str, str]:
        """The fields the form had, as typed."""
        return {name: self.typed_text(name) for name in _FIELDS if name in self.typed}

    def typed_text(self, name: str) -> str:
        """One field as typed. Raises bad-request when it is no text or too long."""
        text = self.typed.get(name, b"").decode("utf-8", "replace")
        if len(text) > _LONGEST:
            raise Refusal("bad-request")
        return text

    async def show_refused(self, refusal: Refusal) -> None:
        """The page again with everything typed."""
        worded = self.problem(refusal)
        await self.show_student(worded, problems_by_part(refusal))

    def page_address(self) -> str:
        """The page the form stands on."""
        return self.request.path


class NewStudentHandler(StudentHandler):
    """Enrol one student, portrait with it."""

    async def get(self, **_: str) -> None:
        """Show the form."""
        self.show_form(None, {})

    def show_form(self, problem: Worded | None, wrong: Mapping[str, str]) -> None:
        """The form with what was typed before."""
        values: dict[str, Any] = {name: self.typed_text(name) for name in _FIELDS}
        self.render(
            "student_new.html",
            service=self.service,
            values=values,
            problem=problem,
            wrong=wrong,
            cause=self.new_cause(),
        )

    async def send(self) -> None:
        """Enrol him; the same content again leads to the enrolment there is."""
        done = await enrolments.enrol(
            self.ctx, self.officer, self.entry(), self._spool, self.cause()
        )
        note = "enrolled" if done.fresh else "there"
        self.redirect(f"{HOME}students/{done.number}?done={note}", status=303)

    async def show_refused(self, refusal: Refusal) -> None:
        """The form again with everything typed; only the file must be chosen anew."""
        worded = self.problem(refusal)
        self.show_form(worded, problems_by_part(refusal))


class StudentPhotoHandler(DeskHandler):
    """A picture the school gave, marked with who looks at it and when."""

    needs = "enrol"

    async def get(self, number: str, photo_id: str) -> None:
        """Stream it."""
        photo = await enrolments.student_photo(self.ctx, self.officer, number, photo_id)
        self.set_header("Content-Type", photo.media_type)
        async for piece in photo.stream:
            self.write(piece)
            await self.flush()
