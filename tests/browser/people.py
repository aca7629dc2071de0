"""People before a browser: how they look at the pages, and what they do on them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.whole import Whole, Witness
from workers.gateway.pages.texts import text

TIMEOUT_MS: Final = 15_000


@dataclass(frozen=True)
class Look:
    """How somebody looks at pages.

    Args:
        width: Of the window, in px.
        theme: `light` or `dark`.
        language: `en` or `fr`.
    """

    width: int
    theme: str
    language: str

    def __str__(self) -> str:
        return f"{self.width}-{self.theme}-{self.language}"

    def words(self, key: str, **values: object) -> str:
        """What the pages say for a key in this language."""
        return text(self.language, key, **values)

    @property
    def options(self) -> dict[str, Any]:
        """Of a browser's context."""
        return {
            "locale": self.language,
            "color_scheme": self.theme,
            "viewport": {"width": self.width, "height": 800},
        }


LOOKS: Final = (Look(1280, "light", "en"), Look(375, "dark", "fr"))
"""Between them both widths, themes and languages."""


@dataclass(frozen=True)
class Person:
    """Somebody before a browser of their own.

    Args:
        whole: What they look at.
        look: How.
        context: Their browser, with its cookies.
        witness: Notes what goes wrong.
    """

    whole: Whole
    look: Look
    context: BrowserContext
    witness: Witness

    def words(self, key: str, **values: object) -> str:
        """What the pages say to them."""
        return self.look.words(key, **values)

    def visit(self, path: str) -> Page:
        """A page, opened anew."""
        page = self.witness.watch(self.context.new_page())
        page.goto(path if path.startswith("http") else self.whole.url + path)
        return page

    def sign_in(self, name: str, password: str) -> Page:
        """By name and password; the page on which their work begins."""
        page = self.visit("/sign-in")
        page.fill("#name", name)
        page.fill("#password", password)
        page.keyboard.press("Enter")
        page.wait_for_url("**/review")
        return page

    def menu(self, page: Page) -> None:
        """Open the menu, where it is not at the side."""
        if page.locator("#open-menu").is_visible():
            page.click("#open-menu")

    def button(self, page: Page, key: str, of: str = "") -> Locator:
        """The button that says something, of one thing where there are several."""
        name = self.words(key)
        return page.get_by_role("button", name=f"{name}: {of}" if of else name, exact=bool(of))


@contextmanager
def person(chromium: Browser, whole: Whole, look: Look) -> Iterator[Person]:
    """Somebody who looks at an aisle; at the end nothing may have gone wrong that was not asked for."""
    context = chromium.new_context(**look.options)
    context.set_default_timeout(TIMEOUT_MS)
    somebody = Person(whole, look, context, Witness())
    try:
        yield somebody
    finally:
        context.close()
    assert [] == somebody.witness.complaints, somebody.witness.complaints


def accept_link(somebody: Person, link: str, name: str, password: str) -> Page:
    """Follow a one-time link, and choose a password; the page on which one's work begins."""
    page = somebody.visit(link)
    if name:
        page.fill("#name", name)
    page.fill("#password", password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/review")
    return page


def confirm(page: Page) -> None:
    """Say yes to the dialog, and wait until it is done."""
    page.locator("dialog button[type=submit]").click()
    expect(page.locator("dialog button[type=submit]")).to_have_count(0)
