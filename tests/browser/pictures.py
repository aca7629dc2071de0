"""The README's pictures of the pages, taken anew: ``python -m tests.browser.pictures``. The shop is made up."""

import io
import math
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from model.synthetic.photos import render_photo
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.fake_api import Shop, prediction
from tests.browser.stage import served, stage

_FOLDER: Final = Path("docs/pictures")
_FIRST: Final = 8
"""The least sure item; three later comes the one that is pictured."""
_MOST_BYTES: Final = 150_000


def main() -> None:
    """Take them all."""
    assert CHROMIUM, "no chromium is installed"
    shop = Shop()
    for number, item in enumerate(shop.items):
        item["product"] |= {
            "title": item["product"]["title"].removesuffix(f" · {number}"),
            "photo": {"link": f"/api/v1/items/{item['event_id']}/photo", "sha256": "0" * 64},
        }
        code, sure = item["prediction"]["category"]["code"], 0.31 + (number - _FIRST) % len(shop.items) / 200
        item["prediction"] = prediction(item["event_id"], code, sure, datetime.now(UTC))
    with (
        tempfile.TemporaryDirectory() as folder,
        served(stage(Path(folder), shop)) as address,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS) as browser,
    ):
        page = _open(browser, f"{address}/review", "light", shop)
        for key in ("Enter", "2", "Enter"):
            expect(page.locator("#photo img")).to_be_visible()
            page.keyboard.press(key)
        expect(page.locator("#photo img")).to_be_visible()
        expect(page.locator("#item-title mark").first).to_be_visible()
        _take(page, "review")
        page = _open(browser, f"{address}/dashboard", "dark", shop)
        expect(page.locator(".chart svg").nth(3)).to_be_visible()
        _take(page, "dashboard")
        page = _open(browser, f"{address}/models", "light", shop)
        boxes = page.locator("#list input[type=checkbox]")
        for at in range(2):
            boxes.nth(at).check()
        page.click("#compare")
        expect(page.locator("#compared table").first).to_be_visible()
        page.evaluate("scrollTo(0, 0); document.activeElement.blur()")
        _take(page, "models")


def _open(browser: Browser, url: str, theme: str, shop: Shop) -> Page:
    context = browser.new_context(locale="en", viewport={"width": 1280, "height": 860}, color_scheme=theme)  # type: ignore[arg-type]
    context.add_cookies([{"name": "aisle_session", "value": "admin", "url": url}])
    page = context.new_page()
    page.route("**/items/*/photo", lambda route: _photo(route, shop))
    page.route("**/api/v1/figures*", _figures)
    page.route("**/api/v1/models", _models)
    page.goto(url)
    return page


def _photo(route: Route, shop: Shop) -> None:
    item = shop.item(route.request.url.split("/")[-2])
    photo = render_photo(Random(item["event_id"]), item["prediction"]["category"]["code"])
    route.fulfill(body=photo, content_type="image/jpeg")


def _figures(route: Route) -> None:
    """A shop's day: busy at noon and in the evening, quiet at night."""
    answer = route.fetch()
    told: dict[str, Any] = answer.json()
    draw = Random(3)
    for name, scale in (("predictions", 1.0), ("dead_letters", 0.0004)):
        series = told["flow"][name]
        for one in [*series["minutes"], *series["hours"]]:
            of_hours = 40 if one in series["hours"] else 1
            one["since"] = one["since"][:14] + ("00:00+00:00" if of_hours > 1 else one["since"][14:])
            one["count"] = int(
                scale * of_hours * _busy(datetime.fromisoformat(one["since"])) * draw.uniform(0.85, 1.15)
            )
    for days, day in enumerate(told["verdicts"]["days"]):
        day["accuracy"] = 0.78 + (0.05 if days > 7 else 0) + draw.uniform(-0.015, 0.015)
        day["correction_rate"] = 1 - day["accuracy"] - 0.01
    route.fulfill(response=answer, json=told)


def _models(route: Route) -> None:
    """As if each had been trained on some day."""
    answer = route.fetch()
    told: dict[str, Any] = answer.json()
    for days, one in enumerate(told["items"]):
        one["made"] = (datetime.fromisoformat(one["made"]) - timedelta(days=days, hours=7)).isoformat()
        one["rows"] -= 300 * days
        one["metrics"] |= {"accuracy": 0.8264 - days * 0.0117, "weighted_f1": 0.8231 - days * 0.0122}
    route.fulfill(response=answer, json=told)


def _busy(at: datetime) -> float:
    hour = (at + timedelta(hours=1)).hour + at.minute / 60
    return 90 + 80 * math.exp(-(((hour - 13) / 2.5) ** 2)) + 110 * math.exp(-(((hour - 20) / 2) ** 2)) - (hour < 7) * 60


def _take(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    picture = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    path = _FOLDER / f"{name}.png"
    picture.save(path, optimize=True)
    if path.stat().st_size > _MOST_BYTES:
        picture.quantize(256, kmeans=3, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
