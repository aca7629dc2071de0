"""What people do on the pages of a whole aisle, but for reviewing: from the first sign-in to the last sign-out."""

import io
import re
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.browser.people import LOOKS, Person, accept_link, confirm, person
from tests.browser.whole import ADMIN, PASSWORD, Whole, products
from tests.integration.road import wait

SIGN_IN = re.compile(r"/sign-in\?next=/items$")

pytestmark = [pytest.mark.browser, pytest.mark.timeout(500)]


@pytest.fixture(params=LOOKS, ids=str)
def admin(request: pytest.FixtureRequest, chromium: Browser, aisle: Whole) -> Iterator[Person]:
    """The admin, signed in by name and password, and out at the end."""
    with person(chromium, aisle, request.param) as somebody:
        page = somebody.sign_in(ADMIN, PASSWORD)
        page.close()
        yield somebody
        page = somebody.visit("/classify")
        somebody.menu(page)
        page.click("#sign-out")
        page.wait_for_url("**/sign-in")
        page.goto(f"{aisle.url}/items")
        page.wait_for_url(SIGN_IN)


def test_a_product_is_classified_with_and_without_a_photo(admin: Person) -> None:
    """By the model in service: the likeliest categories, and the words that spoke for the first."""
    page = admin.visit("/classify")
    page.fill("#title", "Piscine tubulaire ronde 366 cm")
    page.fill("#description", "Piscine hors sol avec pompe de filtration.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#answer .bar")).to_have_count(5)
    expect(page.locator("#answer")).to_contain_text(admin.whole.champion)
    expect(page.locator("#answer")).to_contain_text(admin.words("classify.spoke"))
    picture = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(picture, "JPEG")
    page.set_input_files("#photo", {"name": "p.jpg", "mimeType": "image/jpeg", "buffer": picture.getvalue()})
    expect(page.locator("#preview")).to_be_visible()
    page.fill("#title", "Piscine gonflable")
    with page.expect_response("**/predictions/upload*") as answer:
        page.click("#do")
    event = answer.value.json()["event_id"]
    expect(page.locator("#answer .bar")).to_have_count(5)
    wait(lambda: admin.whole.road.items([event]), 20)
    page.goto(f"{admin.whole.url}/items/{event}")
    expect(page.locator("#item img")).to_have_js_property("complete", value=True)


def test_the_feed_is_live(admin: Person) -> None:
    """What is published a moment later stands there, and the dashboard has counted it."""
    page = admin.visit("/live")
    expect(page.locator("#said")).to_contain_text(admin.words("live.open"))
    (event,) = admin.whole.publish(products(1, f"live-{admin.look}"))
    expect(page.locator(f'tbody a[href="/items/{event}"]')).to_have_text(f"live-{admin.look}-0")
    page.goto(f"{admin.whole.url}/dashboard")
    expect(page.locator(".figures dd").first).not_to_have_text("0")
    expect(page.locator(".chart svg").first).to_be_visible()


def test_a_model_is_promoted_and_rolled_back(admin: Person) -> None:
    """Each asks first; the list says which is in service, and the audit log who decided."""
    former, champion = admin.whole.former, admin.whole.champion
    page = admin.visit("/models")
    in_service = page.locator("#list tr", has_text=admin.words("models.champion"))
    expect(in_service).to_contain_text(champion)
    admin.button(page, "models.promote", former).click()
    confirm(page)
    expect(in_service).to_contain_text(former)
    admin.button(page, "models.rollback").click()
    confirm(page)
    expect(in_service).to_contain_text(champion)
    page.goto(f"{admin.whole.url}/audit")
    expect(page.locator("tbody tr").first).to_contain_text(champion)
    expect(page.locator("tbody tr").first).to_contain_text(ADMIN)


def test_an_account_is_made_used_and_disabled(admin: Person, chromium: Browser) -> None:
    """A link is shown once; who follows it is in, and out as soon as the account is disabled."""
    name = f"dana-{admin.look}"
    page = admin.visit("/users")
    page.click("#invite")
    page.fill("#new-name", name)
    page.locator("dialog button[type=submit]").click()
    link = page.locator("dialog .secret").inner_text()
    page.locator("dialog").get_by_role("button", name=admin.words("common.close")).click()
    with person(chromium, admin.whole, admin.look) as dana:
        hers = accept_link(dana, link, "", PASSWORD)
        expect(hers.locator("h1")).to_have_text(admin.words("review.title"))
        dana.witness.expected.append("/api/v1/")  # what her page still asks for is refused from now on
        admin.button(page, "users.disable", name).click()
        expect(page.locator("tr", has_text=name)).to_contain_text(admin.words("users.disabled"))
        hers.goto(f"{admin.whole.url}/items")
        hers.wait_for_url(SIGN_IN)
        hers.fill("#name", name)
        hers.fill("#password", PASSWORD)
        hers.keyboard.press("Enter")
        expect(hers.locator("#problem .notice")).to_be_visible()
