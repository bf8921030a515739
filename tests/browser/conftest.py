"""The house as `bianmin run` starts it, and a browser for each person."""

import secrets
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, sync_playwright

from storage.engines import EngineUrls
from tests.support.processes import House

# The demo registry's licences can be deferred then.
NOW = datetime.fromisoformat("2026-11-24T10:00:00+08:00")
NEVER_WRONG = 500


@pytest.fixture
def house(engine_urls: EngineUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """All processes as `bianmin run` starts them, with the demo's registry and officers."""
    clock = {"BIANMIN_CLOCK_OFFSET": str(NOW.timestamp() - time.time())}
    folder, database = tmp_path_factory.mktemp("browser"), f"test_{secrets.token_hex(8)}"
    with House(folder, engine_urls, database, extra=clock) as made:
        filled = made.command("demo-registry")
        assert filled.returncode == 0, filled.stderr
        made.start_sandbox()
        made.start_service()
        made.start_worker()
        yield made


@pytest.fixture
def open_page(house: House) -> Iterator[Callable[[str], Page]]:
    """A browser of its own for each person. Scripts must not fail, nor the servers."""
    wrong: list[str] = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )

        def open_one(base: str) -> Page:
            context = chromium.new_context(
                base_url=base, viewport={"width": 1280, "height": 800}, locale="zh-CN"
            )
            page = context.new_page()
            page.set_default_timeout(15_000)
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.on(
                "response",
                lambda answer: (
                    answer.status >= NEVER_WRONG
                    and wrong.append(f"{answer.status} {urlsplit(answer.url).path}")
                ),
            )
            return page

        yield open_one
        chromium.close()
    assert wrong == []
