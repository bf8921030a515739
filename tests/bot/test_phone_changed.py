"""A phone changed at the counter: proved by a code, told to both numbers, exported."""

import asyncio
import csv
from dataclasses import replace

from casework import contacts, logins
from casework.delivery import attend
from casework.exchange import export_file
from rules.refusals import Refusal
from tests.bot.conftest import RunningHouse, officer_of
from tests.bot.phone import Person, Phone, _call


def inbox(house: RunningHouse, phone: str) -> list[str]:
    """The texts on a phone, oldest first."""
    found = _call(f"{house.processes.sandbox_url}/sandbox/phones/{phone}/sms")
    return [str(sms["text"]) for sms in found]


def changed(house: RunningHouse, person: Person, new: Phone) -> list[dict[str, str]]:
    """The officer changes the person's phone; the rows exported afterwards."""

    async def work() -> list[dict[str, str]]:
        async with house.open() as ctx:
            officer = await officer_of(ctx)
            visit = (await contacts.receive(ctx, officer, person.id_number)).visit
            await contacts.send_code(ctx, officer, visit, new.person.phone)
            code = await asyncio.to_thread(new.code)
            every = contacts.CHECKS
            try:
                await contacts.confirm(ctx, officer, visit, code="000000", checked=every)
            except Refusal as refusal:
                assert refusal.code == "code-wrong"
            view = await contacts.confirm(ctx, officer, visit, code=code, checked=every)
            again = await contacts.confirm(ctx, officer, visit, code=code, checked=every)
            assert again.number == view.number and view.state == "finished"
            await attend(ctx, view.number)
            path = house.processes.folder / "decisions.csv"
            await export_file(ctx, "decisions", path, lambda done: None)
            rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
            return [row for row in rows if row["number"] == view.number]

    return asyncio.run(work())


def token_of(house: RunningHouse, person: Person) -> str:
    """A login of the person's."""

    async def work() -> str:
        async with house.open() as ctx:
            key = ctx.stores.vault.id_key(person.id_number)
            return (await logins.issue(ctx, key, "mini", "旧手机")).token

    return asyncio.run(work())


def is_logged_in(house: RunningHouse, token: str) -> bool:
    """Whether a token is worth anything."""

    async def work() -> bool:
        async with house.open() as ctx:
            try:
                await logins.authenticate(ctx, token)
            except Refusal as refusal:
                assert refusal.code == "not-logged-in"
                return False
            return True

    return asyncio.run(work())


def test_who_has_an_account(house: RunningHouse) -> None:
    phone, new = house.holder(), house.stranger()
    assert "注册成功" in phone.register()
    token = token_of(house, phone.person)
    assert is_logged_in(house, token)
    (row,) = changed(house, phone.person, new)
    assert (row["decision"], row["phone"]) == ("contact_changed", new.person.phone)
    assert row["id_number"] == phone.person.id_number
    assert not is_logged_in(house, token)
    assert "手机号已变更" in inbox(house, new.person.phone)[-1]
    last = inbox(house, phone.person.phone)[-1]
    assert "不再使用这个号码" in last and "如非本人办理" in last and "://" not in last
    # Whoever had the old phone may have its WeChat: both log in anew.
    assert "还没有注册" in phone.say("我的信息")


def test_who_has_none_changes_the_record_only(house: RunningHouse) -> None:
    holder, new = house.holder(), house.stranger()
    (row,) = changed(house, holder.person, new)
    assert (row["phone"], row["id_number"]) == (new.person.phone, holder.person.id_number)
    assert "手机号已变更" in inbox(house, new.person.phone)[-1]
    assert "不再使用这个号码" in inbox(house, holder.person.phone)[-1]

    async def account() -> bool:
        async with house.open() as ctx:
            key = ctx.stores.vault.id_key(holder.person.id_number)
            return await ctx.stores.sessions.get(key) is not None

    assert not asyncio.run(account())


def test_a_visit_is_its_officers_own_and_its_code_the_visits(house: RunningHouse) -> None:
    holder, new = house.holder(), house.stranger()

    async def work() -> None:
        async with house.open() as ctx:
            officer = await officer_of(ctx)
            first = (await contacts.receive(ctx, officer, holder.person.id_number)).visit
            other = (await contacts.receive(ctx, officer, holder.person.id_number)).visit
            await contacts.send_code(ctx, officer, first, new.person.phone)
            code = await asyncio.to_thread(new.code)
            for who, visit, expected in (
                (replace(officer, username="another"), first, "visit-ended"),
                (officer, other, "not-checked"),
                (officer, "a" * 43, "visit-ended"),
            ):
                try:
                    await contacts.confirm(ctx, who, visit, code=code, checked=contacts.CHECKS)
                except Refusal as refusal:
                    assert refusal.code == expected
                else:
                    raise AssertionError(expected)

    asyncio.run(work())
