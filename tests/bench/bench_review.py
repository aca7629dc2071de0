"""How soon a key shows the next item: ``python -m tests.bench review``.

`aisle up` serves; products with photos wait for review. In a real Chromium a reviewer presses Enter, `2`, `x` or `s`,
first at the pace of somebody quick, then as fast as the browser takes keys. The clock is the browser's own: from the
key's event to the beginning of the second frame after the change, by which the first is on the screen.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from playwright.sync_api import sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.keys import CLOCK, Desk
from tests.browser.people import LOOKS, accept_link, person
from tests.browser.whole import ADMIN, PASSWORD, products, whole

_KEYS: Final = ("Enter", "2", "Enter", "x", "Enter", "s")


def main(arguments: Sequence[str]) -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(prog="bench review", description=__doc__, allow_abbrev=False)
    parser.add_argument("--items", type=int, default=100, help="at each pace")
    parser.add_argument("--pause", type=float, default=0.4, help="seconds between the keys of somebody quick")
    options = parser.parse_args(arguments)
    assert CHROMIUM, "no chromium is installed"
    with (
        tempfile.TemporaryDirectory(prefix="aisle-review-") as folder,
        whole(Path(folder)) as running,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS) as browser,
        person(browser, running, LOOKS[0]) as reviewer,
    ):
        running.publish(products(2 * options.items + 20, "shelf"))
        reviewer.context.add_init_script(CLOCK)
        desk = Desk(accept_link(reviewer, running.link, ADMIN, PASSWORD))
        figures = {
            f"a key every {options.pause:g} s": _press(desk, options.items, options.pause),
            "key upon key": _press(desk, options.items, 0),
        }
    print(json.dumps(figures, indent=1))


def _press(desk: Desk, items: int, pause_s: float) -> dict[str, Any]:
    """Milliseconds from key to next item, and how many of the items had their photo by then."""
    before = len(desk.took_ms())
    photos = 0
    for number in range(items):
        desk.press(_KEYS[number % len(_KEYS)])
        photos += desk.page.locator("#photo img").count()
        desk.page.wait_for_timeout(1_000 * pause_s)
    took = desk.took_ms()[before:]
    spread = {
        name: round(float(np.quantile(took, share)), 1) for name, share in (("p50", 0.5), ("p95", 0.95), ("max", 1))
    }
    return {"items": len(took), "ms": spread, "photo_at_once": photos}
