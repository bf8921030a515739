"""What a student is told of a test on his phone, and by when, whatever becomes of the worker: taken
in, confirmed or refused two days before at the latest, reminded on the eve (REQ B4)."""

from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from casework.context import Context
from rules.calendar import HOUSE_ZONE
from rules.exams.days import told_by
from rules.exams.plan import Plan
from rules.notices import Notice
from storage.engines import EngineUrls
from storage.matter_documents import StoredMatter
from tests.casework.exams import attempt, learner, published
from tests.desk.town import id_number
from tests.support.citizens import Citizen, Known
from tests.support.processes import House
from tests.support.story import (
    consent,
    in_hand,
    keenly,
    look,
    stored,
    until,
)
from tests.support.web import fetch, fetch_json

PLAN = "K2-1"
GOES, DOES_NOT = 1, 2
NOTICE = "SMS_MATTER_NOTICE"


def test_the_result_is_told_in_time_also_after_a_worker_that_was_away(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    with House(tmp_path, engine_urls, mongo_database) as house:
        look(house, _prepare)
        house.start_sandbox()
        house.start_service()
        worker = house.start_worker()
        goes, does_not = [logged_in(house, order) for order in (GOES, DOES_NOT)]
        consent(goes)
        numbers = [booked(who) for who in (goes, does_not)]
        until("both are told", lambda: told(does_not, "已受理") and pushed(goes, "已受理"))
        assert not told(goes, "已受理"), "told twice, by WeChat and by SMS"
        consent(goes)

        # Nobody works while the plan closes. Meanwhile the other one has passed elsewhere.
        worker.kill()
        look(house, _passed_elsewhere)
        plan = look(house, _plan)
        back = plan.closes_at + timedelta(hours=30)
        worker = house.start_worker(BIANMIN_CLOCK_OFFSET=offset(back))
        until("both know", lambda: pushed(goes, "预约成功") and told(does_not, "没有成功"))
        for number in numbers:
            matter = stored(house, number)
            latest = look(house, lambda ctx: _latest(ctx, plan))
            assert [n.attempts[-1].at <= latest for n in decisions(matter)] == [True]
        worker.stop()

        # 09:00 of the eve, and once.
        eve = datetime.combine(plan.day - timedelta(days=1), time(9, 0, 5), HOUSE_ZONE)
        for moment in (eve - timedelta(minutes=1), eve, eve + timedelta(hours=3)):
            worker = house.start_worker(BIANMIN_CLOCK_OFFSET=offset(moment))
            if moment >= eve:
                until("he is reminded", lambda: told(goes, "考试提醒"))
            until("nothing is left in hand", lambda: not look(house, in_hand))
            worker.stop()
            assert bool(told(goes, "考试提醒")) is (moment >= eve)
        assert len(told(goes, "考试提醒")) == 1
        assert not told(does_not, "考试提醒"), "reminded of a test he was refused"
        assert_worded(plan, [*sms(goes), *sms(does_not)])


async def _prepare(ctx: Context) -> None:
    for order in (GOES, DOES_NOT):
        await learner(ctx, order)
    await published(ctx, PLAN)


async def _plan(ctx: Context) -> Plan:
    found = await ctx.stores.exam_plans.get(PLAN)
    assert found is not None
    return found


async def _passed_elsewhere(ctx: Context) -> None:
    session = await ctx.stores.sessions.get(ctx.stores.vault.id_key(id_number(DOES_NOT)))
    assert session is not None
    await attempt(ctx, session.citizen(ctx.today()), "2", "passed", ctx.today())


async def _latest(ctx: Context, plan: Plan) -> datetime:
    return told_by(plan.day, ctx.book.parameters)


def logged_in(house: House, order: int) -> Citizen:
    """A student in the mini-program, on the phone given at enrolment."""
    person = Known(id_number(order), "陈学员", f"137000{order:05d}")
    wish = {"name": person.name, "phone": person.phone, "follow": False}
    made = fetch_json(house.sandbox_url, "POST", "/sandbox/people", wish).json()
    citizen = Citizen(house, person, str(made["person"]))
    sent = citizen.call("POST", "/sms-codes", {"purpose": "login", "id_number": person.id_number})
    assert sent.status == 200, sent.body
    wish = {
        **{"id_number": person.id_number, "sms_code": citizen.sms_code()},
        "wechat_code": citizen.wx_login(),
    }
    done = citizen.call("POST", "/login/id-number", wish)
    assert done.status == 200, done.body
    citizen.token = done.json()["token"]
    return citizen


def booked(citizen: Citizen) -> str:
    made = keenly(citizen, "POST", "/bookings", {"plan": PLAN})
    assert made.status == 201, made.body
    return str(made.json()["number"])


def offset(moment: datetime) -> str:
    """What a process's clock is shifted by to show that moment now."""
    return str((moment - datetime.now(moment.tzinfo)).total_seconds())


def sms(citizen: Citizen) -> list[dict[str, Any]]:
    """The notices about his booking in his inbox."""
    path = f"/sandbox/phones/{citizen.person.phone}/sms"
    inbox = fetch(citizen.house.sandbox_url, "GET", path).json()
    booking = "驾驶人考试预约"
    return [s for s in inbox if s["template"] == NOTICE and s["params"]["service"] == booking]


def told(citizen: Citizen, words: str) -> list[dict[str, Any]]:
    """The SMS of that state."""
    return [s for s in sms(citizen) if words in s["params"]["state"]]


def pushed(citizen: Citizen, phrase: str) -> bool:
    """Whether a subscribe message of that state is in his WeChat."""
    path = f"/sandbox/people/{citizen.wechat}/chat"
    chat = fetch(citizen.house.sandbox_url, "GET", path).json()
    return any(m.get("via") == "subscribe" and phrase in str(m) for m in chat)


def decisions(matter: StoredMatter) -> list[Notice]:
    """What told of the result."""
    return [n for n in matter.notices.values() if n.template in ("confirmed", "refused")]


def assert_worded(plan: Plan, found: list[dict[str, Any]]) -> None:
    """Each says what, when and by whom, with a hotline, without a link, short enough to be sent."""
    assert found
    for one in found:
        text, hint = one["text"], one["params"]["hint"]
        assert f"科目二{plan.day.month}月{plan.day.day}日{plan.starts}" in hint, text
        assert "郑州市车辆管理所" in text and "咨询电话：12123" in text, text
        assert "http" not in text and "www" not in text, text
        assert all(len(value) <= 35 for value in one["params"].values()), one["params"]
    places = [s for s in found if s["params"]["state"] in ("已受理", "预约成功", "考试提醒")]
    assert all(plan.site_name in s["params"]["hint"] for s in places)
