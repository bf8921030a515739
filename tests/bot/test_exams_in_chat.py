"""Driving tests in the chat: booking, waiting, cancelling, offers, the record, the plans.

Days for which a test's sessions are published are its own, so that its lists hold nothing else.
"""

from tests.bot.conftest import RunningHouse
from tests.bot.students import Student, plan, spoken


def test_a_test_is_booked_and_cancelled(house: RunningHouse) -> None:
    student = Student(house).log_in()
    day = spoken(plan(house, "chat-booked", capacity=2, days=20))
    heard = student.say("约考")
    assert "报考C1" in heard and "科目二（场地驾驶技能）" in heard
    heard = student.say("科目二")
    assert f"{day} 08:30 郑州第一考场 余2" in heard
    heard = student.say("1")
    assert "请核对" in heard and "前可以在这里取消" in heard and student.live() == []
    heard = student.say("1")
    (booked,) = student.live()
    assert f"编号{booked.number}" in heard and "最晚" in heard and "身份证原件" in heard
    assert (booked.plan, booked.state) == ("chat-booked", "accepted")
    assert booked.number in student.say("我的预约")
    assert "确定取消" in student.say("我要退掉明天的考试")
    assert student.live() != []
    assert "没有取消" in student.say("2")
    assert "确定取消" in student.say("取消预约考试")
    assert "已取消" in student.say("1")
    assert student.live() == []
    assert "没有考试预约" in student.say("取消预约考试")
