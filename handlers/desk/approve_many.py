"""Approving many students at once from the work list; the page says what became of each."""

import re

from casework.enrolments import approve_many
from handlers.desk.base import HOME, DeskHandler
from rules.refusals import Refusal

_CHOSEN = re.compile(r"([0-9]{1,20})-([0-9]{1,7})")


class ApproveManyHandler(DeskHandler):
    """The ticked rows, each decided by itself on the version that was listed."""

    def get(self) -> None:
        """Somebody reloaded after an error: back to the list."""
        self.redirect(HOME)

    async def post(self) -> None:
        """Approve them; a repeated click shows the same."""
        chosen = [self._read(text) for text in self.get_body_arguments("chosen")]
        answers = await approve_many(self.ctx, self.officer, chosen, self.cause())
        self.render(
            "approve_many.html",
            done=[number for number, refusal in answers if refusal is None],
            failed=[(number, self.worded(r)) for number, r in answers if r is not None],
        )

    def _read(self, text: str) -> tuple[str, int]:
        found = _CHOSEN.fullmatch(text)
        if found is None:
            raise Refusal("bad-request")
        return found[1], int(found[2])
