"""A matter with all an officer needs to decide it, its photos, and the decision."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from casework import desk
from casework.desk import DeskMatter
from casework.exams.desk_bookings import is_booking
from casework.worklist import LISTED
from handlers.desk.base import HOME, DeskHandler
from rules.matter import Defect
from rules.refusals import Refusal, Worded

_OWN_WORDS = 200
_DECIDED = {
    "approve": "approved",
    "send_back": "sent_back",
    "refuse": "refused",
    "enrol_in_person": "enrolled_in_person",
    "left": "left",
}


@dataclass(frozen=True)
class Typed:
    """A decision as typed into the page, kept when it is shown again."""

    decision: str = ""
    ticked: frozenset[str] = frozenset()
    ready: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, str] = field(default_factory=dict)

    def reason(self, part: str) -> str:
        """The ready reason chosen for a part and the officer's own words, as one text."""
        return "，".join(t for t in (self.ready.get(part, ""), self.own.get(part, "")) if t)

    def defects(self) -> list[Defect]:
        """Every part ticked, and every part words were written about without a tick."""
        parts = [p for p in self.own if p in self.ticked or self.reason(p)]
        return [Defect(part, self.reason(part)) for part in parts if part != "refuse"]


class MatterHandler(DeskHandler):
    """The matter's page."""

    async def get(self, number: str) -> None:
        """Show it; a booking has a page of its own."""
        if await is_booking(self.ctx, number):
            self.redirect(f"{HOME}exams/bookings/{number}")
            return
        matter = await desk.open_matter(self.ctx, self.officer, number)
        self.show(matter, Typed(), None)

    def show(self, matter: DeskMatter, typed: Typed, problem: Worded | None) -> None:
        """The page with a new cause, what was typed before and what was wrong with it."""
        texts = self.ctx.book.texts
        self.render(
            "matter.html",
            matter=matter,
            view=matter.view,
            listed=matter.view.state in LISTED,
            typed=typed,
            problem=problem,
            done=self._just_decided(matter),
            cause=self.new_cause(),
            idle=self._idle(matter),
            own_words=_OWN_WORDS,
            field_reasons=list(texts.under("desk.reasons.field").values()),
            material_reasons=list(texts.under("desk.reasons.material").values()),
            refuse_reasons=self._refuse_reasons(matter.view.service),
        )

    def _refuse_reasons(self, service: str) -> list[str]:
        """The ready reasons for refusing: the service's own where it has some."""
        under = self.ctx.book.texts.under
        found = under(f"desk.reasons.{service}") or under("desk.reasons.refuse")
        return list(found.values())

    def _idle(self, matter: DeskMatter) -> str:
        """Why there is nothing to decide, in the service's own words where it has some."""
        own = f"idle.{matter.view.service}.{matter.view.state}"
        has = self.ctx.book.texts.has(f"desk.{own}")
        return self.say(own if has else f"idle.{matter.view.state}")

    def _just_decided(self, matter: DeskMatter) -> str:
        # Believed only if the timeline says the same: a link alone proves nothing.
        done = self.get_query_argument("done", "")
        by_me = any(
            e.type == _DECIDED.get(done) and e.actor == self.officer.username for e in matter.log
        )
        return done if by_me and not matter.actions else ""


class DecisionHandler(MatterHandler):
    """What the officer decided. It is decided on the version he saw, once."""

    async def get(self, number: str) -> None:
        """Somebody reloaded after an error: back to the matter."""
        self.redirect(f"{HOME}matters/{number}")

    async def post(self, number: str) -> None:
        """Decide; on a refusal show the matter afresh with everything typed."""
        typed = self._typed()
        try:
            await desk.decide(
                self.ctx,
                self.officer,
                number,
                self.version(),
                typed.decision,
                typed.defects(),
                typed.reason("refuse"),
                self.cause(),
            )
        except Refusal as refusal:
            worded = self.worded(refusal)
            # Raises itself when the matter is not this office's: that is the error page's.
            matter = await desk.open_matter(self.ctx, self.officer, number)
            self.set_status(worded.status)
            self.show(matter, typed, worded)
            return
        self.redirect(f"{HOME}matters/{number}?done={typed.decision}", status=303)

    def page_address(self) -> str:
        """The matter's page."""
        return self.request.path.removesuffix("/decision")

    def _typed(self) -> Typed:
        parts = [*self.get_body_arguments("part"), "refuse"]
        return Typed(
            decision=self.get_body_argument("decision", ""),
            ticked=frozenset(self.get_body_arguments("defect")),
            ready={p: self.line(f"ready:{p}", _OWN_WORDS) for p in parts},
            own={p: self.line(f"own:{p}", _OWN_WORDS) for p in parts},
        )


class PhotoHandler(DeskHandler):
    """A photo of a matter, marked with who looks at it and when."""

    async def get(self, number: str, photo_id: str) -> None:
        """Stream it."""
        photo = await desk.officer_photo(self.ctx, self.officer, number, photo_id)
        self.set_header("Content-Type", photo.media_type)
        async for piece in photo.stream:
            self.write(piece)
            await self.flush()
