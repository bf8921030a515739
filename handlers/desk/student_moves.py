"""A student leaves his school or comes over from another: in two steps, with the code on his own
phone between them."""

from casework import enrolments
from casework.enrolments import StudentCode
from handlers.desk.base import HOME, DeskHandler
from rules.refusals import Refusal, Worded

_LONGEST = 40


class LeaveHandler(DeskHandler):
    """Withdrawing an enrolment, or letting a student go."""

    needs = "enrol"

    async def get(self, number: str) -> None:
        """Step one: what it means, and the button that sends the code."""
        await self._show(number, None, None)

    async def post(self, number: str) -> None:
        """Step two sends the code; step three, with the code, takes the step."""
        code = self.line("code", _LONGEST).strip()
        cause = self.cause()
        if self.get_body_argument("step", "") != "confirm":
            try:
                sent = await enrolments.ask_student_code(self.ctx, self.officer, number, "leave")
            except Refusal as refusal:
                await self._refused(number, refusal, None)
                return
            await self._show(number, sent, None)
            return
        try:
            await enrolments.leave(self.ctx, self.officer, number, code, cause)
        except Refusal as refusal:
            await self._refused(number, refusal, self.line("phone", _LONGEST))
            return
        self.redirect(f"{HOME}students/{number}?done=left", status=303)

    async def _refused(self, number: str, refusal: Refusal, phone: str | None) -> None:
        worded = self.worded(refusal)
        self.set_status(worded.status)
        await self._show(number, StudentCode(0, phone) if phone else None, worded)

    async def _show(self, number: str, sent: StudentCode | None, problem: Worded | None) -> None:
        student = await enrolments.student(self.ctx, self.officer, number)
        self.render(
            "student_leave.html",
            student=student,
            view=student.view,
            sent=sent,
            problem=problem,
            cause=self.new_cause(),
        )


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
        worded = self.worded(refusal)
        self.set_status(worded.status)
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
