"""One's own password at the desk: old, new twice, long enough; the other logins end."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.desk.conftest import change_password, log_in
from tests.desk.town import PASSWORD, Town

NEW = "four words of my own"


def test_a_new_password_ends_the_other_logins_and_not_this_one(
    town: Town, stranger: Page, open_page: Callable[..., Page]
) -> None:
    town.add_officer("feng")
    elsewhere = open_page(None)
    log_in(elsewhere, "feng")
    expect(elsewhere).to_have_title("工作列表 · 民警工作台")
    log_in(stranger, "feng")
    stranger.get_by_role("link", name="李警官").click()
    expect(stranger.get_by_role("heading", name="修改密码")).to_be_visible()
    wrongs = (
        ("wrong password", NEW, NEW, "现在的密码不正确"),
        (PASSWORD, NEW, NEW + "!", "两次输入的新密码不一样"),
        (PASSWORD, PASSWORD, PASSWORD, "新密码和现在的密码一样"),
    )
    for old, new, again, said in wrongs:
        change_password(stranger, old, new, again)
        expect(stranger.get_by_role("alert")).to_contain_text(said)
        assert stranger.get_by_label("现在的密码").input_value() == ""
    stranger.eval_on_selector_all("[minlength]", "all => all.forEach(e => e.minLength = 0)")
    stranger.get_by_label("现在的密码").fill(PASSWORD)
    stranger.get_by_label("新密码（").fill("short")
    stranger.get_by_label("再输入一次").fill("short")
    stranger.keyboard.press("Enter")
    expect(stranger.get_by_role("alert")).to_contain_text("至少要10个字符")
    change_password(stranger, PASSWORD, NEW)
    expect(stranger.get_by_role("status")).to_contain_text("密码已修改")
    stranger.get_by_role("link", name="开始工作").click()
    expect(stranger).to_have_title("工作列表 · 民警工作台")
    elsewhere.goto("/desk/")
    expect(elsewhere).to_have_title("登录 · 民警工作台")
    log_in(elsewhere, "feng")
    expect(elsewhere.get_by_role("alert")).to_be_visible()
    log_in(elsewhere, "feng", NEW)
    expect(elsewhere).to_have_title("工作列表 · 民警工作台")
