"""Plans, sites and records of tests in the chat; changes of a plan; the other ways a message comes:
the account's buttons, WeChat's repetitions, the mini-program's dialogue."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from casework import accounts
from casework.context import Context
from casework.exams.publishing import change_plan, publish
from casework.exams.results import Sitting, sitting_known
from tests.bot.conftest import RunningHouse
from tests.bot.students import Student, attend, inside, plan, soon, spoken, today
from tests.casework.inside import OFFICE, officer
from tests.casework.test_plans import SITE, entry
from tests.support.web import fetch


def test_plans_and_sites_are_for_everybody(house: RunningHouse) -> None:
    phone = house.stranger()
    inside(house, officer)
    # A day of its own: other tests publish in the same house.
    day = spoken(plan(house, "chat-public", "N", days=43, capacity=20))
    inside(house, lambda ctx: ctx.stores.exam_sites.upsert([replace(SITE, route="南门出发")]))
    assert "回复城市名" in phone.say("考试计划")
    assert "没有找到" in phone.say("纽约")
    heard = phone.say("郑州")
    assert "1. 郑州市车辆管理所" in heard
    assert "要看哪个科目" in phone.say("1")
    phone.say("科目二")
    heard = phone.say(day.partition(" ")[0])
    assert f"{day} 08:30 郑州第一考场 余20 N" in heard
    number = heard.partition(f". {day} 08:30 郑州第一考场 余20 N")[0].rpartition("\n")[2]
    heard = phone.say(number)
    assert "计划20人，已约0人，余20" in heard and "截止预约" in heard
    assert "要看哪个科目" in phone.say("返回")
    assert "1. 郑州第一考场" in phone.say("5")
    heard = phone.say("1")
    assert "地址：示范路1号" in heard and "考试路线：南门出发" in heard
    assert "科目二、科目三" in heard and "http" not in heard
    assert "几个车管所" in phone.say("郑州的考场在哪里")
    assert "1. 郑州第一考场" in phone.say("1")


def test_the_record_says_what_was_sat_and_what_is_left(house: RunningHouse) -> None:
    student = Student(house, "P").log_in()
    day = today(house) - timedelta(days=3)
    student.sits("2", "failed", day)
    student.sits("3", "missed", day - timedelta(days=20))
    heard = student.say("科目二挂了什么时候能再考")
    again = day + timedelta(days=10)
    assert "科目二（场地驾驶技能）：还剩4次预约，" in heard
    assert f"{again.month}月{again.day}日" in heard
    assert "科目二 不合格" in heard and "科目三道路 弃考" in heard and "科目一 合格" in heard
    assert heard == student.say("考试成绩")
    assert "10日后才能" in student.say("约科目二")


def test_a_result_stands_in_the_record_and_at_its_booking(house: RunningHouse) -> None:
    student = Student(house, "P").log_in()
    made = plan(house, "chat-result", "P", days=0, closes_at=soon(hours=-1))
    booked = student.books(made.code, ago=timedelta(days=2))
    came = Sitting(student.citizen.key, made.subject, made.day, made.code, ("failed", True))
    inside(house, lambda ctx: sitting_known(ctx, came))
    assert student.live() == [] and "没有考试预约" in student.say("我的预约")
    student.say("进度")
    listed = student.say("全部")
    line = next(row for row in listed.splitlines() if booked.number in row)
    heard = student.say(line.partition(".")[0])
    assert "成绩：不合格" in heard and booked.number in heard
    # Nothing is left to do with it; what is said next is a wish of its own.
    assert "没有听懂" in student.say("今天天气怎么样")
    heard = student.say("考试成绩")
    assert "还剩4次预约" in heard and "科目二 不合格" in heard


def moved(house: RunningHouse, code: str, **changes: str) -> None:
    """The office publishes a session of class E, or changes it."""

    async def work(ctx: Context) -> None:
        who = await officer(ctx)
        await ctx.stores.exam_sites.upsert([SITE])
        wanted = entry(ctx, vehicle_class="E", **changes)
        if changes:
            await change_plan(ctx, who, code, wanted, "场地维修", f"{code}-{changes}")
        else:
            await publish(ctx, who, OFFICE, wanted, f"{code}-made", code)

    inside(house, work)
    attend(house, code)


def test_a_changed_plan_is_accepted_or_left(house: RunningHouse) -> None:
    moved(house, "CHAT-1")
    student = Student(house, "E").log_in()
    student.say("约科目二")
    assert "08:30" in student.say("1")
    moved(house, "CHAT-1", starts="14:00", ends="17:00")
    # He agreed to another hour than it is now.
    heard = student.say("1")
    assert "刚有变动" in heard and "14:00" in heard and student.live() == []
    assert "已受理" in student.say("1")
    moved(house, "CHAT-1", starts="13:30", ends="16:30")
    heard = student.say("我的预约")
    assert "计划有变动" in heard and "13:30" in heard and "接受变动" in heard
    assert "按新的时间" in student.say("接受变动")
    assert not student.live()[0].changed
    moved(house, "CHAT-1", starts="9:30", ends="12:30")
    # 放弃 gives up a place that is held: it is asked again.
    assert "确定取消" in student.say("放弃")
    assert student.live() != []
    assert "不计预约次数" in student.say("1")
    assert student.live() == []


def test_the_buttons_of_the_account_and_repeated_messages(house: RunningHouse) -> None:
    student = Student(house, "D").log_in()
    plan(house, "chat-again", "D")
    pushed = house.processes.command("menu", "push")
    assert pushed.returncode == 0, pushed.stderr + pushed.stdout
    assert "现在可以约" in student.phone.event("CLICK", "book_exam")
    student.say("科目二")
    student.say("1")
    said: dict[str, Any] = {"text": "1", "msg_id": "7700112233445566"}
    first, again = (student.phone.push("say", said) for _ in range(2))
    assert "已受理" in first["replies"][0]["text"]
    assert again["replies"][0]["text"] == first["replies"][0]["text"]
    assert len(student.live()) == 1
    assert "确定取消" in student.phone.event("CLICK", "cancel_exam")
    assert "没有取消" in student.say("不取消")
    for key in ("my_exams", "exam_record", "exam_plans", "progress"):
        assert student.phone.event("CLICK", key)


def test_the_mini_program_goes_on_with_the_same_dialogue(house: RunningHouse) -> None:
    student = Student(house, "A3").log_in()
    day = spoken(plan(house, "chat-mini", "A3"))

    async def log_in(ctx: Context) -> str:
        return (await accounts.open_session(ctx, student.citizen, "mini", "")).token

    token = inside(house, log_in)

    def tell(text: str, key: str) -> dict[str, Any]:
        answered = fetch(
            house.processes.service_url,
            "POST",
            "/api/v1/dialogue",
            json.dumps({"text": text}).encode(),
            {
                **{"Authorization": f"Bearer {token}", "Idempotency-Key": key},
                "Content-Type": "application/json",
            },
        )
        assert answered.status == 200, answered.body
        return dict(answered.json())

    assert day in student.say("约科目二")
    assert tell("1", "mini-pick")["step"] == "sure"
    booked = tell("确认", "mini-sure")
    assert "已受理" in booked["said"] and tell("确认", "mini-sure") == booked
    assert len(student.live()) == 1
    assert student.live()[0].number in student.say("我的预约")
    assert "没有等您确认" in tell("放弃", "mini-give-up")["said"]
    assert len(student.live()) == 1
