"""「委托」 in the chat: given question by question, accepted, listed, taken back."""

import asyncio
from datetime import date, timedelta

from casework import mandates
from casework.askers import asker_logged_in
from casework.context import Context
from tests.bot.conftest import RunningHouse
from tests.bot.phone import Phone
from tests.support.known_codes import CODE, forget_limits, lay_code


def forget(house: RunningHouse) -> None:
    """As if a minute had passed since the last code."""

    async def inside() -> None:
        async with house.open() as ctx:
            await forget_limits(ctx, house.processes.database)

    asyncio.run(inside())


def know_code(house: RunningHouse, phone: Phone) -> None:
    """The code that confirms a mandate: the gateway sends one a minute only."""

    async def lay() -> None:
        async with house.open() as ctx:
            key = ctx.stores.vault.id_key(phone.person.id_number)
            await lay_code(ctx, "mandate", phone.person.id_number, asker_logged_in(ctx, key))

    asyncio.run(lay())


def standings(house: RunningHouse, phone: Phone) -> list[str]:
    """What the mandates a person gave are worth."""

    async def look(ctx: Context) -> list[str]:
        session = await ctx.stores.sessions.get(ctx.stores.vault.id_key(phone.person.id_number))
        assert session is not None
        return [m.standing for m in (await mandates.mine(ctx, session.citizen(ctx.today()))).given]

    async def inside() -> list[str]:
        async with house.open() as ctx:
            return await look(ctx)

    return asyncio.run(inside())


def test_a_mandate_from_the_first_question_to_its_end(house: RunningHouse) -> None:
    principal, agent = house.other(), house.other()
    assert "先注册" in principal.say("委托")
    assert "注册成功" in principal.register()
    assert "注册成功" in agent.register()
    assert "现在没有委托" in principal.say("我的委托")
    assert "18位身份证号码" in principal.say("1")
    assert "身份证号码不正确" in principal.say("410105199001010000")
    assert "姓名" in principal.say(agent.person.id_number)
    assert "什么人" in principal.say(agent.person.name)
    assert "姓名" in principal.say("返回")
    principal.say(agent.person.name)
    assert "办理什么" in principal.say("子女")
    assert "驾驶证业务" in principal.heard[-1]
    assert "哪一天" in principal.say("1")
    assert "最晚" in principal.say("2099年1月1日")
    forget(house)
    latest = principal.heard[-1].partition("最晚")[2]
    assert "验证码" in principal.say(latest[latest.find("20") :][:10].strip("。"))
    assert "6位数字" in principal.say("好")
    know_code(house, principal)
    assert "不正确" in principal.say("111111")
    assert "已提出委托" in principal.say(CODE)
    assert standings(house, principal) == ["offered"]

    heard = agent.say("委托")
    assert "委托您" in heard and "等待代理人确认" in heard
    heard = agent.say("1")
    assert "同意接受" in heard and "请在小程序中" in heard
    assert "开始生效" in agent.say("1")
    assert standings(house, principal) == ["live"]

    assert "有效" in principal.say("委托")
    assert "撤销委托" in principal.say("1")
    assert "委托人已撤销" in principal.say("1")
    assert standings(house, principal) == ["revoked"]
    assert "现在没有委托" in agent.say("委托")


def test_what_cannot_be_given_is_said_before_a_code_is_asked_for(house: RunningHouse) -> None:
    principal = house.other()
    principal.register()
    principal.say("委托")
    principal.say("1")
    principal.say(principal.person.id_number)
    principal.say(principal.person.name)
    principal.say("1")
    principal.say("1、2")
    assert "不能委托自己" in principal.say(_soon())
    assert "现在没有委托" in principal.say("委托")


def _soon() -> str:
    return (date.today() + timedelta(days=20)).isoformat()
