"""The work list: the officer's own office, tabs, looking up, what an empty one says."""

import re

from playwright.sync_api import expect

from tests.desk.conftest import SignIn
from tests.desk.town import Town


def test_list_shows_the_own_office_with_masked_names(town: Town, sign_in: SignIn) -> None:
    _, number = town.submitted()
    page = sign_in("li")
    page.goto("/desk/")
    row = page.locator("tr", has_text=number)
    expect(row).to_contain_text("驾驶证延期换证")
    expect(row).to_contain_text("王**")
    expect(row).to_contain_text("天")
    assert "王小明" not in page.content()
    expect(page.get_by_role("link", name="待审核")).to_have_attribute("aria-current", "page")
    other = sign_in("zhao")
    other.goto("/desk/")
    assert number not in other.content()


def test_empty_list_says_what_to_expect(sign_in: SignIn) -> None:
    page = sign_in("zhao")
    for state, words in (("submitted", "群众提交"), ("approved", "收到回执后自动办结")):
        page.goto(f"/desk/?state={state}")
        expect(page.locator(".empty")).to_contain_text(words)


def test_drafts_and_unknown_states_are_no_list(sign_in: SignIn) -> None:
    page = sign_in("li")
    for state in ("draft", "nonsense"):
        answer = page.goto(f"/desk/?state={state}")
        assert answer is not None and answer.status == 400
        expect(page.get_by_role("link", name="回到工作列表")).to_be_visible()


def test_find_by_number(town: Town, sign_in: SignIn) -> None:
    _, number = town.submitted()
    page = sign_in("li")
    page.goto("/desk/help")
    page.get_by_label("办件编号").fill(f"{number[:4]} {number[4:8]} {number[8:]}")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/desk/matters/{number}$"))
    page.get_by_label("办件编号").fill("123456789012")
    page.get_by_role("button", name="查找").click()
    expect(page.get_by_role("status")).to_contain_text("编号不对")


def test_nothing_left_is_said(town: Town, sign_in: SignIn) -> None:
    page = sign_in("zhao")
    page.goto("/desk/next?after=")
    expect(page.get_by_role("status")).to_contain_text("没有待审核的办件了")
