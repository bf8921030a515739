"""Driving students with a phone, and what the office does meanwhile, for conversations."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from bot.wording import MAX_BYTES
from casework.context import Context
from casework.exams import attending
from casework.exams.booking import book
from casework.exams.listing import bookings
from casework.exams.views import BookingView
from rules.exams.plan import Plan
from rules.people import Citizen
from tests.bot.conftest import RunningHouse
from tests.bot.phone import Person, Phone
from tests.casework.exams import attempt, learner, published
from tests.casework.inside import Clock
from tests.desk.town import id_number
from tests.support.known_codes import CODE, forget_limits, lay_code_in_chat

Result = TypeVar("Result")
_ORDERS = itertools.count(500)


def inside(house: RunningHouse, work: Callable[[Context], Awaitable[Result]]) -> Result:
    """Do something inside the house."""

    async def done() -> Result:
        async with house.open() as ctx:
            return await work(ctx)

    return asyncio.run(done())


class Student:
    """Somebody enrolled, logged in on his phone."""

    def __init__(
        self, house: RunningHouse, vehicle_class: str, *, days: int = 60, passed: str = "1"
    ) -> None:
        self.house, self.order = house, next(_ORDERS)
        self.citizen: Citizen = inside(
            house,
            lambda ctx: learner(
                ctx, self.order, days=days, passed=passed, vehicle_class=vehicle_class
            ),
        )
        person = Person(id_number(self.order), "陈学员", f"137000{self.order:05d}")
        self.phone: Phone = house.phone_of(person)

    def log_in(self) -> "Student":
        """By ID number, in the chat."""
        number = self.phone.person.id_number

        async def lay(ctx: Context) -> None:
            await lay_code_in_chat(ctx, "login", number, self.phone.openid)

        inside(self.house, lambda ctx: forget_limits(ctx, self.house.processes.database))
        self.phone.say("登录")
        assert "验证码" in self.phone.say(number)
        inside(self.house, lay)
        assert "登录成功" in self.phone.say(CODE)
        return self

    def say(self, text: str) -> str:
        """Type a message; gives the answer, which WeChat takes."""
        heard = self.phone.say(text)
        assert len(heard.encode()) <= MAX_BYTES
        return heard

    def live(self) -> list[BookingView]:
        """What he has booked, as the house knows it."""
        return inside(self.house, lambda ctx: bookings(ctx, self.citizen, live=True))

    def books(self, plan: str, cause: str = "inside", ago: timedelta = timedelta(0)) -> BookingView:
        """Book for him by another door, some time ago."""

        async def work(ctx: Context) -> BookingView:
            clock = Clock(ctx.clock)
            clock.ahead = -ago
            return await book(replace(ctx, clock=clock), self.citizen, plan, cause, "mini")

        return inside(self.house, work)

    def sits(self, subject: str, outcome: str, day: date) -> None:
        """A sitting enters his record."""
        inside(self.house, lambda ctx: attempt(ctx, self.citizen, subject, outcome, day))


def plan(house: RunningHouse, code: str, vehicle_class: str, **changes: Any) -> Plan:
    """A session published, of a class the other tests leave alone."""
    return inside(house, lambda ctx: published(ctx, code, vehicle_class=vehicle_class, **changes))


def attend(house: RunningHouse, code: str) -> None:
    """What the worker does about a session: offers, changes, closing."""
    inside(house, lambda ctx: attending.attend(ctx, code))


def today(house: RunningHouse) -> date:
    """The day it is in the house."""

    async def look(ctx: Context) -> date:
        return ctx.today()

    return inside(house, look)


def soon(**by: float) -> datetime:
    """A moment from now."""
    return datetime.now().astimezone() + timedelta(**by)


def spoken(of: Plan) -> str:
    """The day of a session as the chat says it."""
    return f"{of.day.month}月{of.day.day}日 周{'一二三四五六日'[of.day.weekday()]}"
