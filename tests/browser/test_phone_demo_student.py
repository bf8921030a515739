"""Who starts the platform and takes up the demo student's phone can book a test at once."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.hands import PhonePage
from tests.support.processes import House


def test_the_demo_student_books_by_mouse_alone(
    house: House, open_page: Callable[[str], Page]
) -> None:
    phone = PhonePage(open_page(house.sandbox_url))
    page = phone.mini.locator("#page")
    phone.page.goto("/")
    phone.be("周雨欣")
    phone.press("身份证号登录")
    phone.press("填入周雨欣的资料")
    phone.code("用于登录")
    phone.press("登录")
    phone.press("预约考试")
    field = page.locator("[data-subject='2']")
    expect(field).to_contain_text("还剩 5 次")
    field.get_by_role("button", name="选场次").click()
    expect(page).to_contain_text("郑州市场地考场")
    page.get_by_role("button", name="预约", exact=True).first.click()
    phone.consent("确定预约")
    phone.consent("允许")
    phone.subscribe_message("已受理")
    expect(page).to_contain_text("前可以网上取消")
