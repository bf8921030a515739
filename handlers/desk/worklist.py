"""The work list of the officer's own office, looking a matter up, going on to the next one."""

import unicodedata

from casework import worklist
from casework.numbers import is_number
from handlers.base import Access
from handlers.desk.base import HOME, DeskHandler
from rules.refusals import Refusal

_NOTES = frozenset({"bad_number", "none_left"})


class RootHandler(DeskHandler):
    """``/desk`` as people type it."""

    access = Access.PUBLIC

    def get(self) -> None:
        """Go to the work list."""
        self.redirect(HOME)


class WorkListHandler(DeskHandler):
    """One tab a state, the longest waiting first. A school's clerk has a home of his own."""

    needs = "desk"

    async def get(self) -> None:
        """Show one page of one tab. A citizen's draft is nobody's work yet: no tab, no list."""
        if self.officer.may("enrol"):
            self.redirect(f"{HOME}students")
            return
        self.officer.must("review")
        state = self.get_query_argument("state", "") or worklist.LISTED[0]
        if state not in worklist.LISTED:
            raise Refusal("bad-request")
        after = self.get_query_argument("after", "")
        work = await worklist.page(
            self.ctx,
            self.officer,
            state=state,
            after=after or None,
        )
        note = self.get_query_argument("note", "")
        self.render(
            "worklist.html",
            work=work,
            later_page=bool(after),
            note=note if note in _NOTES else "",
            cause=self.new_cause(),
        )


class FindHandler(DeskHandler):
    """From a matter number as typed or read out to its page."""

    needs = "desk"

    def get(self) -> None:
        """Go to the matter; a number that cannot be one is answered on the list."""
        # A Chinese keyboard writes full-width digits.
        written = unicodedata.normalize("NFKC", self.get_query_argument("number", ""))
        number = "".join(c for c in written if c.isdigit())
        found, school = is_number(number), self.officer.may("enrol")
        page, none = ("students", f"{HOME}students") if school else ("matters", HOME)
        self.redirect(f"{HOME}{page}/{number}" if found else f"{none}?note=bad_number")


class NextHandler(DeskHandler):
    """The next matter that waits for a decision."""

    async def get(self) -> None:
        """Go to it, or to the list when nothing waits any more."""
        done = self.get_query_argument("after", "")
        number = await worklist.next_matter(self.ctx, self.officer, done)
        self.redirect(f"{HOME}matters/{number}" if number else f"{HOME}?note=none_left")
