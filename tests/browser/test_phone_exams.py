"""Driving tests on the phone with the mouse: a student books, waits in line, is offered a place,
takes it, answers a change of the plan and cancels, in Chromium at the size of a phone's column.
"""

import secrets
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from playwright.sync_api import Page, Route, expect

from casework.context import Context
from casework.exams.booking import book
from casework.exams.leaving import cancel
from casework.exams.publishing import change_plan
from rules.calendar import HOUSE_ZONE
from rules.exams.plan import Subject
from rules.exams.site import Site
from rules.people import Citizen
from storage.engines import EngineUrls
from tests.browser.hands import SLOW, PhonePage, picture
from tests.casework.exams import attempt, learner, published
from tests.casework.inside import OFFICE, officer
from tests.desk.town import id_number
from tests.support.processes import House
from tests.support.story import look

FULL, FREE, LATER = "K2-1", "K2-2", "K3-1"
ME, OTHER = 1, 2
PHONE = f"137000{ME:05d}"


@pytest.fixture
def house(engine_urls: EngineUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Service, worker and sandbox; two learners, and three sessions, one of them full."""
    folder, database = tmp_path_factory.mktemp("exams"), f"test_{secrets.token_hex(8)}"
    with House(folder, engine_urls, database) as made:
        look(made, _prepare)
        made.start_sandbox()
        made.start_service()
        made.start_worker()
        yield made


async def _prepare(ctx: Context) -> None:
    me, other = await learner(ctx, ME), await learner(ctx, OTHER)
    await attempt(ctx, me, "2", "failed", ctx.today() - timedelta(days=20))
    await published(ctx, FULL, capacity=1)
    await published(ctx, FREE, days=21, capacity=3, site="4101-K2", site_name="郑州第二考场")
    await published(ctx, LATER, days=22, subject="3")
    await book(ctx, other, FULL, "first", "mini")


async def _other(ctx: Context) -> Citizen:
    session = await ctx.stores.sessions.get(ctx.stores.vault.id_key(id_number(OTHER)))
    assert session is not None
    return session.citizen(ctx.today())


async def _gives_up(ctx: Context) -> None:
    """The other student cancels: his place is free for who waits."""
    other = await _other(ctx)
    claim = await ctx.stores.live_bookings.get(f"{other.key}:2")
    assert claim is not None
    await cancel(ctx, other, claim.matter, "no")


async def _moved(ctx: Context) -> None:
    """The office moves the session the student booked to the afternoon."""
    site = Site(
        "4101-K2", "郑州第二考场", OFFICE, "路2号", "12123", "8:00-18:00", (Subject("2"),), 90
    )
    await ctx.stores.exam_sites.upsert([site])
    plan = await ctx.stores.exam_plans.get(FREE)
    assert plan is not None
    entry = {
        **{"site": plan.site, "subject": "2", "vehicle_class": "C1", "day": plan.day.isoformat()},
        **{"starts": "14:00", "ends": "17:00", "capacity": "3"},
        "closes_at": plan.closes_at.astimezone(HOUSE_ZONE).strftime("%Y-%m-%d %H:%M"),
    }
    await change_plan(ctx, await officer(ctx), FREE, entry, "上午设备检修", "move")


def test_a_student_books_waits_is_offered_and_cancels(
    house: House, open_page: Callable[[str], Page]
) -> None:
    phone = PhonePage(open_page(house.sandbox_url))
    log_in(phone)
    see_record(phone)
    stand_in_line(phone)
    beside(house, _gives_up)
    take_offer(phone)
    cancel_from_first_screen(phone)
    book_by_keyboard(phone)
    beside(house, _moved)
    accept_change(phone)


def beside(house: House, work: Callable[[Context], Awaitable[None]]) -> None:
    """Do something inside the house; in a thread, for the browser's own loop runs in this one."""
    with ThreadPoolExecutor(1) as other:
        other.submit(look, house, work).result()


def log_in(phone: PhonePage) -> None:
    """Without login the plans can be read; booking leads to the login."""
    page = phone.mini.locator("#page")
    phone.page.goto("/")
    phone.page.get_by_label("微信昵称").fill("小陈")
    phone.page.get_by_label("手机号").fill(PHONE)
    phone.page.get_by_role("button", name="自己填一位").click()
    phone.press("取消预约考试")
    expect(page).to_contain_text("登录后可以取消")
    phone.press("看考试计划")
    expect(page.get_by_role("button", name="预约").first).to_be_visible()
    expect(page).to_contain_text("郑州第二考场")
    phone.back()
    phone.press("去登录")
    phone.press("身份证号登录")
    page.get_by_label("身份证号", exact=True).fill(id_number(ME))
    phone.code("用于登录")
    phone.press("登录")
    expect(page).to_contain_text("驾考学员用户")
    expect(page.get_by_role("button", name="取消预约考试")).to_be_visible()


def see_record(phone: PhonePage) -> None:
    """What he passed, what is left, from when he may book."""
    page = phone.mini.locator("#page")
    phone.press("取消预约考试")
    expect(page).to_contain_text("没有可以取消的预约")
    phone.back()
    with no_network(phone.page, "**/mini/exam-results"):
        phone.press("预约考试")
        expect(page.get_by_role("alert")).to_contain_text("网络连接失败")
    phone.press("重试")
    second = page.locator("[data-subject='2']")
    expect(second).to_contain_text("还剩 4 次")
    expect(second).to_contain_text("现在可以预约")
    expect(page.locator("[data-subject='1']")).to_contain_text("合格")
    expect(page).to_contain_text("学习驾驶证明")
    expect(page).to_contain_text("不合格")


def stand_in_line(phone: PhonePage) -> None:
    """The full session has no button to book, but a line."""
    page = phone.mini.locator("#page")
    page.locator("[data-subject='2']").get_by_role("button", name="选场次").click()
    full = page.locator(f"[data-plan='{FULL}']")
    expect(full).to_contain_text("已满 1")
    expect(page.locator(f"[data-plan='{FREE}']")).to_contain_text("剩 3 / 3")
    picture(phone.page, "phone-exam-plans")
    page.get_by_label("日期").select_option(label="全部日期")
    page.get_by_label("只看有名额的").check()
    expect(full).to_have_count(0)
    page.get_by_label("只看有名额的").uncheck()
    full.get_by_role("button", name="候补").click()
    phone.consent("确定候补")
    phone.consent("允许")
    expect(page).to_contain_text("候补排在第 1 位")
    phone.subscribe_message("候补")


def take_offer(phone: PhonePage) -> None:
    """The offer comes by SMS, and the page shows it by itself."""
    page = phone.mini.locator("#page")
    phone.sms("名额")
    expect(page).to_contain_text("轮到您了", timeout=SLOW)
    picture(phone.page, "phone-exam")
    phone.press("接受")
    expect(page).to_contain_text("前可以网上取消")
    expect(page.get_by_role("button", name="接受")).to_have_count(0)
    expect(page.locator(".steps li")).to_have_count(4)


def cancel_from_first_screen(phone: PhonePage) -> None:
    """Two taps and a question from the first screen (REQ B5)."""
    page = phone.mini.locator("#page")
    while phone.page.locator("#back").is_visible():
        phone.back()
    phone.press("取消预约考试")
    expect(page).to_contain_text("前可以网上取消")
    phone.press("取消这个预约")
    phone.consent("保留")
    phone.press("取消这个预约")
    phone.consent("确定取消")
    expect(page).to_contain_text("没有可以取消的预约")
    phone.sms("取消")


def book_by_keyboard(phone: PhonePage) -> None:
    """The other session, without a mouse; the past one stays in the list."""
    page = phone.mini.locator("#page")
    phone.back()
    for name in ("预约考试", "选场次"):
        there = page.get_by_role("button", name=name, exact=True)
        there.first.focus()
        phone.page.keyboard.press("Enter")
        expect(there).to_have_count(0)
    with answer_lost(phone.page, "**/mini/bookings"):
        ask_for_seat(phone)
        expect(page.get_by_role("alert")).to_contain_text("网络连接失败")
    # The same wish with the same key: the booking that was made.
    ask_for_seat(phone)
    expect(page.get_by_role("button", name="取消预约")).to_be_visible()
    phone.sms("已受理")


def ask_for_seat(phone: PhonePage) -> None:
    """In the free session, key by key."""
    dialog = phone.page.locator("#ask")
    phone.mini.locator(f"[data-plan='{FREE}']").get_by_role("button").focus()
    phone.page.keyboard.press("Enter")
    expect(dialog).to_contain_text("预约这个场次")
    dialog.get_by_role("button", name="确定预约").focus()
    phone.page.keyboard.press("Enter")
    phone.consent("拒绝")


@contextmanager
def no_network(page: Page, address: str) -> Iterator[None]:
    """Nothing that is asked there gets anywhere."""
    page.route(address, lambda route: route.abort())
    yield
    page.unroute(address)


@contextmanager
def answer_lost(page: Page, address: str) -> Iterator[None]:
    """The service does what it is asked, and its answer is lost on the way."""

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route(address, lose)
    yield
    page.unroute(address)


def accept_change(phone: PhonePage) -> None:
    """Told why, and that he may leave at no cost; one tap keeps the place."""
    page = phone.mini.locator("#page")
    phone.sms("14:00")
    expect(page).to_contain_text("车管所改了这个场次")
    expect(page).to_contain_text("上午设备检修")
    expect(page).to_contain_text("14:00–17:00")
    phone.press("按新的安排参加")
    expect(page.get_by_role("button", name="按新的安排参加")).to_have_count(0)
    expect(page.get_by_role("button", name="取消预约")).to_be_visible()
