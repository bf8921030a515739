"""The desk's tests: one running service a file, one Chromium, a page per test."""

import secrets
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, sync_playwright

from storage.engines import EngineUrls
from tests.desk.town import PASSWORD, Town
from tests.support.processes import House

SignIn = Callable[[str], Page]


@pytest.fixture(scope="module")
def town(engine_urls: EngineUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The service on the engines, and the town beside it: one for each file, so that no work list
    is longer for what another file left there."""
    folder = tmp_path_factory.mktemp("desk")
    with House(folder, engine_urls, f"test_{secrets.token_hex(8)}") as house:
        house.start_service()
        with Town(house) as made:
            yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, for one module: while Playwright's loop runs, no other may."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(town: Town, browser: Browser) -> Iterator[Callable[[StorageState | None], Page]]:
    """A page of a browser of its own, on an office's old screen. Scripts must not fail on it."""
    opened: list[BrowserContext] = []
    failures: list[str] = []

    def open_one(state: StorageState | None) -> Page:
        context = browser.new_context(
            base_url=town.house.service_url,
            viewport={"width": 1280, "height": 800},
            storage_state=state,
        )
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: failures.append(str(error)))
        return page

    yield open_one
    for context in opened:
        context.close()
    assert failures == []


@pytest.fixture
def stranger(open_page: Callable[[StorageState | None], Page]) -> Page:
    """A page where nobody is logged in."""
    return open_page(None)


@pytest.fixture(scope="module")
def logins() -> dict[str, StorageState]:
    """Cookies by user name: an officer logs in once for all tests of a file."""
    return {}


@pytest.fixture
def sign_in(
    open_page: Callable[[StorageState | None], Page], logins: dict[str, StorageState]
) -> SignIn:
    """A page where this officer is logged in."""

    def signed_in(username: str) -> Page:
        page = open_page(logins.get(username))
        if username not in logins:
            log_in(page, username)
            # The click does not wait for the answer that sets the cookie.
            page.wait_for_url(lambda url: "/desk/login" not in url)
            logins[username] = page.context.storage_state()
        return page

    return signed_in


def log_in(page: Page, username: str, password: str = PASSWORD, code: str = "") -> None:
    """Fill in the login form of the page shown, or of the login page."""
    if "/desk/login" not in page.url:
        page.goto("/desk/login")
    page.get_by_label("账号").fill(username)
    page.get_by_label("密码").fill(password)
    page.get_by_label("动态口令").fill(code)
    page.get_by_role("button", name="登录").click()


def change_password(page: Page, old: str, new: str, again: str | None = None) -> None:
    """Fill in the form of one's own password."""
    page.goto("/desk/password")
    page.get_by_label("现在的密码").fill(old)
    page.get_by_label("新密码（").fill(new)
    page.get_by_label("再输入一次").fill(new if again is None else again)
    page.get_by_role("button", name="修改密码").click()
