"""Reviewing by keyboard, with a clock in the browser: from the key to the next item, painted."""

from typing import Final

from playwright.sync_api import Page, expect

CLOCK: Final = """
(() => {
  window.took = [];
  let pressed = 0;
  addEventListener("keydown", (event) => { pressed = event.timeStamp; }, true);
  addEventListener("DOMContentLoaded", () => {
    const place = document.getElementById("photo");
    if (!place) return;
    let shown = "";
    new MutationObserver(() => {
      if (place.dataset.of === shown) return;
      const from = pressed;
      const first = !shown;
      shown = place.dataset.of;
      if (first) return;
      requestAnimationFrame(() => requestAnimationFrame(() => window.took.push(performance.now() - from)));
    }).observe(place, { attributes: true, attributeFilter: ["data-of"] });
  });
})();
"""
"""Notes in `took`, in ms, how long after the last key another item stands there: the second frame after the change is
begun when the first is on the screen."""


QUEUE_MS: Final = 45_000
"""As long as it may take until the queue has what was published a moment ago."""


class Desk:
    """The review page, by its keys.

    Args:
        page: It, opened with the clock in it.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        expect(page.locator("#desk")).to_be_visible()
        expect(page.locator("#options button").first).to_be_visible()

    @property
    def title(self) -> str:
        """Of the item."""
        return self.page.locator("#item-title").inner_text()

    @property
    def event(self) -> str:
        """The item's event."""
        return self.page.locator("#photo").get_attribute("data-of") or ""

    def press(self, *keys: str) -> str:
        """Press keys, the last of which brings another item; the event of the one before."""
        before = self.event
        for key in keys:
            self.page.keyboard.press(key)
        expect(self.page.locator(f'#photo[data-of="{before}"]')).to_have_count(0, timeout=QUEUE_MS)
        expect(self.page.locator("#desk")).to_be_visible()
        return before

    def correct(self, what: str) -> str:
        """Search a category, and take the first one found."""
        self.page.keyboard.press("/")
        expect(self.page.locator("#search")).to_be_focused()
        self.page.keyboard.type(what)
        expect(self.page.locator("#found li").first).to_be_visible()
        return self.press("Enter")

    def took_ms(self) -> list[float]:
        """From key to next item, of each so far."""
        took: list[float] = self.page.evaluate("window.took")
        return took
