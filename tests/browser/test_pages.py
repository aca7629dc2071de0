"""The other pages in a real browser: what people do on them, from signing in to signing out."""

import re

import pytest
from playwright.sync_api import Page, expect

from schemas.limits import MAX_PHOTO_BYTES, MIB
from tests.browser.conftest import Opener
from tests.browser.fake_api import VERSION, Shop, photo
from tests.browser.fake_routes import PASSWORD

pytestmark = pytest.mark.browser


def confirm(page: Page) -> None:
    """Say yes to the dialog, and wait until it is done."""
    page.locator("dialog button[type=submit]").click()
    expect(page.locator("dialog button[type=submit]")).to_have_count(0)


def test_signing_in_and_out(visit: Opener) -> None:
    """A wrong password is said in plain words with the request's id; the right one leads where one wanted to go."""
    page = visit("/items?text=lampe", role=None)
    page.fill("#name", "reviewer")
    page.fill("#password", "wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#problem")).to_contain_text("Name or password is wrong.")
    expect(page.locator("#problem")).to_contain_text("Request")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/items?text=lampe")
    expect(page.locator("tbody tr")).to_have_count(6)
    page.click("#sign-out")
    page.wait_for_url("**/sign-in")


def test_a_one_time_link_leads_in(visit: Opener) -> None:
    """The password is chosen, and one is there."""
    page = visit("/welcome?token=abc", role=None)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/review")


def test_classifying_with_and_without_a_photo(visit: Opener) -> None:
    """Bars with the likeliest categories, the words that decided; hostile titles stay text."""
    page = visit("/classify", role="customer")
    page.fill("#title", "Lampe <img src=x onerror=alert(1)>")
    page.keyboard.press("Enter")
    expect(page.locator("#answer .bar")).to_have_count(5)
    expect(page.locator("#answer")).to_contain_text("Words that spoke for it")
    assert 0 == page.locator("#answer img").count()
    page.set_input_files("#photo", {"name": "p.png", "mimeType": "image/png", "buffer": photo()})
    expect(page.locator("#preview")).to_be_visible()
    page.fill("#title", "poison")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#answer .notice")).to_contain_text("The photo cannot be read.")


def test_a_photo_has_the_gateways_limit(visit: Opener) -> None:
    """One that the gateway would refuse is refused at once, with the limit; the largest is taken."""
    page = visit("/classify", role="customer")

    def choose(size: int) -> None:
        page.set_input_files("#photo", {"name": "large.png", "mimeType": "image/png", "buffer": bytes(size)})

    choose(MAX_PHOTO_BYTES + 1)
    expect(page.locator("#photo-said")).to_contain_text(f"at most {MAX_PHOTO_BYTES // MIB} MB")
    choose(MAX_PHOTO_BYTES)
    expect(page.locator("#photo-said")).to_contain_text("large.png")


def test_a_file_of_products(visit: Opener) -> None:
    """It is sent, shown with how far it is, and its result saved."""
    page = visit("/files", role="customer")
    expect(page.locator("#list")).to_contain_text("No files yet")
    page.set_input_files("#file", {"name": "autumn.csv", "mimeType": "text/csv", "buffer": b"title\na\n"})
    page.get_by_role("button", name="Classify the file").click()
    expect(page.locator("#list")).to_contain_text("120 / 120")
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save the result: autumn.csv, csv").click()
    assert "autumn-categories.csv" == saving.value.suggested_filename


def test_the_live_feed(visit: Opener) -> None:
    """It grows, and stands still while it is paused."""
    page = visit("/live")
    expect(page.locator("tbody tr").nth(2)).to_be_visible()
    page.keyboard.press("p")
    expect(page.locator("#said")).to_contain_text("paused")
    rows = page.locator("tbody tr").count()
    said = page.locator("#said").inner_text()
    expect(page.locator("#said")).not_to_have_text(said)
    assert rows == page.locator("tbody tr").count()


def test_the_dashboard_is_read_by_keyboard_too(visit: Opener) -> None:
    """The arrow keys read a chart's values, model changes included; each has a table."""
    page = visit("/dashboard")
    charts = page.locator(".chart .canvas")
    expect(charts).to_have_count(4)
    charts.nth(1).focus()
    page.keyboard.press("End")
    expect(page.locator(".chart-said").nth(1)).to_contain_text(re.compile(r"Accuracy by verdicts \d+%"))
    assert 1 == page.locator(".chart").nth(1).locator(".mark").count()
    page.locator(".chart summary").nth(1).click()
    expect(page.locator(".chart").nth(1).locator("tbody tr")).to_have_count(14)


def test_a_page_whose_data_is_away_recovers(visit: Opener, shop: Shop) -> None:
    """It says so, and shows the data once it is back, without a reload."""
    shop.away.add("figures")
    page = visit("/dashboard")
    expect(page.locator("#figures")).to_contain_text("database cannot be reached")
    shop.away.clear()
    expect(page.locator(".figures")).to_be_visible()


def test_an_item_that_is_not_stored_yet_is_waited_for(visit: Opener, shop: Shop) -> None:
    """Who follows the link of an answer at once sees the item; one that there is not is said not to be."""
    item = shop.items[0]
    shop.stored_after = 2
    page = visit(f"/items/{item['event_id']}")
    expect(page.locator("#name")).to_contain_text(item["product"]["title"])
    expect(page.locator("#item mark").first).to_be_visible()
    shop.stored_after = 99
    page.reload()
    expect(page.locator("#item .notice")).to_contain_text("no such item")


def test_promoting_comparing_and_rolling_back(visit: Opener, shop: Shop) -> None:
    """Each decision says what will happen before it does."""
    page = visit("/models", role="admin")
    page.get_by_role("button", name="Try in the shadow: 20261119-090000-cccccc").click()
    confirm(page)
    expect(page.locator("#list")).to_contain_text("In the shadow")
    page.get_by_role("button", name="Promote: 20261119-090000-cccccc").click()
    expect(page.locator("dialog")).to_contain_text(f"in place of {VERSION}")
    confirm(page)
    assert "20261119-090000-cccccc" == shop.champion
    page.get_by_role("button", name="Roll back").click()
    confirm(page)
    assert "20261120-090000-bbbbbb" == shop.champion
    for version in (VERSION, "20261119-090000-cccccc"):
        page.get_by_label(f"Choose {version} to compare").check()
    page.get_by_role("button", name="Compare two").click()
    expect(page.locator("#compared")).to_contain_text("+0.01")
    page.get_by_role("button", name="#3").click()
    expect(page.locator("#log")).to_contain_text("epoch 3 of 8")


def test_reviewers_see_models_and_change_none(visit: Opener) -> None:
    """What the role may not do is not offered."""
    page = visit("/models")
    expect(page.locator("#list tbody tr")).to_have_count(3)
    assert 0 == page.get_by_role("button", name=re.compile("Promote|Roll back|Train now")).count()


def test_accounts_are_managed(visit: Opener, shop: Shop) -> None:
    """Invite with a link that is shown once, change the role, disable, delete."""
    page = visit("/users", role="admin")
    page.click("#invite")
    page.fill("#new-name", "dana")
    page.locator("dialog button[type=submit]").click()
    expect(page.locator("dialog .secret")).to_contain_text("/welcome?token=")
    page.locator("dialog").get_by_role("button", name="Close").click()
    page.get_by_label("Role of dana").select_option("admin")
    expect(page.locator("#toasts")).to_contain_text("dana was changed")
    assert "admin" == shop.users[-1]["role"]
    page.get_by_role("button", name="Disable: dana").click()
    expect(page.locator("#list")).to_contain_text("Disabled")
    page.get_by_role("button", name="Delete: dana").click()
    confirm(page)
    expect(page.get_by_label("Role of dana")).to_have_count(0)


def test_hostile_titles_stay_text(visit: Opener, shop: Shop) -> None:
    """On the pages that show what producers wrote."""
    hostile = "<img src=x onerror=alert(1)>"
    for item in shop.items:
        item["product"]["title"] = item["product"]["description"] = hostile
    page = visit("/items", role="admin")
    expect(page.locator("tbody a").first).to_have_text(hostile)
    page.locator("tbody a").first.click()
    expect(page.locator("#name")).to_have_text(hostile)
    page.goto(page.url.replace(page.url[page.url.index("/items") :], "/review"))
    expect(page.locator("#item-title")).to_have_text(hostile)
    assert 0 == page.locator("[onerror]").count()


def test_theme_and_language_are_kept(visit: Opener) -> None:
    """As the switches were left, on the next page too."""
    page = visit("/classify")
    for _ in range(2):
        page.click("#theme")
    page.get_by_role("link", name="FR", exact=True).click()
    page.get_by_role("link", name="Articles").click()
    expect(page.locator("html[data-theme=dark][lang=fr]")).to_be_visible()


def test_the_api_page_works_under_its_policy(visit: Opener) -> None:
    """Offline, from our own files; who is signed in tries calls as themselves."""
    page = visit("/docs")
    expect(page.locator("#swagger .opblock").first).to_be_visible()
    operation = page.locator(".opblock", has_text="/api/v1/review/progress")
    operation.locator(".opblock-summary").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table tbody .response-col_status")).to_contain_text("200")


def test_a_narrow_screen_shows_all(visit: Opener) -> None:
    """Nothing stands beyond its edge, and the menu opens and closes."""
    page = visit("/review", role="admin", viewport={"width": 375, "height": 800})
    for name in ("Items", "Models", "Dashboard", "Users"):
        expect(page.locator("main h1")).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert 0 == page.evaluate("document.documentElement.scrollWidth - innerWidth")
        page.click("#open-menu")
        page.get_by_role("link", name=name).click()
    page.click("#open-menu")
    page.keyboard.press("Escape")
    expect(page.locator("#open-menu")).to_be_focused()
