"""Fixtures of the browser tests: the pages, served, and a Chromium that looks at them."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.fake_api import Shop
from tests.browser.people import LOOKS, accept_link, person
from tests.browser.stage import served, stage
from tests.browser.whole import ADMIN, PASSWORD, Whole, products, twins, whole

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

expect.set_options(timeout=10_000)  # where other tests run beside
Opener = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A browser; its tests are skipped where none is installed."""
    if CHROMIUM is None:
        pytest.skip("no chromium is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def shop() -> Shop:
    """What the API answers from."""
    return Shop()


@pytest.fixture
def address(tmp_path: Path, shop: Shop) -> Iterator[str]:
    """Where the pages are served."""
    with served(stage(tmp_path, shop)) as found:
        yield found


@pytest.fixture
def visit(chromium: Browser, address: str) -> Iterator[Opener]:
    """Opens a page in a role; at the end nothing may have gone wrong on its console."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(path: str, role: str | None = "reviewer", **options: object) -> Page:
        context = chromium.new_context(**{"locale": "en", "viewport": {"width": 1280, "height": 800}, **options})  # type: ignore[arg-type]
        context.set_default_timeout(10_000)
        contexts.append(context)
        if role:
            context.add_cookies([{"name": "aisle_session", "value": role, "url": address}])
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        page.goto(address + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [] == complaints


@pytest.fixture(scope="session")
def aisle(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """A whole aisle with products to review, whose first admin has followed the link."""
    with whole(tmp_path_factory.mktemp("aisle")) as running:
        with person(chromium, running, LOOKS[0]) as first:
            accept_link(first, running.link, ADMIN, PASSWORD)
        running.publish([*products(80, "shelf"), *(twin for look in LOOKS for twin in twins(5, look.language))])
        yield running
