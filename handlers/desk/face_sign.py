"""Face-signing at the window: the number on the original card, the person's picture beside the
registry's portrait, the receipt.

The ID number is never in an address: after step one the visit stands for the person.
"""

from typing import Any

from casework import facesign
from casework.facesign import FaceSignView
from casework.photos import Spool
from casework.views import PhotoFile
from handlers.desk.base import HOME, DeskHandler
from handlers.desk.file_form import FileFormHandler
from rules.masking import shown
from rules.phones import normalise
from rules.refusals import Refusal

_LONGEST = 40
_PAGE = f"{HOME}face-sign"

_RECEIPT = "desk.face_sign_receipt"


class FaceSignHandler(DeskHandler):
    """Step one: the ID number as read from the original card."""

    needs = "face_sign"

    def get(self) -> None:
        """Show the form."""
        self.render("face_sign.html", id_number="", problem=None)

    def page_address(self) -> str:
        """Every step begins here again."""
        return _PAGE


class FaceSignPersonHandler(FaceSignHandler):
    """What the registry holds, and whether this office may sign him up."""

    def get(self) -> None:
        """A number is never in an address: begin again."""
        self.redirect(_PAGE)

    async def post(self) -> None:
        """Look the person up; where the office may sign him up, go on with his visit."""
        id_number = self.line("id_number", _LONGEST)
        try:
            found = await facesign.receive(self.ctx, self.officer, id_number)
        except Refusal as refusal:
            worded = self.problem(refusal)
            self.render("face_sign.html", id_number=id_number, problem=worded)
            return
        if found.allowed:
            self.redirect(f"{_PAGE}/{found.visit}", status=303)
        else:
            _show(self, found)


class FaceSignVisitHandler(FaceSignHandler):
    """Step two: the picture taken beside the registry's portrait, the checks, the phone."""

    async def get(self, visit: str) -> None:  # type: ignore[override]  # the visit is the address
        """Show them."""
        found = await facesign.received(self.ctx, self.officer, visit)
        _show(self, found, phone=found.person.phone)


class FaceSignPictureHandler(FileFormHandler):
    """The picture taken or chosen at the counter: GET shows it, POST takes a new one."""

    needs = "face_sign"
    files = ("picture",)
    _spool: Spool | None = None

    async def get(self, visit: str) -> None:
        """Marked with who looks at it."""
        await _stream(self, await facesign.shown_picture(self.ctx, self.officer, visit))

    async def take_file(self, name: str, chunk: bytes) -> None:
        """Into the encrypted spool as it comes; where none was chosen, an empty one comes."""
        if not chunk:
            return
        if self._spool is None:
            self._spool = await self.held.enter_async_context(self.ctx.lab.spool())
        await self._spool.write(chunk)

    async def send(self) -> None:
        """Keep it and show both side by side."""
        if self._spool is None:
            raise Refusal("picture-missing")
        visit = self.path_kwargs["visit"]
        await facesign.take_picture(self.ctx, self.officer, visit, self._spool)
        self.redirect(f"{_PAGE}/{visit}", status=303)

    async def show_refused(self, refusal: Refusal) -> None:
        """The visit again, with what is wrong; when that is over, the error page."""
        found = await facesign.received(self.ctx, self.officer, self.path_kwargs["visit"])
        worded = self.problem(refusal)
        _show(self, found, phone=found.person.phone, problem=worded)

    def page_address(self) -> str:
        """Begin again."""
        return _PAGE


class FaceSignPortraitHandler(FaceSignHandler):
    """The registry's portrait."""

    async def get(self, visit: str) -> None:  # type: ignore[override]  # the visit is the address
        """Marked with who looks at it."""
        await _stream(self, await facesign.shown_portrait(self.ctx, self.officer, visit))


class FaceSignCodeHandler(FaceSignHandler):
    """A code to the phone given at the window, where it is a new one."""

    def get(self, visit: str) -> None:  # type: ignore[override]  # the visit is the address
        """Somebody reloaded after an error: back to the visit."""
        self.redirect(f"{_PAGE}/{visit}")

    async def post(self, visit: str) -> None:
        """Send it, and keep what was typed and ticked."""
        phone, checked = self._typed()
        problem = None
        try:
            await facesign.send_code(self.ctx, self.officer, visit, phone)
        except Refusal as refusal:
            problem = self.worded(refusal)
            self.set_status(problem.status)
        found = await facesign.received(self.ctx, self.officer, visit)
        _show(self, found, phone=phone, problem=problem, checked=checked)

    def _typed(self) -> tuple[str, frozenset[str]]:
        return self.line("phone", _LONGEST), frozenset(self.get_body_arguments("checked"))


class FaceSignReceiptHandler(FaceSignCodeHandler):
    """Step three: done, with a receipt to print."""

    async def post(self, visit: str) -> None:
        """Sign up; a repeated click gives the same receipt."""
        phone, checked = self._typed()
        code = self.line("code", _LONGEST)
        found = await facesign.received(self.ctx, self.officer, visit)
        try:
            matter = await facesign.confirm(
                self.ctx, self.officer, visit, phone=phone, checked=checked, code=code
            )
        except Refusal as refusal:
            worded = self.problem(refusal)
            _show(self, found, phone=phone, problem=worded, checked=checked)
            return
        self.render(
            "face_sign_receipt.html",
            matter=matter,
            name=shown(_RECEIPT, "name", found.person.name),
            id_number=shown(_RECEIPT, "id_number", found.person.id_number),
            phone=shown(_RECEIPT, "phone", normalise(phone)),
            licence=found.licence,
            vehicles=found.vehicles,
        )


def _show(handler: DeskHandler, found: FaceSignView, **more: Any) -> None:
    """The person beside the card, with what is to be done next if this office may."""
    shown = {"problem": None, "phone": "", "checked": frozenset(), **more}
    handler.render(
        "face_sign_person.html",
        found=found,
        office_names={o.code: o.name for o in found.offices},
        **shown,
    )


async def _stream(handler: DeskHandler, photo: PhotoFile) -> None:
    handler.set_header("Content-Type", photo.media_type)
    async for piece in photo.stream:
        handler.write(piece)
        await handler.flush()
