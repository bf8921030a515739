"""Enrolling a student who stands at the window with his originals: a student at once."""

from collections.abc import Mapping
from typing import ClassVar

from casework import enrolments
from handlers.desk.base import HOME
from handlers.desk.students import NewStudentHandler
from rules.enrolments import PORTRAIT
from rules.refusals import Refusal, Worded


class EnrolInPersonHandler(NewStudentHandler):
    """The form with what is to be compared with the originals, and the enrolment."""

    needs = "enrol_in_person"
    CHECKS: ClassVar[tuple[str, ...]] = ("check_card", "check_face", "check_medical")
    fields = (*NewStudentHandler.fields, *CHECKS)
    files = (PORTRAIT,)

    def show_form(self, problem: Worded | None, wrong: Mapping[str, str]) -> None:
        """The form with what was typed and ticked before."""
        self.render(
            "enrol_in_person.html",
            service=self.service,
            values=self.entry(),
            checks=self.CHECKS,
            checked={name for name in self.CHECKS if self.typed.get(name)},
            problem=problem,
            wrong=wrong,
            cause=self.new_cause(),
        )

    async def send(self) -> None:
        """Enrol him, once everything was compared face to face."""
        if not all(self.typed.get(name) for name in self.CHECKS):
            raise Refusal("checks-needed")
        done = await enrolments.enrol_in_person(
            self.ctx, self.officer, self.entry(), self._spool, self.cause()
        )
        self.redirect(f"{HOME}matters/{done.number}?done=enrol_in_person", status=303)
