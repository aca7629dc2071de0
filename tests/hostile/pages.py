"""Every page in a real browser, over a gateway whose store is full of script: ``python -m tests.hostile.pages``.

Nothing of it may run: no dialog, no request to elsewhere, no breach of the content security policy, no element that
would run something, and `window.canaried`, which each of the scripts sets, stays unset. Each page must show some of it,
as text. Ends with 1 when that does not hold.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
from playwright.sync_api import BrowserContext, Dialog, Page, sync_playwright

from schemas.http.account import Role
from tests.browser.conftest import CHROMIUM
from tests.hostile import seeds
from tests.hostile.payloads import ELSEWHERE, ODD, SCRIPTS
from tests.hostile.said import fill
from tests.hostile.seeds import TEXTS
from tests.hostile.stage import Stage, services, staged

_ARGUMENTS: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
_WITHIN_MS: Final = 20_000
_SETTLE_MS: Final = 120
_WATCH: Final = """
  window.breaches = [];
  addEventListener("securitypolicyviolation", (one) => breaches.push(`${one.violatedDirective} ${one.blockedURI}`));
"""
_FOUND: Final = """() => {
  const found = [...breaches], links = /^(href|src|action|formaction|srcdoc|data)$/i;
  if (window.canaried !== undefined) found.push("script ran");
  for (const one of document.querySelectorAll("*"))
    for (const {name, value} of one.attributes)
      if (/^on/i.test(name) || (links.test(name) && /^\\s*(javascript|data:text)/i.test(value)))
        found.push(`<${one.localName} ${name}=${value.slice(0, 40)}>`);
  const runs = "script:not([src]), iframe, object, embed, base, main style, main link, main meta";
  for (const one of document.querySelectorAll(runs))
    found.push(`<${one.localName}>`);
  return found;
}"""
_SIGNS: Final = ("canaried", ELSEWHERE, "__proto__", "constructor")


@dataclass
class Watched:
    """A page that is looked at, and what of it is not as it should be."""

    stage: Stage
    context: BrowserContext
    said: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """A page, of which everything that it does is noted."""
        page = self.context.new_page()
        page.on("dialog", lambda one: self._dialog(path, one))
        page.on("pageerror", lambda error: self.said.append(f"{path}: {error}"))
        page.on("popup", lambda _: self.said.append(f"{path}: another window"))
        page.on("request", lambda one: self._elsewhere(path, one.url))
        page.on("console", lambda one: self._console(path, one.text))
        page.goto(self.stage.url + path)
        return page

    def look(self, page: Page, path: str) -> None:
        """See whether script ran, and that some of it is shown as text."""
        page.wait_for_timeout(_SETTLE_MS)
        self.said += [f"{path}: {one}" for one in page.evaluate(_FOUND)]
        if any(sign in page.locator("body").inner_text() for sign in _SIGNS):
            self.shown.append(path)

    def _dialog(self, path: str, dialog: Dialog) -> None:
        self.said.append(f"{path}: a dialog {dialog.message!r}")
        dialog.dismiss()

    def _elsewhere(self, path: str, url: str) -> None:
        if not url.startswith((self.stage.url, "blob:", "data:image/")):
            self.said.append(f"{path}: asked for {url[:100]}")

    def _console(self, path: str, text: str) -> None:
        if "Content Security" in text:
            self.said.append(f"{path}: {text[:200]}")


def _classify(watched: Watched, path: str) -> None:
    page = watched.open(path)
    for text in (*SCRIPTS[:3], ODD[0]):
        page.fill("#title", text)
        page.fill("#description", text)
        page.keyboard.press("Control+Enter")
        page.locator("#answer .bar").first.wait_for()
        watched.look(page, path)


def _files(watched: Watched, path: str) -> None:
    page = watched.open(path)
    page.locator("#list").get_by_text("canaried").first.wait_for()
    name = f"{SCRIPTS[1]}.csv".replace("/", "")
    page.set_input_files("#file", {"name": name, "mimeType": "text/csv", "buffer": b"title\nLampe\n"})
    page.locator("#form button").click()
    page.locator("#list").get_by_text("1 / 1").first.wait_for()
    watched.look(page, path)


def _review(watched: Watched, path: str) -> None:
    page = watched.open(path)
    page.locator("#desk:not([hidden])").wait_for()
    for number in range(len(TEXTS)):
        title = page.locator("#item-title").inner_text()
        page.keyboard.press("s" if number % 2 else "1")
        page.wait_for_function("(was) => document.getElementById('item-title').innerText !== was", arg=title)
        if number % 8 == 0:
            watched.look(page, path)
    page.fill("#search", "canaried")
    watched.look(page, path)


def _rows(watched: Watched, path: str) -> None:
    page = watched.open(path)
    page.locator("main table tbody tr").first.wait_for()
    for one in page.locator("main details summary").all()[:8]:
        one.click()
    watched.look(page, path)


def _item(watched: Watched, path: str) -> None:
    for event in seeds.OWN[:: max(1, len(seeds.OWN) // 8)]:
        page = watched.open(f"{path}/{event}")
        page.locator("#name").wait_for()
        page.get_by_text("canaried").first.or_(page.locator("main dl")).first.wait_for()
        watched.look(page, path)
        page.close()


def _live(watched: Watched, path: str) -> None:
    page = watched.open(path)
    bearer = {"Authorization": f"Bearer {watched.stage.site.keys[Role.CUSTOMER]}"}
    page.wait_for_timeout(_SETTLE_MS)
    with httpx.Client(base_url=watched.stage.url, headers=bearer, timeout=30) as client:
        for text in (*SCRIPTS[:8], *ODD[:6]):
            client.post("/api/v1/predictions", json={"title": text, "product_id": text[:200]}).raise_for_status()
    page.locator("tbody tr").nth(8).wait_for()
    watched.look(page, path)


def _dashboard(watched: Watched, path: str) -> None:
    page = watched.open(path)
    page.locator(".figures, .inner-figures .card").first.wait_for()
    for one in page.locator(".chart summary").all():
        one.click()
    watched.look(page, path)


def _models(watched: Watched, path: str) -> None:
    page = watched.open(path)
    page.get_by_role("button", name="#1", exact=True).click()
    page.locator("#log").get_by_text("canaried").first.wait_for()
    watched.look(page, path)


def _letters(watched: Watched, path: str) -> None:
    page = watched.open(path)
    links = page.locator("tbody tr button.quiet")
    links.first.wait_for()
    for number in range(0, links.count(), 8):
        links.nth(number).click()
        page.locator("dialog pre, dialog dl").first.wait_for()
        watched.look(page, path)
        page.keyboard.press("Escape")
        page.locator("dialog").first.wait_for(state="detached")


def _account(watched: Watched, path: str) -> None:
    page = watched.open(path)
    page.locator("#keys").get_by_text("canaried").first.wait_for()
    page.locator("#sessions li").first.wait_for()
    watched.look(page, path)


PAGES: Final[dict[str, Callable[[Watched, str], None]]] = {
    "/classify": _classify,
    "/files": _files,
    "/review": _review,
    "/items": _rows,
    "/items?text=%3Cimg": _rows,
    "/items?lang=fr&text=proto": _rows,
    "/items/": lambda watched, _: _item(watched, "/items"),
    "/live": _live,
    "/dashboard": _dashboard,
    "/models": _models,
    "/dead-letters": _letters,
    "/users": _rows,
    "/audit": _rows,
    "/account": _account,
}


def visit(stage: Stage, chosen: list[str] | None = None) -> list[str]:
    """What is not as it should be, in words."""
    cookie = fill(stage)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        context = browser.new_context(locale="en", viewport={"width": 1280, "height": 800})
        context.set_default_timeout(_WITHIN_MS)
        context.add_init_script(_WATCH)
        context.add_cookies([cookie])  # type: ignore[list-item] # playwright's own kind of dict
        watched = Watched(stage, context)
        for path, look in PAGES.items() if chosen is None else ((path, PAGES[path]) for path in chosen):
            try:
                look(watched, path)
            except Exception as error:  # noqa: BLE001 - the other pages are looked at all the same
                watched.said.append(f"{path}: {type(error).__name__}: {str(error)[:400]}")
            print(f"{path}: {'nothing ran' if not watched.said else watched.said[-1]}", flush=True)
            for page in context.pages:
                page.close()
        browser.close()
    unseen = {path.rstrip("/") for path in chosen or PAGES} - set(watched.shown)
    return [*watched.said, *(f"{path}: shows none of what is hostile" for path in sorted(unseen))]


def main(arguments: list[str] | None = None) -> int:
    """Look at all of them; the exit status."""
    parser = argparse.ArgumentParser(prog="bench pages", description=__doc__, allow_abbrev=False)
    parser.add_argument("--kafka", help="host:port of a broker; default: one of its own")
    parser.add_argument("--mongodb", help="URI of a store; default: one of its own")
    parser.add_argument("--page", action="append", choices=PAGES, metavar="PATH", help="only this page; may be several")
    given = parser.parse_args(arguments)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aisle-hostile-")))
        kafka, mongodb = services(stack, folder, given.kafka, given.mongodb)
        found = visit(stack.enter_context(staged(kafka, mongodb, folder / "stage")), given.page)
    for said in found:
        print(f"BROKEN {said}")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
