"""A student leaves his school, or the office where he enrolled, or comes over from another school:
in two steps, with the code on his own phone between them."""

from typing import ClassVar

from casework import enrolments
from casework.enrolments import StudentCode
from handlers.desk.base import HOME, DeskHandler
from rules.refusals import Refusal, Worded

_LONGEST = 40


class LeaveHandler(DeskHandler):
    """Withdrawing an enrolment, or letting a student go."""

    needs = "enrol"
    under: ClassVar[str] = "students"
    words: ClassVar[dict[str, str]] = {
        "title": "students.leave",
        "note": "students.leave_note",
        "do": "students.leave_do",
    }

    async def get(self, number: str) -> None:
        """Step one: what it means, and the button that sends the code."""
        await self._show(number, None, None)

    async def post(self, number: str) -> None:
        """Step two sends the code; step three, with the code, takes the step."""
        code = self.line("code", _LONGEST).strip()
        cause = self.cause()
        if self.get_body_argument("step", "") != "confirm":
            try:
                sent = await self.send(number)
            except Refusal as refusal:
                await self._refused(number, refusal, None)
                return
            await self._show(number, sent, None)
            return
        try:
            await self.leave(number, code, cause)
        except Refusal as refusal:
            await self._refused(number, refusal, self.line("phone", _LONGEST))
            return
        self.redirect(f"{HOME}{self.under}/{number}?done=left", status=303)

    async def own(self, number: str) -> None:
        """Raise what keeps him from letting this student go."""
        await enrolments.student(self.ctx, self.officer, number)

    async def send(self, number: str) -> StudentCode:
        """Send the student the code."""
        return await enrolments.ask_student_code(self.ctx, self.officer, number, "leave")

    async def leave(self, number: str, code: str, cause: str) -> None:
        """Take the step."""
        await enrolments.leave(self.ctx, self.officer, number, code, cause)

    async def _refused(self, number: str, refusal: Refusal, phone: str | None) -> None:
        worded = self.problem(refusal)
        await self._show(number, StudentCode(0, phone) if phone else None, worded)

    async def _show(self, number: str, sent: StudentCode | None, problem: Worded | None) -> None:
        await self.own(number)
        self.render(
            "student_leave.html",
            number=number,
            page=f"{HOME}{self.under}/{number}",
            sent=sent,
            problem=problem,
            cause=self.new_cause(),
            **self.words,
        )


class LeaveAtOfficeHandler(LeaveHandler):
    """Ending the enrolment of who came to this office in person."""

    needs = "enrol_in_person"
    under = "matters"
    words: ClassVar[dict[str, str]] = {
        "title": "students.leave_at_office",
        "note": "students.leave_at_office_note",
        "do": "students.leave_at_office_do",
    }

    async def own(self, number: str) -> None:
        """Raise what keeps the office from it."""
        await enrolments.in_person(self.ctx, self.officer, number)

    async def send(self, number: str) -> StudentCode:
        """Send the student the code."""
        return await enrolments.ask_leave_code(self.ctx, self.officer, number)

    async def leave(self, number: str, code: str, cause: str) -> None:
        """Take the step."""
        await enrolments.leave_in_person(self.ctx, self.officer, number, code, cause)


class TransferHandler(DeskHandler):
    """Taking a student over from another school."""

    needs = "enrol"

    async def get(self) -> None:
        """Step one: his ID number."""
        self._show("", None, None)

    async def post(self) -> None:
        """Step two sends the code; step three, with the code, takes him over."""
        id_number, code = self.line("id_number", _LONGEST), self.line("code", _LONGEST).strip()
        cause = self.cause()
        if self.get_body_argument("step", "") != "confirm":
            try:
                sent = await enrolments.ask_student_code(
                    self.ctx, self.officer, id_number, "transfer"
                )
            except Refusal as refusal:
                self._refused(id_number, refusal, None)
                return
            self._show(id_number, sent, None)
            return
        try:
            moved = await enrolments.transfer(self.ctx, self.officer, id_number, code, cause)
        except Refusal as refusal:
            self._refused(id_number, refusal, self.line("phone", _LONGEST))
            return
        self.redirect(f"{HOME}students/{moved.number}?done=transferred", status=303)

    def _refused(self, id_number: str, refusal: Refusal, phone: str | None) -> None:
        worded = self.problem(refusal)
        self._show(id_number, StudentCode(0, phone) if phone else None, worded)

    def _show(self, id_number: str, sent: StudentCode | None, problem: Worded | None) -> None:
        self.render(
            "student_transfer.html",
            id_number=id_number,
            sent=sent,
            problem=problem,
            cause=self.new_cause(),
        )

    def page_address(self) -> str:
        """Step one."""
        return f"{HOME}students/transfer"
