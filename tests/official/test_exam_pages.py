"""The public pages of driving tests, on a phone whose browser runs no script."""

import io
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from casework.context import Context
from rules.exams.plan import Plan, Subject
from rules.exams.site import Site
from tests.casework.exams import published
from tests.casework.inside import NAMES, OFFICE, OTHER
from tests.desk.town import Town as Inside
from tests.official.test_public import ask
from tests.support.processes import House, Started
from tests.support.web import fetch

PICTURES = os.environ.get("BIANMIN_PICTURES")
"""A folder: pictures of the pages are then kept there."""

SITE = Site(
    code="4101-K1",
    name="郑州第一考场",
    office=OFFICE,
    address="郑州市惠济区迎宾路8号",
    phone="0371-65550101",
    hours="工作日 8:00-17:00",
    subjects=(Subject.FIELD, Subject.ROAD),
    daily_capacity=240,
    layout="场地一层为候考大厅，二层为监控室。\n科目二设十二条考试线。",
    route="科目三共三条线路，在考场公告栏公布。",
    process="身份核验、候考、抽号、考试、签字确认成绩。",
)


@pytest.fixture(scope="module")
def inside(door_house: House, service: Started) -> Iterator[Inside]:
    """The house from inside."""
    with Inside(door_house) as made:
        yield made


@pytest.fixture(scope="module")
def plans(inside: Inside) -> list[Plan]:
    """Three sessions to come and one of last month with its results."""

    async def work(ctx: Context) -> list[Plan]:
        await ctx.stores.exam_sites.upsert([SITE])
        full = await published(ctx, "K2-1", days=20, capacity=1)
        await ctx.stores.exam_places.take(full.code, "100000000001", ctx.now())
        afternoon: dict[str, Any] = {"starts": "13:30", "ends": "16:30"}
        past = await published(ctx, "K2-0", days=-20, capacity=60)
        for number in range(50):
            outcome = "passed" if number < 38 else "failed" if number < 47 else "missed"
            await ctx.stores.exam_plans.note_result(past.code, f"{number:012d}", outcome, 1)
        return [
            full,
            await published(ctx, "K3-1", days=20, capacity=40, subject="3", **afternoon),
            await published(ctx, "K2-2", days=27, capacity=60),
            past,
        ]

    return inside.run(work)


@pytest.fixture(scope="module")
def page(service: Started, inside: Inside) -> Iterator[Page]:
    """A phone without script."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        context = chromium.new_context(
            base_url=service.url,
            viewport={"width": 390, "height": 844},
            java_script_enabled=False,
            locale="zh-CN",
        )
        opened = context.new_page()
        opened.set_default_timeout(15_000)
        yield opened
        chromium.close()


def _fits(page: Page) -> bool:
    """Whether the page is no wider than the phone."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def _picture(page: Page, name: str) -> None:
    if PICTURES:
        shot = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
        small = shot.quantize(64, dither=Image.Dither.NONE)
        small.save(Path(PICTURES) / f"{name}.png", optimize=True)


def test_an_office_is_chosen_and_its_sessions_are_shown(page: Page, plans: list[Plan]) -> None:
    for start in ("/guide/exam-booking", "/"):
        page.goto(start)
        page.get_by_role("link", name="查看考试计划").click()
    expect(page.get_by_text("请先选择车管所，再点")).to_be_visible()
    page.get_by_label("车管所").select_option(label=NAMES[OFFICE])
    page.get_by_role("button", name="查看").click()
    sessions = page.locator(".session")
    expect(sessions).to_have_count(3)
    first = sessions.first
    for part in ("08:30–11:30", "科目二", "C1", "郑州第一考场", "预约截止", "已满，可候补"):
        expect(first).to_contain_text(part)
    assert first.locator("dd").all_inner_texts() == ["1", "1", "0", "0"]
    assert _fits(page)
    _picture(page, "exams-public")

    page.get_by_label("科目").select_option("3")
    page.get_by_label("考场").select_option("4101-K1")
    page.get_by_role("button", name="查看").click()
    expect(sessions).to_have_count(1)
    expect(page.get_by_label("车管所")).to_have_value(OFFICE)

    past = plans[-1]
    page.get_by_label("科目").select_option("")
    page.get_by_label("从哪天").fill((past.day - timedelta(days=1)).isoformat())
    page.get_by_label("到哪天").fill(past.day.isoformat())
    page.get_by_role("button", name="查看").click()
    expect(sessions).to_have_count(1)
    expect(sessions.first).to_contain_text("合格38人，不合格9人，弃考3人")


def test_a_site_shows_what_the_law_makes_public(
    page: Page, plans: list[Plan], service: Started
) -> None:
    page.goto(f"/exams?office={OFFICE}")
    page.get_by_role("link", name="郑州第一考场").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("郑州第一考场")
    for part in (SITE.address, "每天最多240人次", "十二条考试线", SITE.route, SITE.process):
        expect(page.get_by_text(part)).to_be_visible()
    expect(page.locator(".session")).to_have_count(3)
    shown = page.locator(".results tbody tr")
    told = fetch(service.url, "GET", f"/api/v1/exam-results/summary?site={SITE.code}").json()
    assert shown.count() == len(told["rows"]) == 1
    row = told["rows"][0]
    counts = [row[n] for n in ("sessions", "capacity", "booked", "passed", "failed", "missed")]
    cells = shown.first.locator("td").all_inner_texts()
    assert [int(c) for c in cells[3:9]] == counts == [1, 60, 0, 38, 9, 3]
    assert cells[9] == f"{row['pass_rate']}%" == "80.9%"
    assert _fits(page)
    _picture(page, "exams-site")


def test_the_guide_says_the_conditions_by_todays_figures(page: Page, service: Started) -> None:
    page.goto("/guide/exam-booking")
    conditions = page.locator("ul").first
    for part in (
        *("小型汽车等10日", "货车和牵引挂车20日", "小型汽车30日", "三轮汽车20日"),
        *("货车40日", "增驾的30日", "各预约不超过5次", "弃考的，满10日"),
    ):
        expect(conditions).to_contain_text(part)
    assert not set("{}‹›") & set(page.locator("main").inner_text())
    assert _fits(page)
    _picture(page, "exams-guide")


def test_nothing_published_is_said(page: Page, plans: list[Plan]) -> None:
    page.goto(f"/exams?office={OTHER}")
    expect(page.get_by_text("这些天里没有公布的场次")).to_be_visible()


def test_the_page_can_be_turned(page: Page, inside: Inside) -> None:
    async def many(ctx: Context) -> None:
        for number in range(35):
            code = f"KM-{number}"
            await published(ctx, code, days=100 + number, office=OTHER, site="4106-K1")

    inside.run(many)
    today = inside.run(_today)
    page.goto(f"/exams?office={OTHER}&from={today}&to={inside.run(_far)}")
    expect(page.locator(".session")).to_have_count(30)
    page.get_by_role("link", name="后面的场次").click()
    expect(page.locator(".session")).to_have_count(5)
    expect(page.get_by_role("link", name="后面的场次")).to_have_count(0)


async def _today(ctx: Context) -> str:
    return ctx.today().isoformat()


async def _far(ctx: Context) -> str:
    return (ctx.today() + timedelta(days=200)).isoformat()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("office=4101-VO&from=tomorrow", "日期看不懂"),
        ("office=4101-VO&to=9999-12-31", "日期看不懂"),
        ("office=4101-VO&from=2026-01-01&to=2028-01-01", "一次最多查看366天"),
    ],
)
def test_what_cannot_be_shown_is_said_and_the_form_keeps_what_was_chosen(
    service: Started, plans: list[Plan], query: str, said: str
) -> None:
    status, body = ask(f"{service.url}/exams?{query}")
    text = body.decode()
    assert status == 422 and said in text
    assert f'value="{OFFICE}" selected' in text


def test_an_unknown_site_and_odd_queries(service: Started, plans: list[Plan]) -> None:
    status, body = ask(f"{service.url}/exams/sites/no-such-site")
    assert status == 404 and "考场" in body.decode()
    status, body = ask(f"{service.url}/exams?office=%3Cscript%3Ealert(1)%3C/script%3E&site=x")
    assert status == 200 and "<script" not in body.decode()
