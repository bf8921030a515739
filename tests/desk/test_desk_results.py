"""The results of a session: entered all at once, nothing lost, put right with a reason."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from casework import steps
from casework.context import Context
from casework.exams.attending import attend
from casework.exams.booking import book
from casework.exams.showing import record_view
from rules.people import Citizen
from tests.casework.exams import learner, published
from tests.desk.conftest import SignIn
from tests.desk.test_desk_exams import shot
from tests.desk.town import Town

CODE, AHEAD = "4101-VO-R1", "4101-VO-R2"


@pytest.fixture(scope="module")
def holders(town: Town) -> list[tuple[Citizen, str]]:
    """Four who booked twenty days ago, for today; and one for a day to come."""

    async def make(ctx: Context) -> list[tuple[Citizen, str]]:
        past = replace(ctx, clock=lambda: ctx.clock() - timedelta(days=20))
        people = [await learner(past, order) for order in range(901, 906)]
        await published(past, CODE, capacity=6)
        held = [(who, (await book(past, who, CODE, "a", "mini")).number) for who in people[:4]]
        await published(past, AHEAD, days=40, capacity=6)
        await book(past, people[4], AHEAD, "a", "mini")
        await attend(ctx, CODE)
        return held

    return town.run(make)


def row_of(page: Page, number: str):  # type: ignore[no-untyped-def]  # a Locator
    return page.locator("tr", has_text=number)


def test_what_lacks_results_is_seen_at_a_glance(
    holders: list[tuple[Citizen, str]], sign_in: SignIn
) -> None:
    page = sign_in("li")
    page.goto("/desk/exams")
    expect(page.get_by_role("status")).to_contain_text(re.compile("有[0-9]+场考试的成绩没有登记完"))
    page.get_by_role("link", name="去登记").click()
    expect(page.get_by_role("link", name="待登记成绩")).to_have_attribute("aria-current", "page")
    expect(row_of(page, CODE).locator("strong")).to_have_text("4")
    expect(row_of(page, AHEAD)).to_have_count(0)
    shot(page, "desk-exam-results-due")
    row_of(page, CODE).get_by_role("link", name="成绩").click()
    expect(page).to_have_url(re.compile(f"/desk/exams/{CODE}/results$"))
    answer = sign_in("liu").goto("/desk/exams/results-due")
    assert answer is not None and answer.status == 403


def test_results_are_entered_at_once_and_nothing_is_lost(
    town: Town, holders: list[tuple[Citizen, str]], sign_in: SignIn
) -> None:
    page = sign_in("li")
    page.goto(f"/desk/exams/{CODE}/results")
    assert "陈学员" not in page.content() and holders[0][0].id_number not in page.content()
    numbers = [number for _, number in holders]
    page.get_by_role("button", name="登记选好的成绩").click()
    expect(page.get_by_role("alert")).to_contain_text("还没有选任何人")
    first, second = "首次考试", "补考"

    def choose(number: str, which: str, label: str) -> None:
        group = page.get_by_role("radiogroup", name=re.compile(f"{number} {which}"))
        group.get_by_label(label, exact=True).check()

    choose(numbers[0], first, "合格")
    choose(numbers[1], first, "不合格")
    choose(numbers[1], second, "合格")
    choose(numbers[2], first, "合格")
    choose(numbers[2], second, "不合格")
    page.get_by_role("button", name="登记选好的成绩").click()
    expect(page.get_by_role("status")).to_contain_text("已登记2人")
    expect(page.get_by_role("alert")).to_contain_text("有1人的成绩没有登记")
    expect(row_of(page, numbers[2])).to_contain_text("才有一次补考")
    # What was chosen stays; it is put right by one click.
    kept = page.get_by_role("radiogroup", name=re.compile(f"{numbers[2]} {second}"))
    expect(kept.get_by_label("不合格", exact=True)).to_be_checked()
    choose(numbers[2], first, "不合格")
    choose(numbers[3], first, "缺考")
    page.get_by_role("button", name="登记选好的成绩").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("已登记2人")
    expect(row_of(page, numbers[1])).to_contain_text("合格 （经补考）")
    expect(row_of(page, numbers[3])).to_contain_text("弃考")
    expect(page.get_by_role("button", name="登记选好的成绩")).to_have_count(0)
    page.goto("/desk/exams/results-due")
    expect(row_of(page, CODE)).to_have_count(0)

    async def outcomes(ctx: Context) -> list[str]:
        views = [await record_view(ctx, who.key) for who, _ in holders]
        return [view.attempts[-1].outcome for view in views if view]

    assert town.run(outcomes) == ["passed", "passed", "failed", "missed"]


def test_a_result_is_put_right_with_its_reason(
    town: Town, holders: list[tuple[Citizen, str]], sign_in: SignIn
) -> None:
    page, number = sign_in("li"), holders[3][1]
    page.goto(f"/desk/exams/bookings/{number}")
    page.get_by_role("link", name="更正", exact=True).click()
    expect(page).to_have_url(re.compile(f"/desk/exams/{CODE}/results/{number}$"))
    page.goto(f"/desk/exams/{CODE}/results")
    page.get_by_role("link", name=f"更正{number}的成绩").click()
    expect(page.locator("main")).to_contain_text("现在登记的成绩：弃考")
    page.get_by_role("group", name="首次考试").get_by_label("缺考").check()
    page.get_by_label("更正原因").fill("监控复核：考生在场")
    page.get_by_role("button", name="更正成绩").click()
    expect(page.get_by_role("alert")).to_contain_text("与原来的相同")
    expect(page.get_by_label("更正原因")).to_have_value("监控复核：考生在场")
    page.get_by_role("group", name="首次考试").get_by_label("不合格", exact=True).check()
    page.get_by_role("button", name="更正成绩").click()
    expect(page.get_by_role("status")).to_contain_text("成绩已更正")
    expect(page.locator("main")).to_contain_text("现在登记的成绩：不合格")
    expect(page.locator(".log li").last).to_contain_text("成绩更正")
    expect(page.locator(".log li").last).to_contain_text("不合格，监控复核：考生在场")

    async def events(ctx: Context) -> list[str]:
        return [e.type for e in (await steps.load(ctx, number)).matter.timeline[-2:]]

    assert town.run(events) == ["missed", "result_corrected"]


def test_before_its_day_nothing_can_be_entered(
    holders: list[tuple[Citizen, str]], sign_in: SignIn
) -> None:
    page = sign_in("li")
    page.goto(f"/desk/exams/{AHEAD}/results")
    expect(page.get_by_role("status")).to_contain_text("当天起才能登记成绩")
    assert page.get_by_role("radio").count() == 0


def test_only_an_officer_of_the_office_that_tests(
    holders: list[tuple[Citizen, str]], sign_in: SignIn
) -> None:
    for who, status in (("zhao", 403), ("liu", 403)):
        page = sign_in(who)
        for path in ("", f"/{holders[0][1]}"):
            answer = page.goto(f"/desk/exams/{CODE}/results{path}")
            assert answer is not None and answer.status == status
            assert "陈**" not in page.content()
    page = sign_in("li")
    for path in (f"{AHEAD}/results/{holders[0][1]}", "nothing/results"):
        answer = page.goto(f"/desk/exams/{path}")
        assert answer is not None and answer.status == 404


def test_every_look_is_written_down(
    town: Town, holders: list[tuple[Citizen, str]], sign_in: SignIn
) -> None:
    page = sign_in("li")
    page.goto(f"/desk/exams/{CODE}/results/{holders[1][1]}")

    async def looks(ctx: Context) -> set[str]:
        found = ctx.stores.database["access_log"].find({"matter": holders[1][1]}, {"action": 1})
        return {d["action"] async for d in found}

    assert "exam-result" in town.run(looks)
