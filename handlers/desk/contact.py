"""Changing a phone at the window: the number on the original card, a code to the new phone, done.

The ID number is never in an address: after step one the visit stands for the person.
"""

from typing import Any

from casework import contacts
from casework.contacts import ContactView
from handlers.desk.base import HOME, DeskHandler
from rules.masking import mask_id, mask_name
from rules.refusals import Refusal

_LONGEST = 40
_PAGE = f"{HOME}contact"


class ContactHandler(DeskHandler):
    """Step one: the ID number as read from the original card."""

    needs = "contact_change"

    def get(self) -> None:
        """Show the form."""
        self.render("contact.html", id_number="", problem=None)

    def page_address(self) -> str:
        """Every step begins here again."""
        return _PAGE

    def show_person(self, found: ContactView, **more: Any) -> None:
        """The person beside what is to be done next, if this office may."""
        shown = {"problem": None, "phone": "", "checked": frozenset(), **more}
        self.render("contact_person.html", found=found, **shown)

    async def show_visit(self, visit: str, refusal: Refusal, **more: Any) -> None:
        """The visit again with what is wrong; when it is over, the error page."""
        found = await contacts.received(self.ctx, self.officer, visit)
        worded = self.problem(refusal)
        self.show_person(found, problem=worded, **more)


class ContactPersonHandler(ContactHandler):
    """Who it is, and whether this office may change his phone."""

    def get(self) -> None:
        """A number is never in an address: begin again."""
        self.redirect(_PAGE)

    async def post(self) -> None:
        """Look the person up; where the office may, go on with his visit."""
        id_number = self.line("id_number", _LONGEST)
        try:
            found = await contacts.receive(self.ctx, self.officer, id_number)
        except Refusal as refusal:
            worded = self.problem(refusal)
            self.render("contact.html", id_number=id_number, problem=worded)
            return
        if found.allowed:
            self.redirect(f"{_PAGE}/{found.visit}", status=303)
        else:
            self.show_person(found)


class ContactVisitHandler(ContactHandler):
    """Step two: the new phone and the code."""

    async def get(self, visit: str) -> None:  # type: ignore[override]  # the visit is the address
        """Show it."""
        self.show_person(await contacts.received(self.ctx, self.officer, visit))


class ContactCodeHandler(ContactHandler):
    """A code to the new phone."""

    def get(self, visit: str) -> None:  # type: ignore[override]  # the visit is the address
        """Somebody reloaded after an error: back to the visit."""
        self.redirect(f"{_PAGE}/{visit}")

    async def post(self, visit: str) -> None:
        """Send it."""
        phone = self.line("phone", _LONGEST)
        try:
            await contacts.send_code(self.ctx, self.officer, visit, phone)
        except Refusal as refusal:
            await self.show_visit(visit, refusal, phone=phone)
            return
        self.redirect(f"{_PAGE}/{visit}", status=303)


class ContactReceiptHandler(ContactCodeHandler):
    """Step three: done, with a receipt to print."""

    async def post(self, visit: str) -> None:
        """Change it; a repeated click gives the same receipt."""
        checked = frozenset(self.get_body_arguments("checked"))
        code = self.line("code", _LONGEST)
        try:
            matter = await contacts.confirm(
                self.ctx, self.officer, visit, code=code, checked=checked
            )
        except Refusal as refusal:
            await self.show_visit(visit, refusal, checked=checked)
            return
        found = await contacts.received(self.ctx, self.officer, visit)
        self.render(
            "contact_receipt.html",
            matter=matter,
            name=mask_name(found.person.name),
            id_number=mask_id(found.person.id_number),
            phone=found.sent_to,
        )
