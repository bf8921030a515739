"""One booking as its office sees it: what happened, what was told, refusing it, cancelling it for
who stands there with the original ID card."""

from typing import Any

from casework.exams import at_desk, desk_bookings, telling
from handlers.desk.base import HOME, DeskHandler
from rules.refusals import Refusal

_OWN_WORDS = 200


class BookingHandler(DeskHandler):
    """The booking's page."""

    needs = at_desk.PERMISSION

    async def get(self, number: str) -> None:
        """Show it."""
        await self.show(number)

    async def show(self, number: str, **more: Any) -> None:
        """The page; ``problem``: what is wrong, beside everything typed."""
        booking = await desk_bookings.open_booking(self.ctx, self.officer, number)
        texts = self.ctx.book.texts
        shown = {"problem": None, "reason": "", "own": "", "opened": "", "checked": False, **more}
        self.render(
            "exams_booking.html",
            booking=booking,
            view=booking.view,
            reasons=list(texts.under("desk.reasons.exam-booking").values()),
            own_words=_OWN_WORDS,
            cause=self.new_cause(),
            **shown,
        )

    async def refused(self, number: str, refusal: Refusal, **typed: Any) -> None:
        """The page afresh with what is wrong. Raises itself when it is not this office's."""
        worded = self.problem(refusal)
        await self.show(number, problem=worded, **typed)

    def page_address(self) -> str:
        """The booking's page."""
        return (
            self.request.path.removesuffix("/refuse").removesuffix("/cancel").removesuffix("/told")
        )


class RefuseHandler(BookingHandler):
    """Refusing it before its plan closes."""

    async def get(self, number: str) -> None:
        """Somebody reloaded after an error: back to the booking."""
        self.redirect(f"{HOME}exams/bookings/{number}")

    async def post(self, number: str) -> None:
        """Refuse it with the reason chosen, the officer's own words, or both."""
        ready, own = self.line("ready", _OWN_WORDS), self.line("own", _OWN_WORDS)
        try:
            await desk_bookings.refuse_booking(
                self.ctx,
                self.officer,
                number,
                reason="，".join(t for t in (ready, own.strip()) if t),
                version=self.version(),
                cause=self.cause(),
            )
        except Refusal as refusal:
            await self.refused(number, refusal, reason=ready, own=own, opened="refuse")
            return
        self.redirect(f"{HOME}exams/bookings/{number}", status=303)


class CancelHandler(RefuseHandler):
    """Cancelling it for who stands there."""

    async def post(self, number: str) -> None:
        """Cancel it, the original card looked at."""
        checked = self.get_body_argument("checked", "") == "card"
        try:
            await desk_bookings.cancel_at_office(
                self.ctx,
                self.officer,
                number,
                checked=checked,
                version=self.version(),
                cause=self.cause(),
            )
        except Refusal as refusal:
            await self.refused(number, refusal, checked=checked, opened="cancel")
            return
        self.redirect(f"{HOME}exams/bookings/{number}", status=303)


class ToldHandler(RefuseHandler):
    """The officer called: the booking leaves the list of those nobody reached."""

    async def post(self, number: str) -> None:
        """Note it, and go on with the list."""
        try:
            await telling.note_told(
                self.ctx, self.officer, number, version=self.version(), cause=self.cause()
            )
        except Refusal as refusal:
            await self.refused(number, refusal)
            return
        self.redirect(f"{HOME}exams/untold?done=told", status=303)


class UntoldHandler(DeskHandler):
    """Whom no message has reached: the office calls them."""

    needs = at_desk.PERMISSION

    async def get(self) -> None:
        """Show one page of them, the next test first."""
        after = self.get_query_argument("after", "")
        found = await telling.untold(self.ctx, self.officer, after)
        self.render(
            "exams_untold.html",
            found=found,
            later_page=bool(after),
            done=self.get_query_argument("done", "") == "told",
        )
