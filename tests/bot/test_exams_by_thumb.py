"""A test booked on the sandbox's phone, in Chromium at a phone's size, by tapping alone."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.bot.conftest import RunningHouse
from tests.bot.students import Student, plan

PICTURES = os.environ.get("BIANMIN_PICTURES")
_SITES = ("郑州第一考场", "中牟考场", "荥阳考场")


@contextmanager
def phone_page(house: RunningHouse) -> Iterator[Page]:
    """The phone page; no script of it may fail."""
    wrong: list[str] = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        size = {"width": 390, "height": 844}
        context = chromium.new_context(
            base_url=house.processes.sandbox_url,
            viewport=size,  # type: ignore[arg-type]  # a ViewportSize
            locale="zh-CN",
        )
        opened = context.new_page()
        opened.on("pageerror", lambda error: wrong.append(str(error)))
        yield opened
        chromium.close()
    assert wrong == []


def test_the_menu_and_the_numbers_are_tapped(house: RunningHouse) -> None:
    student = Student(house, "F").log_in()
    for n in range(4):
        site = {"site": f"thumb-{n % 3}", "site_name": _SITES[n % 3]}
        plan(house, f"thumb-{n}", "F", days=20 + n, capacity=12 + n, **site)
    assert house.processes.command("menu", "push").returncode == 0
    with phone_page(house) as page:
        book_by_tapping(page, student.phone.person.phone)
    assert len(student.live()) == 1


def book_by_tapping(page: Page, phone: str) -> None:
    """From the menu under the chat to the booking."""
    page.goto("/")
    who = page.locator("#person option", has_text=phone)
    page.locator("#person").select_option(who.get_attribute("value"))
    menu, heard = page.locator("#menu"), page.locator("#chat .bubble").last
    menu.locator("summary", has_text="驾考").click()
    expect(menu.get_by_role("button")).to_contain_text(["预约考试", "取消预约考试"])
    menu.get_by_role("button", name="预约考试", exact=True).click()
    expect(heard).to_contain_text("要约哪个科目")
    tap(page, "科目二")
    expect(heard).to_contain_text("余12")
    keep(page, "chat-exam")
    tap(page, "郑州第一考场")
    expect(heard).to_contain_text("请核对")
    tap(page, "确认预约")
    expect(heard).to_contain_text("已受理")


def tap(page: Page, words: str) -> None:
    """A choice of the last answer."""
    page.locator("#shortcuts .chip", has_text=words).first.click()


def keep(page: Page, name: str) -> None:
    """Keep what the phone shows, where pictures are asked for."""
    if PICTURES:
        page.locator("#chat").scroll_into_view_if_needed()
        page.screenshot(path=Path(PICTURES) / f"{name}.png")
