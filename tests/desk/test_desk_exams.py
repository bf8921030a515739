"""An office's sessions of tests at the desk: published, changed, cancelled, in a real browser.

They are of class C2: the town is shared, and other tests look for what can be booked of C1.
"""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from casework.context import Context
from casework.exams.attending import attend
from casework.exams.booking import book, wait
from casework.exams.listing import booking
from casework.exams.publishing import publish
from casework.officers import Officer
from rules.exams.plan import Subject
from rules.exams.site import Site
from rules.people import Citizen
from tests.casework.exams import learner
from tests.desk.conftest import SignIn
from tests.desk.test_desk_schools import SHOTS
from tests.desk.town import HOME_OFFICE, OTHER_OFFICE, Town

SITE = Site(
    **{"code": "4101K7", "name": "郑州东区考场", "office": HOME_OFFICE, "address": "示范路7号"},
    **{"phone": "0370-5550101", "hours": "工作日 8:00-17:00"},
    subjects=(Subject.FIELD, Subject.ROAD),
    daily_capacity=60,
)
OTHER = Site(**{**vars(SITE), "code": "4101K8", "name": "郑州西区考场"})


@pytest.fixture(scope="module")
def place(town: Town) -> Town:
    """The town with two exam sites."""

    async def found(ctx: Context) -> None:
        await ctx.stores.exam_sites.upsert([SITE, OTHER])

    town.run(found)
    return town


def shot(page: Page, name: str) -> None:
    """A picture of the page in 256 colours, if somebody wants them."""
    if SHOTS:
        path = Path(SHOTS) / f"{name}.png"
        page.screenshot(path=path, full_page=True)
        Image.open(path).convert("RGB").quantize(256).save(path)


def in_days(town: Town, days: int) -> str:
    async def day(ctx: Context) -> str:
        return (ctx.today() + timedelta(days=days)).isoformat()

    return town.run(day)


def fill(page: Page, town: Town, *, days: int, closing: int, capacity: int = 2) -> None:
    """The form of a session so many days ahead."""
    page.get_by_label("考场").select_option("4101K7")
    page.get_by_label("科目").select_option("2")
    page.get_by_label("准驾车型").select_option("C2")
    page.get_by_label("考试日期").fill(in_days(town, days))
    page.get_by_label("开始时间").fill("08:30")
    page.get_by_label("结束时间").fill("11:30")
    page.get_by_label("名额").fill(str(capacity))
    page.get_by_label("预约截止").fill(f"{in_days(town, closing)}T18:00")


def published(town: Town, cause: str, **changes: str) -> str:
    """A session in thirty days, from inside; its code."""

    async def work(ctx: Context) -> str:
        office = await ctx.office(HOME_OFFICE)
        assert office is not None
        who = Officer("li", "李警官", "reviewer", office)
        entry = {
            **{"site": "4101K7", "subject": "2", "vehicle_class": "C2"},
            **{"day": (ctx.today() + timedelta(days=30)).isoformat(), "closes_at": ""},
            **{"starts": "8:30", "ends": "11:30", "capacity": "2", **changes},
        }
        return (await publish(ctx, who, HOME_OFFICE, entry, cause)).code

    return town.run(work)


def students(town: Town, first: int, code: str) -> list[tuple[Citizen, str]]:
    """Two who hold a place and one who waits, with their matters' numbers."""

    async def work(ctx: Context) -> list[tuple[Citizen, str]]:
        people = [await learner(ctx, first + n, vehicle_class="C2") for n in range(3)]
        held = [await book(ctx, one, code, "a", "mini") for one in people[:2]]
        held.append(await wait(ctx, people[2], code, "w", "mini"))
        return [(who, one.number) for who, one in zip(people, held, strict=True)]

    return town.run(work)


def attended(town: Town, code: str) -> None:
    async def work(ctx: Context) -> None:
        await attend(ctx, code)

    town.run(work)


def seen(town: Town, who: Citizen, number: str) -> Any:
    async def work(ctx: Context) -> Any:
        return await booking(ctx, who, number)

    return town.run(work)


def test_a_session_is_published_at_the_desk(place: Town, sign_in: SignIn) -> None:
    page = sign_in("li")
    page.goto("/desk/")
    page.get_by_role("link", name="驾驶人考试").click()
    page.get_by_role("link", name="公布新场次").click()
    fill(page, place, days=9, closing=5, capacity=90)
    page.get_by_role("button", name="公布").click()
    faults = page.locator(".fault")
    expect(faults).to_have_count(2)
    expect(faults.first).to_contain_text("考试计划至少提前10日公布")
    expect(faults.last).to_contain_text("考场每日最多60人")
    # Nothing typed is lost.
    expect(page.get_by_label("考试日期")).to_have_value(in_days(place, 9))
    expect(page.get_by_label("考场")).to_have_value("4101K7")
    shot(page, "desk-exam-new-wrong")
    page.get_by_label("考试日期").fill(in_days(place, 20))
    page.get_by_label("名额").fill("30")
    page.get_by_label("预约截止").fill(f"{in_days(place, 18)}T18:00")
    page.get_by_role("button", name="公布").click()
    expect(page.locator(".fault")).to_contain_text("来不及在考试两天前告知结果")
    page.get_by_label("预约截止").fill("")
    page.get_by_role("button", name="公布").click()
    expect(page.get_by_role("status")).to_contain_text("场次已公布")
    expect(page.locator("main")).to_contain_text(f"{in_days(place, 17)} 23:59")
    code = page.url.split("/")[-1].split("?")[0]
    page.goto("/desk/exams")
    row = page.get_by_role("row").filter(has_text=code)
    expect(row).to_contain_text("郑州东区考场")
    expect(row).to_contain_text("可预约")
    shot(page, "desk-exams")
    page.get_by_label("科目").select_option("3")
    page.get_by_role("button", name="查看").click()
    expect(page.get_by_text(code)).to_have_count(0)
    for day in ("2027-02-31", "9999-12-31", "0001-01-01"):
        page.goto(f"/desk/exams?since={day}")
        expect(page.get_by_role("alert")).to_contain_text("日期不对")


def test_a_session_is_changed_and_everybody_goes_along(place: Town, sign_in: SignIn) -> None:
    code = published(place, "change-me")
    held = students(place, 801, code)
    page = sign_in("li")
    page.goto(f"/desk/exams/{code}")
    expect(page.locator("main")).to_contain_text("候补第1位")
    expect(page.get_by_role("row").filter(has_text=held[0][1])).to_contain_text("占用名额")
    assert "身份证" not in page.content()
    page.get_by_role("link", name="变更场次").click()
    page.get_by_label("原因").fill("没有什么")
    page.get_by_role("button", name="确认变更").click()
    expect(page.get_by_role("status")).to_contain_text("没有改动")
    page.get_by_role("link", name="变更场次").click()
    expect(page.get_by_label("科目")).to_be_disabled()
    page.get_by_label("名额").fill("1")
    page.get_by_label("原因").fill("场地维修")
    page.get_by_role("button", name="确认变更").click()
    expect(page.locator(".fault")).to_contain_text("已有2人占用名额")
    expect(page.get_by_label("原因")).to_have_value("场地维修")
    shot(page, "desk-exam-change-wrong")
    page.get_by_label("名额").fill("3")
    page.get_by_label("考场").select_option("4101K8")
    page.get_by_label("开始时间").fill("09:00")
    page.get_by_role("button", name="确认变更").click()
    expect(page.get_by_role("status")).to_contain_text("场次已变更")
    expect(page.locator("main")).to_contain_text("还有3人待通知")
    shot(page, "desk-exam-plan")
    attended(place, code)
    page.reload()
    expect(page.get_by_text("待通知，系统正在办理")).to_have_count(0)
    expect(page.locator(".log")).to_contain_text("原为")
    for who, number in held:
        one = seen(place, who, number)
        assert (one.site_name, one.starts) == ("郑州西区考场", "09:00")
    # A colleague's change in between is not overwritten.
    page.get_by_role("link", name="变更场次").click()
    other = sign_in("li")
    other.goto(f"/desk/exams/{code}/change")
    other.get_by_label("结束时间").fill("12:00")
    other.get_by_label("原因").fill("人数增加")
    other.get_by_role("button", name="确认变更").click()
    expect(other.get_by_role("status")).to_contain_text("场次已变更")
    page.get_by_label("结束时间").fill("10:00")
    page.get_by_label("原因").fill("调整")
    page.get_by_role("button", name="确认变更").click()
    expect(page.get_by_role("alert")).to_be_visible()


def test_a_session_is_cancelled(place: Town, sign_in: SignIn) -> None:
    code = published(place, "cancel-me")
    held = students(place, 811, code)
    page = sign_in("li")
    page.goto(f"/desk/exams/{code}")
    page.get_by_role("link", name="取消场次").click()
    expect(page.locator("main")).to_contain_text("2人的预约解除、1人的候补结束")
    page.get_by_label("原因").fill("暴雪")
    page.get_by_label("我确认取消").check()
    shot(page, "desk-exam-cancel")
    page.get_by_role("button", name="确认取消场次").click()
    expect(page.get_by_role("status")).to_contain_text("场次已取消")
    attended(place, code)
    page.reload()
    expect(page.locator("main")).to_contain_text("还没有人预约")
    expect(page.get_by_role("link", name="变更场次")).to_have_count(0)
    for who, number in held:
        one = seen(place, who, number)
        assert [e.note for e in one.timeline if e.type == "released"] == ["暴雪"]


def test_only_the_office_itself_sees_its_sessions(place: Town, sign_in: SignIn) -> None:
    code = published(place, "mine")
    clerk, elsewhere = sign_in("liu"), sign_in("zhao")
    clerk.goto("/desk/students")
    expect(clerk.get_by_role("link", name="驾驶人考试")).to_have_count(0)
    for path in ("", "/new", f"/{code}", f"/{code}/change", f"/{code}/cancel"):
        answer = clerk.goto(f"/desk/exams{path}")
        assert answer is not None and answer.status == 403, path
        if code in path:
            answer = elsewhere.goto(f"/desk/exams{path}")
            assert answer is not None and answer.status == 403, path
    elsewhere.goto("/desk/exams")
    expect(elsewhere.locator("main")).to_contain_text("这段时间没有考试场次")
    answer = sign_in("li").goto("/desk/exams/no-such-1")
    assert answer is not None and answer.status == 404


def test_pages_of_a_session_work_by_keyboard_alone(place: Town, sign_in: SignIn) -> None:
    code = published(place, "keys")
    page = sign_in("li")
    page.goto(f"/desk/exams/{code}/cancel")
    page.get_by_label("原因").focus()
    page.keyboard.type("停电")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("场次已取消")
    assert re.search(r"done=cancelled", page.url)


def test_sites_of_the_other_office_are_not_offered(place: Town, sign_in: SignIn) -> None:
    async def found(ctx: Context) -> None:
        await ctx.stores.exam_sites.upsert(
            [Site(**{**vars(SITE), "code": "4106K9", "name": "鹤壁考场", "office": OTHER_OFFICE})]
        )

    elsewhere = sign_in("zhao")
    elsewhere.goto("/desk/exams/new")
    expect(elsewhere.locator("main")).to_contain_text("本单位还没有登记考场")
    place.run(found)
    page = sign_in("li")
    page.goto("/desk/exams/new")
    expect(page.get_by_label("考场").locator("option")).to_have_count(3)
