"""Driving tests in the chat: booking, waiting, cancelling, the answer to an offer.

Each test has a vehicle class of its own, so that its lists hold nothing of the others'.
"""

from datetime import timedelta

import pytest

from rules.deadlines import say_date
from tests.bot.conftest import RunningHouse
from tests.bot.students import Student, attend, plan, soon, spoken, today

_CHECK = "请核对"


def test_a_test_is_booked_and_cancelled(house: RunningHouse) -> None:
    student = Student(house, "C1").log_in()
    day = spoken(plan(house, "chat-booked", "C1"))
    heard = student.say("约考")
    assert "报考C1" in heard and "科目一（道路交通安全法律法规）：已合格" in heard
    assert "科目二（场地驾驶技能）：还剩5次预约，现在可以约" in heard
    heard = student.say("科目二")
    assert f"1. {day} 08:30 郑州第一考场 余2" in heard
    heard = student.say("1")
    assert _CHECK in heard and "前可以在这里取消" in heard and student.live() == []
    heard = student.say("1")
    (booked,) = student.live()
    assert f"编号{booked.number}" in heard and "最晚" in heard and "身份证原件" in heard
    assert (booked.plan, booked.state) == ("chat-booked", "accepted")
    heard = student.say("约科目二")
    assert "已有一个预约" in heard and booked.number in heard
    # The test before the years of learning, which are a word away.
    heard = student.say("进度")
    assert booked.number in heard and "已受理" in heard and "另有1件" in heard
    heard = student.say("全部")
    assert "驾考学员注册" in heard and f"（{booked.number}）" in heard
    assert "已受理" in student.say("我的预约")
    # 取消 means the booking that is shown, and is asked again.
    assert "确定取消" in student.say("取消")
    assert "没有取消" in student.say("2")
    assert "确定取消" in student.say("我要退掉明天的考试")
    assert student.live() != []
    assert "请回复前面的数字" in student.say("随便")
    assert "已取消，不计预约次数" in student.say("1")
    assert student.live() == []
    assert "没有考试预约" in student.say("取消预约考试")
    assert "取消预约" in student.say("取消")


def test_a_full_session_is_waited_for_and_the_offer_answered_by_one_word(
    house: RunningHouse,
) -> None:
    first, second, third = (Student(house, "C2") for _ in range(3))
    plan(house, "chat-line", "C2", capacity=1)
    first.books("chat-line")
    heard = second.log_in().say("约科目二")
    assert "可以排队候补" in heard and "已满，可候补" in heard
    assert "候补第1位" in second.say("1")
    assert "您在第1位" in second.say("1")
    assert "已满，1人候补" in third.log_in().say("约科目二")
    third.say("1")
    assert "您在第2位" in third.say("确认候补")
    assert "候补第2位" in third.say("我的预约")
    assert "没有等您确认" in third.say("接受")
    first.log_in()
    first.say("取消预约考试")
    assert "已取消" in first.say("1")
    attend(house, "chat-line")
    heard = second.say("我的预约")
    assert "为您保留到" in heard and "1. 接受名额\n2. 放弃名额" in heard
    # From anywhere: in the middle of something else, which can be taken up again.
    second.say("约科目三")
    assert "已放弃" in second.say("放弃")
    assert second.live() == []
    attend(house, "chat-line")
    assert "为您保留到" in third.say("候补")
    heard = third.say("1")
    (held,) = third.live()
    assert "名额是您的了" in heard and held.number in heard and held.state == "accepted"
    assert "没有等您确认" in third.say("接受")


def test_an_offer_is_taken_by_its_word_and_the_line_left(house: RunningHouse) -> None:
    holder, first, second = (Student(house, "C3") for _ in range(3))
    plan(house, "chat-word", "C3", capacity=1)
    holder.books("chat-word")
    for one in (first, second):
        one.log_in()
        for said in ("约科目二", "1", "1"):
            one.say(said)
    assert "确定退出候补" in second.say("退出候补")
    assert "已退出候补" in second.say("1")
    holder.log_in().say("取消预约考试")
    holder.say("1")
    attend(house, "chat-word")
    first.say("菜单")
    assert "名额是您的了" in first.say("接受")
    assert [b.state for b in first.live()] == ["accepted"] and second.live() == []


def test_a_session_that_filled_meanwhile_leads_back_to_the_list(house: RunningHouse) -> None:
    student, faster = Student(house, "C4").log_in(), Student(house, "C4")
    plan(house, "chat-filled", "C4", capacity=1)
    day = spoken(plan(house, "chat-second", "C4", days=22))
    student.say("约科目二")
    assert _CHECK in student.say("1")
    faster.books("chat-filled")
    heard = student.say("1")
    assert "名额已满" in heard and f"1. {day}" in heard and student.live() == []
    student.say("看已满的场次")
    assert "候补第1位" in student.say("1")
    assert "可以候补的场次" in student.say("换一个")
    assert f"1. {day}" in student.say("看有名额的场次")


def test_of_two_bookings_the_one_named_is_cancelled(house: RunningHouse) -> None:
    student = Student(house, "A3").log_in()
    field = plan(house, "chat-two-2", "A3")
    road = plan(house, "chat-two-3", "A3", days=25, subject="3")
    for code in (field.code, road.code):
        student.books(code, cause=code)
    heard = student.say("我的预约")
    assert "要看哪一个" in heard and "科目二" in heard and "科目三" in heard
    assert "科目二（场地驾驶技能）" in student.say("2")
    heard = student.say("我不想考科目三的考试了，取消")
    assert "确定取消" in heard and "道路驾驶技能" in heard
    student.say("2")
    assert "要取消哪一个" in student.say("取消预约")
    student.say("菜单")
    heard = student.say(f"退掉{field.day.month}月{field.day.day}日的考试")
    assert "确定取消" in heard and "场地驾驶技能" in heard
    student.say("1")
    assert [b.plan for b in student.live()] == ["chat-two-3"]


def test_days_sites_and_pages(house: RunningHouse) -> None:
    student = Student(house, "C5").log_in()
    for n in range(8):
        site = {"site": f"chat-s{n % 2}", "site_name": f"中牟第{'一二'[n % 2]}考场"}
        plan(house, f"chat-page-{n}", "C5", days=20 + n, **site)
    days = [today(house) + timedelta(days=20 + n) for n in range(8)]
    heard = student.say("约科目二")
    assert heard.count("余2") == 6 and "7. 看更多" in heard
    assert student.say("更多").count("余2") == 2
    assert "后面没有了" in student.say("更多")
    heard = student.say("第二考场")
    assert heard.count("余2") == 4 and "中牟第一考场" not in heard
    said = f"{days[3].month}月{days[3].day}日"
    assert student.say(said).count("余2") == 1 and f"1. {said}" in student.phone.heard[-1]
    assert "没有场次" in student.say("今天") and student.phone.heard[-1].count("余2") == 6
    heard = student.say(f"约{said}的科目二")
    assert heard.count("余2") == 1 and _CHECK in student.say("1")
    assert "余2" in student.say("返回")
    # Interrupted and taken up again.
    assert "继续" in student.say("菜单")
    assert heard.partition("有名额")[2] in student.say("继续")
    assert "要约哪个科目" in student.say("返回")
    assert "没有预约" in student.say("取消")
    assert student.live() == []


def test_who_may_not_book_hears_why_and_where(house: RunningHouse) -> None:
    heard = house.stranger().say("约考")
    assert "登录" in heard and "驾校" in heard
    other = house.other()
    other.register()
    heard = other.say("我想约科目二")
    assert "需要是驾考学员" in heard and "地址：" in heard and "电话：" in heard
    assert "需要是驾考学员" in other.say("考试成绩")
    assert "没有考试预约" in other.say("我的预约")
    new = Student(house, "B2", days=3).log_in()
    first = say_date(today(house) + timedelta(days=17))
    heard = new.say("约科目二")
    assert "满20日后才能预约" in heard and first in heard
    assert "已经合格" in new.say("约科目一")
    heard = new.say("约考")
    assert "要约哪个科目" in heard and "前面的科目都合格后" in heard


@pytest.mark.parametrize(
    ("code", "days", "said"),
    [("chat-closed", 20, "网上不能取消了"), ("chat-over", 0, "已过取消的期限")],
)
def test_after_closing_it_says_where_and_until_when(
    house: RunningHouse, code: str, days: int, said: str
) -> None:
    student = Student(house, "M").log_in()
    plan(house, code, "M", days=days, closes_at=soon(hours=-1))
    booked = student.books(code, ago=timedelta(days=2))
    heard = student.say("取消预约考试")
    assert said in heard and "郑州第一考场" in heard
    assert [b.number for b in student.live()] == [booked.number]
    heard = student.say("我的预约")
    assert ("身份证原件" in heard) is (days > 0)
    assert "取消预约\n" not in heard
