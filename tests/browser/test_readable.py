"""What sellers write, as it is shown."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener
from tests.browser.fake_api import Shop

pytestmark = pytest.mark.browser

STEPS = r"""async () => {
    const script = document.querySelector("script[src*='/pages/review.js']");
    const { readable } = await import(script.src.replace("pages/review.js", "readable.js"));
    const text = "<b>&amp;\u{1f6cb}".repeat(2000);
    const each = String.prototype[Symbol.iterator];
    let steps = 0;
    String.prototype[Symbol.iterator] = function* () {
        for (const one of { [Symbol.iterator]: () => each.call(this) }) { steps += 1; yield one; }
    };
    try {
        const shown = readable(text);
        return [shown.filter((one) => one).length, shown.length, steps];
    } finally {
        String.prototype[Symbol.iterator] = each;
    }
}"""
"""How many code points are shown of how many, and how many steps through texts that took."""


def test_layout_becomes_lines_and_all_else_stays_text(visit: Opener, shop: Shop) -> None:
    """Paragraphs and lists are lines, entities what they stand for; other markup is shown as it was written."""
    for item in shop.items:
        item["product"]["description"] = (
            '<p class="info">Dims: 4&nbsp;x&#x27;5&#39;</p>'
            "<ul><li>L&eacute; <b>bois</b></li><br/><li>3 < 4 > 2</li></ul>"
            "&lt;p&gt;<script>alert(1)</script><img src=x onerror=alert(1)>"
        )
    page = visit("/review")
    shown = "Dims: 4 x'5'\nL&eacute; bois\n3 < 4 > 2\n<p><script>alert(1)</script><img src=x onerror=alert(1)>"
    expect(page.locator("#item-text")).to_have_js_property("textContent", shown.replace("4 x", "4\u00a0x"))
    assert 0 == page.locator("#item-text img, #item-text script").count()


def test_thousands_of_tags_are_read_in_one_go(visit: Opener) -> None:
    """The longest description, all tags and entities, is gone through a few times, not once for each of them."""
    page = visit("/review")
    shown, points, steps = page.evaluate(STEPS)
    assert (4_000, 18_000) == (shown, points)
    assert steps < 20 * points
