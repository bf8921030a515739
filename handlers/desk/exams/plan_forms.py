"""The forms of a session: publishing one, changing and cancelling a published one."""

from typing import Any

from casework.exams.plan_desk import PERMISSION, blank, desk_plan
from casework.exams.publishing import cancel_plan, change_plan, publish
from casework.exams.showing import subject_label
from casework.exams.views import PlanView
from handlers.desk.base import HOME, DeskHandler
from handlers.desk.students import problems_by_part
from rules.exams.plan import Subject
from rules.exams.publishing import FIELDS
from rules.refusals import Refusal
from rules.vehicle_classes import CLASSES

_LONGEST = 100


class PublishHandler(DeskHandler):
    """A new session."""

    needs = PERMISSION

    async def get(self) -> None:
        """The form, as good as empty."""
        await self.show({"vehicle_class": "C1"}, None)

    async def post(self) -> None:
        """Publish it; what is wrong is said field by field, and nothing typed is lost."""
        values = self.values()
        try:
            plan = await publish(
                self.ctx, self.officer, self.officer.office.code, values, self.cause()
            )
        except Refusal as refusal:
            await self.show(values, refusal)
            return
        self.lead_to(plan, "published")

    def values(self) -> dict[str, str]:
        """What was entered of the session."""
        return {name: self.line(name, _LONGEST) for name in FIELDS}

    def lead_to(self, plan: PlanView, done: str) -> None:
        """The session's page, saying what was done."""
        self.redirect(f"{HOME}exams/{plan.code}?done={done}", status=303)

    def field_label(self, name: str) -> str:
        """What a field of a session is called."""
        return self.ctx.book.texts.say(f"exams.fields.{name}")

    async def show(self, values: dict[str, str], refusal: Refusal | None) -> None:
        """The form with what was entered."""
        await self.show_fields("exams_new.html", values, refusal, locked=frozenset[str]())

    async def show_fields(
        self, page: str, values: dict[str, str], refusal: Refusal | None, **more: Any
    ) -> None:
        """A page with the fields of a session, and what is wrong with each."""
        self.render(
            page,
            values=values,
            problem=self.problem(refusal) if refusal else None,
            wrong=problems_by_part(refusal) if refusal else {},
            blank=await blank(self.ctx, self.officer),
            subjects={s.value: subject_label(self.ctx, s.value) for s in Subject},
            classes=CLASSES,
            field_label=self.field_label,
            cause=self.new_cause(),
            **more,
        )


class ChangePlanHandler(PublishHandler):
    """A published session, changed."""

    async def get(self, code: str) -> None:  # type: ignore[override]  # the session is the address
        """The form as the session is."""
        await self.show_change(code, None, "", None)

    async def post(self, code: str) -> None:  # type: ignore[override]  # the session is the address
        """Change it."""
        found = await desk_plan(self.ctx, self.officer, code)
        # What is locked is not sent.
        values = {**found.entry, **{n: v for n, v in self.values().items() if self.sent(n)}}
        reason, seen = self.line("reason", _LONGEST), self.line("seen", 6)
        if not seen.isdecimal():
            raise Refusal("bad-request")
        try:
            plan = await change_plan(
                *(self.ctx, self.officer, code, values, reason, self.cause()), seen=int(seen)
            )
        except Refusal as refusal:
            await self.show_change(code, values, reason, refusal)
            return
        same = values == found.entry and int(seen) == found.changes
        self.lead_to(plan, "unchanged" if same else "changed")

    def sent(self, name: str) -> bool:
        """Whether the form held a field."""
        return bool(self.get_body_arguments(name))

    async def show_change(
        self, code: str, values: dict[str, str] | None, reason: str, refusal: Refusal | None
    ) -> None:
        """The form with what was entered, or as the session is."""
        found = await desk_plan(self.ctx, self.officer, code)
        locked = {"subject", "vehicle_class"}
        if found.closed:
            locked |= {"day", "capacity", "closes_at"}
        shown = values or found.entry
        more = {"found": found, "reason": reason, "locked": locked}
        await self.show_fields("exams_change.html", shown, refusal, **more)


class CancelPlanHandler(DeskHandler):
    """A published session, cancelled."""

    needs = PERMISSION

    async def get(self, code: str) -> None:
        """What it would mean."""
        await self.show(code, "", None)

    async def post(self, code: str) -> None:
        """Cancel it, once it is sure."""
        reason = self.line("reason", _LONGEST)
        try:
            if self.line("sure", 1) != "1":
                raise Refusal("not-sure")
            plan = await cancel_plan(self.ctx, self.officer, code, reason, self.cause())
        except Refusal as refusal:
            await self.show(code, reason, refusal)
            return
        self.redirect(f"{HOME}exams/{plan.code}?done=cancelled", status=303)

    async def show(self, code: str, reason: str, refusal: Refusal | None) -> None:
        """The form."""
        worded = self.problem(refusal) if refusal else None
        self.render(
            "exams_cancel.html",
            found=await desk_plan(self.ctx, self.officer, code),
            reason=reason,
            problem=worded,
            cause=self.new_cause(),
        )
