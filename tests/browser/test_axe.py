"""What keeps people out, as axe-core finds it: every page, in both themes, at both widths, in both languages."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener
from tests.browser.fake_api import Shop

pytestmark = pytest.mark.browser

_FILE: Final = Path(os.environ.get("AXE_DIR", "/nowhere")) / "node_modules" / "axe-core" / "axe.min.js"
_LOOKS: Final = [(theme, width) for theme in ("light", "dark") for width in (1280, 375)]
_RUN: Final = """async () => {
  document.getAnimations().forEach((one) => one.finish());
  const { violations } = await axe.run({ resultTypes: ["violations"] });
  return violations.filter((one) => ["serious", "critical"].includes(one.impact))
    .map(({ id, nodes }) => [id, nodes.map((node) => `${node.target.join(" ")}: ${node.any[0]?.message ?? ""}`)]);
}"""


def _classified(page: Page) -> None:
    page.fill("#title", "Lampe de chevet en bois")
    page.keyboard.press("Enter")
    expect(page.locator("#answer .bar")).to_have_count(5)


def _files(page: Page) -> None:
    page.set_input_files("#file", {"name": "autumn.csv", "mimeType": "text/csv", "buffer": b"title\na\n"})
    page.locator("#form button[type=submit]").click()
    expect(page.locator("#list tbody tr").first).to_be_visible()


def _searched(page: Page) -> None:
    expect(page.locator("#desk")).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.press("/")
    page.keyboard.type("1")
    expect(page.locator("#found li").first).to_be_visible()


def _similar(page: Page) -> None:
    expect(page.locator("#desk")).to_be_visible()
    page.keyboard.press("b")
    expect(page.locator("dialog input").first).to_be_visible()


def _keys(page: Page) -> None:
    expect(page.locator("#desk")).to_be_visible()
    page.keyboard.press("?")
    expect(page.locator("dialog dl").first).to_be_visible()


def _compared(page: Page) -> None:
    boxes = page.locator("#list input[type=checkbox]")
    for at in range(2):
        boxes.nth(at).check()
    page.click("#compare")
    page.locator("#runs .run-link").first.click()
    expect(page.locator("#log")).not_to_be_empty()
    expect(page.locator("#compared table").first).to_be_visible()


def _promoting(page: Page) -> None:
    page.locator("#list .actions-cell button").first.click()
    expect(page.locator("dialog #why")).to_be_visible()


def _inviting(page: Page) -> None:
    page.click("#invite")
    page.fill("#new-name", "dana")
    page.locator("dialog button[type=submit]").click()
    expect(page.locator("dialog .secret")).to_be_visible()


def _refused(page: Page) -> None:
    page.fill("#name", "reviewer")
    page.fill("#password", "wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#problem .notice")).to_be_visible()


def _shown(selector: str) -> Callable[[Page], None]:
    return lambda page: expect(page.locator(selector).first).to_be_visible()


PAGES: Final[dict[str, tuple[str, str | None, Callable[[Page], None]]]] = {
    "sign-in": ("/sign-in", None, _shown("#form")),
    "sign-in refused": ("/sign-in", None, _refused),
    "sign-up": ("/sign-up", None, _shown("#form")),
    "welcome": ("/welcome?token=abc", None, _shown("#form")),
    "account": ("/account", "reviewer", _shown("#keys li, #keys tr")),
    "classify": ("/classify", "customer", _classified),
    "files": ("/files", "customer", _files),
    "review": ("/review", "reviewer", _shown("#desk #options button")),
    "review searched": ("/review", "reviewer", _searched),
    "review similar": ("/review", "reviewer", _similar),
    "review keys": ("/review", "reviewer", _keys),
    "items": ("/items", "admin", _shown("tbody tr")),
    "item": ("/items/{event}", "admin", _shown(".history li")),
    "live": ("/live", "reviewer", _shown("tbody tr")),
    "dashboard": ("/dashboard", "reviewer", _shown(".chart svg")),
    "dashboard away": ("/dashboard", "reviewer", _shown("#figures .notice")),
    "models": ("/models", "admin", _compared),
    "models promoting": ("/models", "admin", _promoting),
    "dead letters": ("/dead-letters", "admin", _shown("tbody tr")),
    "users": ("/users", "admin", _shown("tbody tr")),
    "users inviting": ("/users", "admin", _inviting),
    "audit": ("/audit", "admin", _shown("tbody tr")),
    "docs": ("/docs", None, _shown("#swagger .opblock")),
    "topics": ("/topics", None, _shown("main h1")),
    "no such page": ("/nowhere", "reviewer", _shown("main h1")),
    "not allowed": ("/users", "reviewer", _shown("main h1")),
}


@pytest.mark.skipif(not _FILE.exists(), reason="axe-core is not there: .ci/run fetches it by npm")
@pytest.mark.parametrize("name", PAGES)
def test_nothing_keeps_anybody_out(visit: Opener, shop: Shop, name: str) -> None:
    """No serious violation, however the page is looked at: English in each theme and width, and once in French."""
    path, role, prepare = PAGES[name]
    if name.endswith("away"):
        shop.away.add("figures")
    found: dict[str, Any] = {}
    for language, looks in (("en", _LOOKS), ("fr", _LOOKS[:1])):
        page = visit(path.replace("{event}", shop.items[1]["event_id"]), role, locale=language)
        prepare(page)
        page.evaluate(_FILE.read_text(encoding="utf-8"))
        for theme, width in looks:
            page.set_viewport_size({"width": width, "height": 800})
            page.evaluate("(theme) => { document.documentElement.dataset.theme = theme }", theme)
            found |= {f"{language} {theme} {width}": said} if (said := page.evaluate(_RUN)) else {}
        page.close()
    assert {} == found
