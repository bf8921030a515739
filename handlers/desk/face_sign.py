"""Face-signing at the window: the number on the original card, the person, the receipt."""

from typing import Any

from casework import facesign
from casework.facesign import FaceSignView
from handlers.desk.base import HOME, DeskHandler
from rules.masking import mask_id, mask_name, mask_phone
from rules.refusals import Refusal

_LONGEST = 40


class FaceSignHandler(DeskHandler):
    """Step one: the ID number as read from the original card."""

    needs = "face_sign"

    def get(self) -> None:
        """Show the form."""
        self.render("face_sign.html", id_number="", problem=None)

    def page_address(self) -> str:
        """Every step begins here again."""
        return f"{HOME}face-sign"


class FaceSignPersonHandler(FaceSignHandler):
    """Step two: what the registry holds, and whether this office may sign him up."""

    def get(self) -> None:
        """A number is never in an address: begin again."""
        self.redirect(self.page_address())

    async def post(self) -> None:
        """Look the person up."""
        id_number = self.line("id_number", _LONGEST)
        try:
            found = await facesign.face_sign_lookup(self.ctx, self.officer, id_number)
        except Refusal as refusal:
            worded = self.worded(refusal)
            self.set_status(worded.status)
            self.render("face_sign.html", id_number=id_number, problem=worded)
            return
        self.show_person(found, phone=found.person.phone)

    def show_person(self, found: FaceSignView, phone: str, **more: Any) -> None:
        """The person beside the card, with the form to sign him up if this office may."""
        shown = {"problem": None, "unchecked": False, "checked": frozenset(), **more}
        self.render(
            "face_sign_person.html",
            found=found,
            phone=phone,
            office_names={o.code: o.name for o in found.offices},
            cause=self.new_cause(),
            **shown,
        )


class FaceSignReceiptHandler(FaceSignPersonHandler):
    """Step three: done, with a receipt to print."""

    CHECKS = frozenset({"card", "face", "papers"})

    async def post(self) -> None:
        """Sign up; a repeated click gives the same receipt."""
        id_number = self.line("id_number", _LONGEST)
        phone = self.line("phone", _LONGEST)
        checked = frozenset(self.get_body_arguments("checked"))
        cause = self.cause()
        found = await facesign.face_sign_lookup(self.ctx, self.officer, id_number)
        if not checked >= self.CHECKS:
            self.set_status(422)
            self.show_person(found, phone, unchecked=True, checked=checked)
            return
        try:
            matter = await facesign.face_sign(
                self.ctx, self.officer, id_number=id_number, phone=phone, cause=cause
            )
        except Refusal as refusal:
            worded = self.worded(refusal)
            self.set_status(worded.status)
            self.show_person(found, phone, problem=worded, checked=checked)
            return
        self.render(
            "face_sign_receipt.html",
            matter=matter,
            name=mask_name(found.person.name),
            id_number=mask_id(found.person.id_number),
            phone=mask_phone("".join(c for c in phone if c.isdigit())[-11:]),
            licence=found.licence,
            vehicles=found.vehicles,
        )
