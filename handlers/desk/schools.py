"""School accounts: a head of office gives clerks of his schools their logins, at the window."""

from casework import school_accounts
from casework.school_accounts import NewLogin
from handlers.desk.base import HOME, DeskHandler
from rules.refusals import Refusal, Worded

_LONGEST = 60
_CHANGES = frozenset({"reset", "disable"})


class SchoolsHandler(DeskHandler):
    """The schools of the office with their clerks."""

    needs = "manage_schools"

    async def get(self) -> None:
        """Show them."""
        await self.show(None)

    async def post(self) -> None:
        """Add a clerk; his login is shown once."""
        school = self.line("school", _LONGEST)
        username, name = self.line("username", _LONGEST), self.line("name", _LONGEST)
        self.cause()
        try:
            login = await school_accounts.add_clerk(
                self.ctx, self.officer, school=school, username=username, name=name
            )
        except Refusal as refusal:
            worded = self.problem(refusal)
            await self.show(worded, school=school, username=username, name=name)
            return
        self.show_login(login)

    async def show(
        self, problem: Worded | None, school: str = "", username: str = "", name: str = ""
    ) -> None:
        """The page, with what was typed for one of the schools."""
        self.render(
            "schools.html",
            schools=await school_accounts.schools(self.ctx, self.officer),
            problem=problem,
            typed={"school": school, "username": username, "name": name},
            cause=self.new_cause(),
            disabled=self.get_query_argument("disabled", "") != "",
        )

    def show_login(self, login: NewLogin) -> None:
        """What the clerk takes along; nobody can show it again."""
        self.render("school_login.html", login=login)

    def page_address(self) -> str:
        """The list."""
        return f"{HOME}schools"


class ClerkHandler(SchoolsHandler):
    """One clerk's login: a new password, or its end."""

    async def get(self) -> None:
        """Somebody reloaded: back to the list."""
        self.redirect(self.page_address())

    async def post(self) -> None:
        """Reset or disable."""
        username, change = self.line("username", _LONGEST), self.line("change", _LONGEST)
        self.cause()
        if change not in _CHANGES:
            raise Refusal("bad-request")
        if change == "disable":
            await school_accounts.disable_clerk(self.ctx, self.officer, username)
            self.redirect(f"{self.page_address()}?disabled=1", status=303)
            return
        self.show_login(await school_accounts.reset_clerk(self.ctx, self.officer, username))
