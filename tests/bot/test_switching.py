"""One WeChat, a family: whose account it uses, what is seen of the others (nothing), unbinding,
devices. Two persons of the registry, one phone in the sandbox each."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from casework import logins
from casework.askers import asker_in_chat
from casework.codes import slot
from casework.context import Context
from casework.wechat_identity import WechatIdentity
from tests.bot.conftest import RunningHouse
from tests.bot.phone import Phone
from tests.support.web import fetch

Result = TypeVar("Result")


def inside(house: RunningHouse, work: Callable[[Context], Awaitable[Result]]) -> Result:
    """Do something inside the house."""

    async def done() -> Result:
        async with house.open() as ctx:
            return await work(ctx)

    return asyncio.run(done())


def made_account(house: RunningHouse) -> Phone:
    """Somebody who has an account by having been at the window, and a phone without it."""
    phone = house.holder()
    house.face_sign(phone.person)
    return phone


CODE = "135790"


def know_code(house: RunningHouse, phone: Phone, member: Phone, purpose: str = "login") -> None:
    """Make the code that was just asked for on ``phone`` one we know. The gateway sends a number
    one a minute, and so do we, which is not what is tried here."""

    async def put(ctx: Context) -> None:
        asker = asker_in_chat(ctx, WechatIdentity("official", phone.openid))
        key = ctx.stores.vault.id_key(member.person.id_number)
        place = slot(ctx, purpose, key, member.person.phone, asker)
        await ctx.stores.memory.put_code(place, CODE, 300)

    inside(house, put)


def forget_limits(house: RunningHouse) -> None:
    """As if nobody had asked for a code before."""

    async def forget(ctx: Context) -> None:
        async for key in ctx.stores.redis.scan_iter(match="bot_conversations:hit:*"):
            await ctx.stores.redis.delete(key)

    inside(house, forget)


def switch(house: RunningHouse, phone: Phone, member: Phone, word: str = "切换") -> str:
    """On ``phone``, log in as ``member``, who reads his code out."""
    forget_limits(house)
    assert "身份证号" in phone.say(word)
    assert "验证码" in phone.say(member.person.id_number)
    know_code(house, phone, member)
    return phone.say(CODE)


def login(house: RunningHouse, phone: Phone) -> str:
    """Log in by ID number in the chat."""
    return switch(house, phone, phone, "登录")


def test_a_family_takes_turns_and_nothing_of_the_other_is_seen(house: RunningHouse) -> None:
    mother, son = made_account(house), made_account(house)
    assert "登录成功" in login(house, mother)
    begun = mother.say("延期换证")
    number = next(w for w in begun.replace("。", " ").split() if "编号" in w)[-12:]
    mother.say("取消")
    assert number in mother.say("进度")

    assert "已换成您的账户" in switch(house, mother, son)
    for words in ("进度", "我的", "继续", number):
        assert number not in mother.say(words)
    seen = mother.say("我的")
    assert mother.person.phone[-4:] not in seen and son.person.phone[-4:] in seen
    assert "面签注册" in mother.say("进度")

    # Back the same way, to where she was.
    assert "已换成您的账户" in switch(house, mother, mother)
    assert number in mother.say("进度")


def test_what_each_was_at_waits_for_him(house: RunningHouse) -> None:
    mother, son = made_account(house), made_account(house)
    login(house, mother)
    asked = mother.say("延期换证")
    said = switch(house, mother, son)
    assert "继续" not in said and "延期" not in said
    said = switch(house, mother, mother)
    assert "继续" in said
    again = mother.say("继续")
    assert again.splitlines()[-1] == asked.splitlines()[-1]


def test_the_id_number_of_the_other_does_not_stay_with_the_one(house: RunningHouse) -> None:
    mother, son = made_account(house), made_account(house)
    login(house, mother)
    switch(house, mother, son)

    async def talk(ctx: Context) -> object:
        key = ctx.stores.vault.id_key(mother.person.id_number)
        found = await ctx.stores.conversations.of_citizen(key)
        assert found is not None
        return found[1].dialogue

    assert inside(house, talk) is None


def test_a_wrong_code_and_an_unknown_person_are_answered_alike(house: RunningHouse) -> None:
    known, unknown = made_account(house), house.stranger()
    asker = house.holder()
    answers = []
    for member in (known, unknown):
        asker.say("登录")
        sent = asker.say(member.person.id_number)
        wrong = asker.say("000000")
        answers.append((sent, wrong))
        asker.say("取消")
    assert answers[0] == answers[1]
    assert "不正确" in answers[0][1]
    assert "还没有注册" in asker.say("我的")


def test_another_wechat_is_asked_for_a_date(house: RunningHouse) -> None:
    member = made_account(house)
    login(house, member)
    finder = house.phone_of(member.person)
    asked = login(house, finder)
    assert "已绑定别的微信" in asked and "初次领证日期" in asked
    assert "不一致" in finder.say("2011-11-11")
    assert "登录成功" in finder.say("2017年2月1日")
    assert member.person.phone[-4:] in finder.say("我的")
    assert "还没有注册" in member.say("我的")


def test_registering_again_leads_to_logging_in(house: RunningHouse) -> None:
    member = made_account(house)
    login(house, member)
    newcomer = house.phone_of(member.person)
    forget_limits(house)
    for words in ("注册", *(member.person.id_number, member.person.name, member.person.phone)):
        newcomer.say(words)
    know_code(house, newcomer, newcomer, "register")
    assert "请回复“登录”" in newcomer.say(CODE)


def test_unbinding_is_asked_about_and_ends_it(house: RunningHouse) -> None:
    member = made_account(house)
    login(house, member)
    assert "解绑" in member.say("解绑")
    assert member.person.phone[-4:] in member.say("我的")
    assert "要解除什么绑定" in member.say("解绑微信")
    assert "好的" in member.say("3")
    assert member.person.phone[-4:] in member.say("我的")
    member.say("解绑")
    assert "已解绑" in member.say("1")
    assert "还没有注册" in member.say("我的")
    assert "登录成功" in login(house, member)


def test_who_unfollows_must_log_in_again(house: RunningHouse) -> None:
    member = made_account(house)
    login(house, member)
    member.event("unsubscribe")
    member.event("subscribe")
    assert "还没有注册" in member.say("我的")
    assert "登录成功" in login(house, member)


def test_devices_are_listed_and_signed_out(house: RunningHouse) -> None:
    member = made_account(house)
    login(house, member)
    assert "没有登录中的设备" in member.say("我的设备")

    async def log_in(ctx: Context) -> list[str]:
        key = ctx.stores.vault.id_key(member.person.id_number)
        return [(await logins.issue(ctx, key, "mini", f"平板{n}")).token for n in range(3)]

    tokens = inside(house, log_in)
    seen = member.say("我的设备")
    assert "1. 平板2（微信小程序" in seen and "4. 退出全部设备" in seen
    assert "“平板2”已退出" in member.say("1")
    assert [known(house, t) for t in tokens] == [True, True, False]
    assert "全部设备已退出" in member.say("退出其他设备")
    assert [known(house, t) for t in tokens] == [False] * 3
    assert "1." not in member.say("我的设备")


def known(house: RunningHouse, token: str) -> bool:
    """Whether the service, which may have believed a token a moment ago, still knows it."""

    async def look(ctx: Context) -> bool:
        key, device, *_ = token.split(".")
        session = await ctx.stores.sessions.get(key)
        return session is not None and session.device(device) is not None

    return inside(house, look)


def test_a_token_stays_its_owners_after_the_wechat_changed_over(house: RunningHouse) -> None:
    mother, son = made_account(house), made_account(house)
    login(house, mother)

    async def log_in(ctx: Context) -> str:
        key = ctx.stores.vault.id_key(mother.person.id_number)
        return (await logins.issue(ctx, key, "mini", "手机")).token

    headers = {"Authorization": f"Bearer {inside(house, log_in)}"}
    switch(house, mother, son)
    base = house.processes.service_url
    me = fetch(base, "GET", "/api/v1/me", None, headers).json()
    assert me["phone"][-4:] == mother.person.phone[-4:]
    assert me["bindings"] == []
