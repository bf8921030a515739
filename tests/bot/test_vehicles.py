"""「我的车」 in the chat: what the registry holds, and letting go of what is bound."""

import asyncio

from tests.bot.conftest import RunningHouse
from tests.bot.phone import OFFICE, Person


def owns(house: RunningHouse, person: Person, plate: str) -> None:
    """The registry learns that a vehicle is his."""

    async def load() -> None:
        async with house.open() as ctx:
            row = {
                "plate": plate,
                "kind": "小型汽车",
                "owner_id_number": person.id_number,
                "owner_name": person.name,
                "owner_phone": person.phone,
                "registering_office": OFFICE,
                "status": "正常",
            }
            await ctx.stores.registry.upsert_vehicles([row])

    asyncio.run(load())


def test_a_vehicle_is_shown_masked_then_bound_and_let_go(house: RunningHouse) -> None:
    phone = house.holder()
    assert "还没有注册" in phone.say("我的车")
    assert "注册成功" in phone.register()
    assert "没有登记的机动车" in phone.say("我的车")
    owns(house, phone.person, "豫A98765")
    seen = phone.say("我的车")
    assert "豫A***65" in seen and "豫A98765" not in seen and "面签" in seen
    house.face_sign(phone.person)
    seen = phone.say("我的车")
    assert "豫A98765 小型汽车，正常，已绑定" in seen and "2. 解除绑定驾驶证" in seen
    assert "确定吗" in phone.say("1")
    assert "没有解除" in phone.say("2")
    phone.say("我的车")
    phone.say("1")
    assert "未绑定" in phone.say("1")
    seen = phone.say("我的车")
    assert "豫A***65" in seen
    phone.say("1")
    assert "已解除绑定" in phone.say("1")
    refused = phone.say("延期换证")
    assert "还没有绑定驾驶证" in refused and "电话" in refused


def test_who_is_not_face_signed_hears_what_is_missing_and_where(house: RunningHouse) -> None:
    phone = house.holder()
    phone.register()
    refused = phone.say("延期换证")
    assert "需要是面签注册用户" in refused and "（见下）" in refused
    assert "地址：" in refused and "时间：" in refused and "电话：" in refused
