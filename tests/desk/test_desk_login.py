"""Logging in at the desk: uniform refusals, second factor, cookies, the way back, logging out."""

import re
from collections.abc import Callable

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.desk.conftest import SignIn, log_in
from tests.desk.town import PASSWORD, Town


def test_wrong_name_and_wrong_password_are_told_apart_by_nobody(town: Town, stranger: Page) -> None:
    town.add_officer("qian")
    told = []
    for username, password in (("qian", "wrong"), ("nobody", PASSWORD)):
        log_in(stranger, username, password)
        expect(stranger.get_by_role("alert")).to_be_visible()
        told.append(stranger.get_by_role("alert").inner_text())
        assert stranger.get_by_label("账号").input_value() == username
        assert stranger.get_by_label("密码").input_value() == ""
    assert told[0] == told[1]
    assert [c["name"] for c in stranger.context.cookies()] == ["_xsrf"]


def test_second_factor_is_asked_for_and_needed(town: Town, stranger: Page) -> None:
    secret = town.add_officer("ding", totp=True)
    assert secret is not None
    log_in(stranger, "ding")
    expect(stranger.get_by_role("alert")).to_contain_text("需要动态口令")
    log_in(stranger, "ding", code="000000")
    expect(stranger.get_by_role("alert")).to_contain_text("不正确")
    log_in(stranger, "ding", code=pyotp.TOTP(secret).now())
    expect(stranger).to_have_title("工作列表 · 民警工作台")


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(sign_in: SignIn) -> None:
    page = sign_in("li")
    page.goto("/desk/help")
    cookies = page.context.cookies()
    assert {c["name"] for c in cookies} == {"_xsrf", "desk_session", "desk_device"}
    for cookie in cookies:
        assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/desk")
    assert page.evaluate("document.cookie") == ""


def test_login_leads_back_to_the_page_wanted(stranger: Page) -> None:
    stranger.goto("/desk/?state=approved")
    expect(stranger).to_have_title("登录 · 民警工作台")
    log_in(stranger, "li")
    expect(stranger).to_have_url(re.compile(r"/desk/\?state=approved$"))


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/desk/", "//evil.example/", "/desk/../api", "/desk/logout"]
)
def test_login_leads_nowhere_else(stranger: Page, town: Town, wanted: str) -> None:
    stranger.goto(f"/desk/login?next={wanted}")
    assert stranger.locator("[name=next]").input_value() == "/desk/"


def test_logging_out_ends_the_login_itself(stranger: Page, open_page: Callable[..., Page]) -> None:
    log_in(stranger, "li")
    kept = stranger.context.storage_state()
    stranger.get_by_role("button", name="退出").click()
    expect(stranger).to_have_title("登录 · 民警工作台")
    again = open_page(kept)
    again.goto("/desk/help")
    expect(again).to_have_title("登录 · 民警工作台")
    expect(again.get_by_role("status")).to_contain_text("自动退出")


def test_a_form_without_this_browsers_token_does_nothing(town: Town, sign_in: SignIn) -> None:
    _, number = town.submitted()
    page = sign_in("li")
    version = town.matter(number).version
    for token in ({}, {"_xsrf": "2|00000000|00000000000000000000000000000000|1"}):
        answer = page.request.post(
            f"/desk/matters/{number}/decision",
            form={"decision": "approve", "version": version, "cause": "a" * 20, **token},
        )
        assert answer.status == 403
        assert "这个页面已经过期" in answer.text()
    assert town.matter(number).version == version


def test_answers_carry_a_strict_policy(stranger: Page) -> None:
    answer = stranger.goto("/desk/login")
    assert answer is not None
    policy = answer.header_value("content-security-policy") or ""
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'")
    assert answer.header_value("cache-control") == "no-store"
    body = answer.text()
    assert "<style" not in body and "style=" not in body and "onclick" not in body
