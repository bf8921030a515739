"""Whole conversations through WeChat's pushes against a running service."""

import asyncio

import pytest

from bianmin.demo.pictures import id_card_jpeg, no_picture, proof_png
from casework import desk, matters
from rules.matter import Defect
from tests.bot.conftest import RunningHouse, officer_of
from tests.bot.phone import Phone
from tests.support.known_codes import CODE, forget_limits, lay_code_in_chat

UNTIL = "2029年1月31日"


def signed_up(house: RunningHouse) -> Phone:
    """A registered, face-signed licence holder."""
    phone = house.holder()
    assert "注册成功" in phone.register()
    house.face_sign(phone.person)
    return phone


def number_in(text: str) -> str:
    """The matter number an answer names."""
    return text.partition("编号")[2].lstrip("：")[:12].strip("。 \n）")


def fill(phone: Phone) -> None:
    """Everything up to the first photo."""
    assert "延期事由" in phone.say("延期换证")
    assert "延期截止日期" in phone.say("出国留学")
    assert "补充说明" in phone.say(UNTIL)
    assert "聊天会保留记录" in phone.say("跳过")


def complete(phone: Phone) -> None:
    """Everything up to the summary."""
    fill(phone)
    assert "身份证" in phone.say("1")
    assert "延期事由证明" in phone.show(id_card_jpeg())
    assert "完成" in phone.show(proof_png(), "image/png")
    assert "请核对" in phone.say("完成")


def test_greeting_and_menu(house: RunningHouse) -> None:
    phone = house.stranger()
    assert "延期换证" in phone.event("subscribe")
    assert "请回复数字" in phone.say("菜单")
    assert "没有听懂" in phone.say("今天天气怎么样")
    assert "12123" in phone.say("帮助")
    assert "没有听清" in phone.speak("")
    assert "听到您说" in phone.speak("帮助。")
    assert "看不了" in Phone._reply(phone, phone.push("video", {}))


@pytest.mark.parametrize(
    "event",
    ["VIEW", "TEMPLATESENDJOBFINISH", "subscribe_msg_sent_event", "nobody_knows", "LOCATION"],
)
def test_events_that_want_no_words(house: RunningHouse, event: str) -> None:
    assert house.stranger().event(event, MsgID="1", Status="success") == ""


def test_buttons_and_codes(house: RunningHouse) -> None:
    phone = house.stranger()
    assert "注册" in phone.event("CLICK", "progress")
    assert "身份证事由" not in phone.event("CLICK", "menu")
    assert "材料" in phone.event("SCAN", "licence-deferral")
    assert "您好" in phone.event("subscribe", "qrscene_shop-window")


def test_registration_with_every_input_wrong_once(house: RunningHouse) -> None:
    phone = house.holder()
    person = phone.person
    assert "18位身份证号码" in phone.say("注册")
    assert "身份证号码不正确" in phone.say(
        person.id_number[:-1] + ("1" if person.id_number[-1] != "1" else "2")
    )
    assert "15位" in phone.say("410105900101131")
    assert "姓名" in phone.say(person.id_number)
    assert "只用汉字" in phone.say("Wang")
    assert "手机号" in phone.say(person.name)
    assert "手机号码不正确" in phone.say("12345")
    assert "****" in phone.say(person.phone)
    assert "6位数字" in phone.say("123")
    right = phone.code()
    assert "验证码不正确" in phone.say("000000" if right != "000000" else "111111")
    assert "注册成功" in phone.say(f"验证码是{right}")
    assert "已经注册" in phone.say("注册")
    assert "王" in phone.say("我的信息")


def test_mismatch_names_offices_and_another_city(house: RunningHouse) -> None:
    phone = house.holder()
    for words in ("注册", phone.person.id_number, "李四", phone.person.phone):
        phone.say(words)
    answer = phone.say(phone.code())
    assert "不一致" in answer and "郑州市公安局车辆管理所" in answer
    assert "洛阳市公安局车辆管理所" in phone.say("洛阳")
    assert "没有找到" in phone.say("纽约")
    assert "身份证号码" in phone.say("1")
    assert "已停下" in phone.say("取消")


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("注册", "请发您的18位身份证号码"),
        ("怎么注册", "请发您的18位身份证号码"),
        ("延期换证", "先注册"),
        ("我要出国了，想办延期换证", "先注册"),
        ("进度", "先注册"),
        ("帮助", "您可以说"),
        ("车管所", "请回复城市名"),
    ],
)
def test_after_a_mismatch_wishes_come_before_cities(
    house: RunningHouse, words: str, answer: str
) -> None:
    phone = house.stranger()
    for said in ("延期换证", "1", phone.person.id_number, phone.person.name, phone.person.phone):
        phone.say(said)
    assert "不一致" in phone.say(phone.code())
    assert answer in phone.say(words)


def test_the_word_register_in_the_middle_keeps_what_it_was_for(house: RunningHouse) -> None:
    phone = house.other()
    assert "先注册" in phone.say("延期换证")
    assert "身份证号码" in phone.say("注册")
    phone.say(phone.person.id_number)
    assert "身份证号码" in phone.say("注册")
    for said in (phone.person.id_number, phone.person.name, phone.person.phone):
        phone.say(said)
    answer = phone.say(phone.code())
    assert "注册成功" in answer and "面签" in answer


def test_going_back_and_stopping(house: RunningHouse) -> None:
    phone = house.other()
    for words in ("注册", phone.person.id_number):
        phone.say(words)
    assert "手机号" in phone.say(phone.person.name)
    assert "姓名" in phone.say("返回")
    assert "继续" in phone.say("帮助")
    assert "姓名" in phone.say("继续")
    assert "已停下" in phone.say("取消")
    assert "没有正在填写" in phone.say("取消")


def test_who_is_not_registered_is_offered_it_and_comes_back(house: RunningHouse) -> None:
    phone = house.other()
    assert "先注册" in phone.say("延期换证")
    assert "身份证号码" in phone.say("1")
    for words in (phone.person.id_number, phone.person.name, phone.person.phone):
        phone.say(words)
    answer = phone.say(phone.code())
    assert "注册成功" in answer
    assert "面签" in answer and "郑州市公安局车辆管理所" in answer


def test_licence_deferral_from_hello_to_approval(house: RunningHouse) -> None:
    phone = signed_up(house)
    complete(phone)
    answer = phone.say("1")
    assert "已提交" in answer and "郑州市公安局车辆管理所" in answer
    assert "审核中" in phone.say("进度")
    assert "正在办理" in phone.say("延期换证") or "审核中" in phone.heard[-1]
    assert "催办" in phone.say("催办")
    phone.say("进度")
    assert "确定" in phone.say("撤回")
    assert "没有撤回" in phone.say("2")
    phone.say("进度")
    phone.say("撤回")
    assert "已撤回" in phone.say("1")
    assert "已撤回" in phone.say("进度")


def test_bad_answers_ask_the_same_again(house: RunningHouse) -> None:
    phone = signed_up(house)
    phone.say("延期换证")
    assert "延期事由" in phone.say("不知道")
    phone.say("1")
    assert "年月日" in phone.say("后年")
    assert "最长" in phone.say("2099-01-01")
    assert "补充说明" in phone.say("2029-01-31")
    assert "聊天会保留记录" in phone.say("派驻国外")
    assert "小程序" in phone.say("2")
    assert "聊天会保留记录" in phone.say("延期换证")
    phone.say("1")
    assert "打不开" in phone.show(no_picture()) or "不支持" in phone.heard[-1]
    assert "要发照片" in phone.say("没有照片")
    assert "延期事由证明" in phone.show(id_card_jpeg())


def test_summary_can_be_changed(house: RunningHouse) -> None:
    phone = signed_up(house)
    complete(phone)
    assert "1. 延期事由" in phone.say("修改")
    assert "服兵役" in phone.say("1")
    answer = phone.say("当兵")
    assert "服兵役" in answer and "请核对" in answer
    phone.say("2")
    assert "身份证" in phone.say("4")
    answer = phone.show(id_card_jpeg())
    assert "身份证人像面：1张" in answer
    assert "草稿已保存" in phone.say("3")
    assert "请核对" in phone.say("延期换证")


def test_correction_asks_only_for_what_was_named(house: RunningHouse) -> None:
    phone = signed_up(house)
    complete(phone)
    phone.say("确认提交")
    number = number_in(phone.say("进度"))

    async def send_back() -> None:
        async with house.open() as ctx:
            officer = await officer_of(ctx)
            matter = await desk.open_matter(ctx, officer, number)
            defects = [Defect("material:reason_proof", "印章看不清")]
            await desk.decide(
                ctx, officer, number, matter.version, "send_back", defects, "", "test:send-back"
            )

    asyncio.run(send_back())
    assert "印章看不清" in phone.say("进度")
    phone.say("1")
    answer = phone.say("1")
    assert "延期事由证明要重发" in answer and "身份证人像面" not in answer
    answer = phone.show(proof_png(), "image/png")
    assert "共1张" in answer
    assert "请核对" in phone.say("完成")
    assert "已提交" in phone.say("1")


def test_a_photo_nobody_asked_for(house: RunningHouse) -> None:
    phone = house.other()
    assert "还没有注册" in phone.show(id_card_jpeg())
    phone = signed_up(house)
    assert "做什么用" in phone.show(id_card_jpeg())
    assert "身份证人像面" in phone.say("1")
    answer = phone.say("1")
    assert "共1张" in answer and "延期事由" in answer


def test_retry_and_repeated_message_get_the_same_answer_once(house: RunningHouse) -> None:
    phone = signed_up(house)
    first = phone.say("延期换证", msg_id="900100200300")
    assert phone.say("延期换证", msg_id="900100200300") == first
    assert "延期截止日期" in phone.say("出国")


def test_unsubscribing_forgets_the_wechat_account(house: RunningHouse) -> None:
    phone = house.other()
    phone.register()
    assert phone.event("unsubscribe") == ""
    phone.event("subscribe")
    assert "先注册" in phone.say("延期换证")


def test_looking_something_up_does_not_lose_what_was_begun(house: RunningHouse) -> None:
    phone = signed_up(house)
    phone.say("延期换证")
    assert "继续" in phone.say("我的信息")
    assert "材料" in phone.say("延期换证要什么材料")
    assert "延期事由" in phone.say("继续")
    assert "草稿还在" in phone.say("取消")
    assert "延期事由" in phone.say("进度") or "草稿" in phone.heard[-1]
    assert "延期事由" in phone.say("继续")


def test_a_draft_sent_in_elsewhere_meanwhile_is_shown_not_asked_for(house: RunningHouse) -> None:
    phone = signed_up(house)
    complete(phone)
    number = number_in(phone.say("进度"))
    phone.say("继续")

    async def withdraw() -> None:
        async with house.open() as ctx:
            key = ctx.stores.vault.id_key(phone.person.id_number)
            session = await ctx.stores.sessions.get(key)
            assert session is not None
            await matters.withdraw(
                ctx, session.citizen(ctx.today()), number, "test:withdraw-elsewhere"
            )

    asyncio.run(withdraw())
    answer = phone.say("1")
    assert "已撤回" in answer and "状态" in answer


def test_the_notice_is_named_before_the_number_is_asked_for(house: RunningHouse) -> None:
    phone = house.holder()
    said = phone.say("注册")
    assert "2021-11版" in said and "隐私" in said and "身份证号" in said
    notice = phone.say("隐私")
    assert "第四十五条" in notice and "略去" not in notice and "继续" not in notice[:20]
    rows = phone.say("1")
    assert "目的：" in rows and "保存：" in rows and "略去" not in rows
    for _ in range(9):
        if "1. " not in rows[-40:] and "1、" not in rows[-60:]:
            break
        rows = phone.say("1")
        assert "略去" not in rows
    assert "身份证" in phone.say("继续")


def test_closing_the_account_in_the_chat(house: RunningHouse) -> None:
    phone = house.holder()
    assert "没有账户" in phone.say("注销账户")
    phone.say("取消")
    assert "注册成功" in phone.register()
    said = phone.say("注销账户")
    assert "重新面签" in said and "10年" in said and "略去" not in said
    assert "没有注销" in phone.say("2")
    phone.say("注销账户")
    asyncio.run(_lay_closing_code(house, phone, limits=True))
    assert "验证码" in phone.say("1")
    asyncio.run(_lay_closing_code(house, phone, limits=False))
    assert "6位数字" in phone.say("好的吧")
    assert "不正确" in phone.say("000000")
    assert "已注销" in phone.say(CODE)
    assert "还没有注册" in phone.say("我的信息")
    assert "18位身份证号码" in phone.say("注册")


async def _lay_closing_code(house: RunningHouse, phone: Phone, *, limits: bool) -> None:
    async with house.open() as ctx:
        if limits:
            await forget_limits(ctx, house.processes.database)
        else:
            await lay_code_in_chat(ctx, "close", phone.person.id_number, phone.openid)
