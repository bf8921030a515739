"""A student at the counter or on the phone: who it is, what he has, booking for him, a receipt.

The ID number is never in an address: after step one the visit stands for the person.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from casework.exams import at_desk, desk_bookings
from casework.exams.at_desk import Filter
from casework.exams.showing import subject_label
from handlers.desk.base import HOME, DeskHandler
from rules.exams.days import FIRST_DAY, LAST_DAY
from rules.exams.plan import Subject
from rules.forms import FieldProblem, read_date
from rules.refusals import Refusal

_LONGEST = 60
_BEGIN = f"{HOME}exams/student"
_PAGE = f"{HOME}exams/visits"


class StudentHandler(DeskHandler):
    """Step one: the ID number, and how the student comes."""

    needs = at_desk.PERMISSION

    def get(self) -> None:
        """Show the form."""
        self.render("exams_student.html", id_number="", how="visitor", checked=False, problem=None)

    async def post(self) -> None:
        """Look the student up and go on with his visit; on a refusal nothing typed is lost."""
        id_number, how = self.line("id_number", _LONGEST), self.line("how", _LONGEST)
        checked = self.get_body_argument("checked", "") == "card"
        try:
            visit = await at_desk.receive(self.ctx, self.officer, id_number, how, checked=checked)
        except Refusal as refusal:
            worded = self.problem(refusal)
            typed = {"id_number": id_number, "how": how, "checked": checked}
            self.render("exams_student.html", **typed, problem=worded)
            return
        self.redirect(f"{_PAGE}/{visit}", status=303)

    def page_address(self) -> str:
        """Every step begins here again."""
        return _BEGIN


class VisitHandler(DeskHandler):
    """Step two: the record, what is booked, and the sessions to choose from."""

    needs = at_desk.PERMISSION

    async def get(self, visit: str) -> None:
        """Show it, with the sessions the query asks for."""
        await self.show_visit(visit, self._filter(self.get_query_argument))

    async def show_visit(self, visit: str, wanted: Filter, **more: Any) -> None:
        """The visit's page; ``problem``: what is wrong."""
        found = await at_desk.received(self.ctx, self.officer, visit, wanted)
        self.render(
            "exams_visit.html",
            **{"problem": None, **more},
            found=found,
            page=f"{_PAGE}/{visit}",
            day=wanted.day.isoformat() if wanted.day else "",
            today=self.ctx.today(),
            later_page=bool(wanted.after),
            subjects={s.value: subject_label(self.ctx, s.value) for s in Subject},
            for_student=self._for_student(found.how),
            cause=self.new_cause(),
            label=partial(subject_label, self.ctx),
        )

    def _for_student(self, how: str) -> tuple[str, ...]:
        """What the page has buttons for: a caller's booking is not cancelled by telephone."""
        actions = desk_bookings.FOR_STUDENT
        return actions if how == "visitor" else tuple(a for a in actions if a != "cancel")

    async def refused(self, visit: str, refusal: Refusal) -> None:
        """The visit again with what is wrong, the sessions as they were; when it is over, the error
        page."""
        worded = self.problem(refusal)
        await self.show_visit(visit, self._filter(self.get_body_argument), problem=worded)

    def page_address(self) -> str:
        """Every step begins here again."""
        return _BEGIN

    def _filter(self, read: Any) -> Filter:
        written, after = read("day", ""), read("after", "")
        wanted = Filter(subject=read("subject", ""), after=after)
        try:
            day = read_date(written) if written else None
        except FieldProblem as problem:
            raise Refusal("bad-request") from problem
        if day is not None and not FIRST_DAY <= day <= LAST_DAY:
            raise Refusal("bad-request")
        return replace(wanted, day=day)


class VisitPart(VisitHandler):
    """A form of the visit's page."""

    async def get(self, visit: str) -> None:
        """Somebody reloaded after an error: back to the visit."""
        self.redirect(f"{_PAGE}/{visit}")


class CodeHandler(VisitPart):
    """A code to a caller's own phone, and the code he reads back."""

    async def post(self, visit: str) -> None:
        """Send one, or try the one typed."""
        try:
            if self.get_body_argument("do", "") == "send":
                await at_desk.send_code(self.ctx, self.officer, visit)
            else:
                code = self.line("code", _LONGEST)
                await at_desk.prove_caller(self.ctx, self.officer, visit, code)
        except Refusal as refusal:
            await self.refused(visit, refusal)
            return
        self.redirect(f"{_PAGE}/{visit}", status=303)


class BookHandler(VisitPart):
    """A seat, or a place in line, for the student."""

    async def post(self, visit: str) -> None:
        """Take it: the button's value says which (``seat:<code>``, ``line:<code>``)."""
        wants, _, plan = self.line("wanted", _LONGEST).partition(":")
        try:
            # One form serves many sessions: what each button brings about is its own.
            cause = f"{self.cause()}:{wants}:{plan}"
            number = await desk_bookings.book_for(self.ctx, self.officer, visit, plan, wants, cause)
        except Refusal as refusal:
            await self.refused(visit, refusal)
            return
        self.redirect(f"{_PAGE}/{visit}/receipt/{number}", status=303)


class ActHandler(VisitPart):
    """Cancelling, leaving the line, taking an offer, keeping a changed seat."""

    async def post(self, visit: str) -> None:
        """Do it on the version the officer saw."""
        number, action = self.line("number", _LONGEST), self.line("action", _LONGEST)
        try:
            await desk_bookings.act_for(
                self.ctx,
                self.officer,
                visit,
                number,
                action,
                version=self.version(),
                cause=self.cause(),
            )
        except Refusal as refusal:
            await self.refused(visit, refusal)
            return
        self.redirect(f"{_PAGE}/{visit}/receipt/{number}", status=303)


class ReceiptHandler(DeskHandler):
    """Step three: what was done, to be printed."""

    needs = at_desk.PERMISSION

    async def get(self, visit: str, number: str) -> None:
        """Show it."""
        booking = await desk_bookings.receipt(self.ctx, self.officer, visit, number)
        self.render("exams_receipt.html", booking=booking, page=f"{_PAGE}/{visit}")

    def page_address(self) -> str:
        """Every step begins here again."""
        return _BEGIN
