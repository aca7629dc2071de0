"""Reviewing in a real browser: by keyboard alone, without waiting, and without losing a verdict."""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener
from tests.browser.fake_api import Shop

pytestmark = pytest.mark.browser


def said(shop: Shop) -> list[tuple[str, str | None]]:
    """The verdicts that arrived, in order."""
    return [(one["verdict"], one.get("code")) for one in shop.verdicts]


def arrived(page: Page, condition: Callable[[], bool]) -> None:
    """Return once what the page sends behind the scenes has come."""
    for _ in range(200):
        if condition():
            return
        page.wait_for_timeout(25)
    raise AssertionError("it did not arrive")


def begin(visit: Opener, **options: object) -> Page:
    """The review page with its first item."""
    page = visit("/review", **options)
    expect(page.locator("#desk")).to_be_visible()
    expect(page.locator("#options button")).to_have_count(5)
    return page


def test_thirty_items_by_keyboard_alone(visit: Opener, shop: Shop) -> None:
    """Each key shows the next item at once, and each verdict arrives once, in its order."""
    page = begin(visit)
    titles = []
    for number in range(30):
        titles.append(page.locator("#item-title").inner_text())
        page.keyboard.press(["Enter", "2", "x"][number % 3])
        expect(page.locator("#item-title")).not_to_have_text(titles[-1])
    arrived(page, lambda: len(shop.verdicts) == 30)
    assert 30 == len(set(titles)) == len({one["event_id"] for one in shop.verdicts})
    assert ["validated", "corrected", "rejected"] * 10 == [verdict for verdict, _ in said(shop)]
    assert "30" == page.locator("#today").inner_text()
    took = page.evaluate("performance.getEntriesByName('aisle:key-to-next').map((one) => one.duration)")
    print(f"key to next item, ms: median {sorted(took)[15]:.1f}, longest {max(took):.1f}")
    assert 30 == len(took)


def test_undo_brings_the_item_back(visit: Opener, shop: Shop) -> None:
    """And takes the verdict back behind the scenes; a skipped item comes back likewise."""
    page = begin(visit)
    first = page.locator("#item-title").inner_text()
    page.keyboard.press("1")
    expect(page.locator("#item-title")).not_to_have_text(first)
    page.keyboard.press("u")
    expect(page.locator("#item-title")).to_have_text(first)
    arrived(page, lambda: len(shop.verdicts) == 2)
    assert [("validated", None), ("undo", None)] == said(shop)
    page.keyboard.press("s")
    expect(page.locator("#item-title")).not_to_have_text(first)
    page.keyboard.press("u")
    expect(page.locator("#item-title")).to_have_text(first)


def test_a_category_is_found_as_one_types(visit: Opener, shop: Shop) -> None:
    """Without accents and by its theme too; Enter takes it, Escape leaves the item as it is."""
    page = begin(visit, locale="fr")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("decoration inter")
    expect(page.locator("#found li").first).to_contain_text("décoration d'intérieur")
    page.keyboard.press("Escape")
    expect(page.locator("#found")).to_be_hidden()
    page.keyboard.press("/")
    page.keyboard.type("piscine")
    page.keyboard.press("Enter")
    arrived(page, lambda: len(shop.verdicts) == 1)
    assert [("corrected", "2583")] == said(shop)


def test_similar_items_are_accepted_together(visit: Opener, shop: Shop) -> None:
    """All but those that are unticked; one undo takes all of them back, and gives others those not shown again."""
    page = begin(visit)
    first = shown(page)
    page.keyboard.press("b")
    boxes = page.locator("dialog input[type=checkbox]")
    expect(boxes).to_have_count(5)
    boxes.first.uncheck()
    page.locator("dialog button[type=submit]").click()
    arrived(page, lambda: len(shop.verdicts) == 5)
    assert {"validated"} == {verdict for verdict, _ in said(shop)}
    page.keyboard.press("u")
    arrived(page, lambda: len(shop.verdicts) == 10)
    assert {"undo"} == {verdict for verdict, _ in said(shop)[5:]}
    arrived(page, lambda: shop.released == {one["event_id"] for one in shop.verdicts} - {first})
    assert first == shown(page)


def shown(page: Page) -> str:
    """The event that is looked at."""
    return str(page.locator("#photo").get_attribute("data-of"))


def test_similar_items_that_a_colleague_has_are_left_out(visit: Opener, shop: Shop) -> None:
    """They are claimed before they are accepted; how many were not to be had is said."""
    page = begin(visit)
    page.keyboard.press("b")
    boxes = page.locator("dialog input[type=checkbox]")
    expect(boxes).to_have_count(5)
    shop.held = {str(boxes.nth(at).get_attribute("value")) for at in (0, 3)}
    page.locator("dialog button[type=submit]").click()
    expect(page.locator("#toasts")).to_contain_text("2 were left out")
    arrived(page, lambda: len(shop.verdicts) == 4)
    assert set() == shop.held & {one["event_id"] for one in shop.verdicts}


def test_who_comes_late_is_told_what_another_decided(visit: Opener, shop: Shop) -> None:
    """Nothing is overridden unseen; a key decides anyway, another way leaves it; a reload forgets nothing."""
    page = begin(visit)
    by_bob = {"verdict": "corrected", "code": "2583", "by": "bob", "feedback_id": "b1"}
    first = shown(page)
    shop.decided[first] = by_bob
    page.keyboard.press("Enter")
    told = page.locator("#refused .notice")
    expect(told).to_contain_text("bob has decided meanwhile: Corrected")
    expect(told).to_contain_text("You said: Validated")
    expect(page.locator("#done li").first).to_have_class("undone")
    assert [] == shop.verdicts
    page.reload()
    expect(told).to_contain_text("bob has decided meanwhile")
    expect(page.locator("#options button")).to_have_count(5)
    shop.item(first)["verdict"] = by_bob
    page.keyboard.press("d")
    arrived(page, lambda: len(shop.verdicts) == 1)
    assert (first, "validated", "b1") == tuple(shop.verdicts[0][name] for name in ("event_id", "verdict", "seen"))
    expect(told).to_have_count(0)

    page.reload()
    expect(page.locator("#options button")).to_have_count(5)
    second = shown(page)
    shop.decided[second] = by_bob
    page.keyboard.press("x")
    leave = told.get_by_role("button", name="Leave it")
    leave.focus()
    page.keyboard.press("Enter")
    expect(told).to_have_count(0)
    assert 1 == len(shop.verdicts)


def test_one_conflict_holds_up_no_other_verdict(visit: Opener, shop: Shop) -> None:
    """Of several given together those are given that can be; undo takes just these back."""
    page = begin(visit)
    shop.decided[shown(page)] = {"verdict": "rejected", "by": "bob", "feedback_id": "b1"}
    page.keyboard.press("b")
    expect(page.locator("dialog input[type=checkbox]")).to_have_count(5)
    page.locator("dialog button[type=submit]").click()
    expect(page.locator("#refused .notice")).to_contain_text("bob has decided meanwhile: Rejected")
    arrived(page, lambda: len(shop.verdicts) == 5)
    page.keyboard.press("u")
    arrived(page, lambda: len(shop.verdicts) == 10)
    assert {"undo"} == {verdict for verdict, _ in said(shop)[5:]}


def test_what_is_refused_is_told_until_it_was_read(visit: Opener, shop: Shop) -> None:
    """Over a reload too; it is not sent again."""
    page = begin(visit)
    title = page.locator("#item-title").inner_text()
    shop.refuses.add(shown(page))
    page.keyboard.press("Enter")
    told = page.locator("#refused .notice")
    expect(told).to_contain_text(f"Not saved: {title}")
    shop.refuses.clear()
    page.reload()
    expect(told).to_contain_text("No such category.")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    page.keyboard.press("Enter")
    arrived(page, lambda: len(shop.verdicts) == 1)
    assert 2 == len(shop.seen_keys)
    told.get_by_role("button", name="Close").click()
    expect(told).to_have_count(0)


def test_each_refused_verdict_can_be_given_again(visit: Opener, shop: Shop) -> None:
    """What overtook it is decided anyway, what refused it tried again; neither loses the other, nor a reload both."""
    page = begin(visit)
    first = shown(page)
    shop.decided[first] = {"verdict": "rejected", "by": "bob", "feedback_id": "b1"}
    page.keyboard.press("b")
    boxes = page.locator("dialog input[type=checkbox]")
    expect(boxes).to_have_count(5)
    second = str(boxes.first.get_attribute("value"))
    shop.refuses.add(second)
    page.locator("dialog button[type=submit]").click()
    rows = page.locator("#refused .notice li")
    expect(rows).to_have_count(2)
    page.keyboard.press("d")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("No such category.")
    arrived(page, lambda: first in {one["event_id"] for one in shop.verdicts})
    shop.refuses.clear()
    page.reload()
    page.locator("#refused").get_by_role("button", name="Try again").click()
    arrived(page, lambda: second in {one["event_id"] for one in shop.verdicts})
    expect(rows).to_have_count(0)
    assert 6 == len(shop.verdicts) == len({one["event_id"] for one in shop.verdicts})


def test_what_stands_before_the_gateway_refuses_no_verdict(visit: Opener, shop: Shop) -> None:
    """An answer that is not the gateway's own is tried again; so is none at all, which does not hold up the others."""
    page = begin(visit)
    page.evaluate("const all = AbortSignal.timeout.bind(AbortSignal); AbortSignal.timeout = ms => all(ms / 40)")
    tries: list[object] = []

    def answer(route):  # type: ignore[no-untyped-def] # playwright's
        tries.append(route)
        if len(tries) == 1:
            route.fulfill(status=403, content_type="text/html", body="<h1>Forbidden</h1>")
        elif len(tries) > 2:  # the second is never answered
            route.continue_()

    page.route("**/api/v1/verdicts", answer)
    page.keyboard.press("Enter")
    page.keyboard.press("x")
    arrived(page, lambda: len(shop.verdicts) == 2)
    assert ["validated", "rejected"] == [verdict for verdict, _ in said(shop)]
    expect(page.locator("#refused .notice")).to_have_count(0)


@pytest.mark.parametrize(
    "denial",
    [
        "() => { Storage.prototype.setItem = () => { throw new DOMException('', 'QuotaExceededError'); }; }",
        "() => Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no'); } })",
    ],
    ids=["full", "blocked"],
)
def test_a_browser_that_keeps_nothing_loses_no_verdict(visit: Opener, shop: Shop, denial: str) -> None:
    """It waits in the page, which says so, until it is out; what is refused is told all the same."""
    page = begin(visit)
    page.evaluate(denial)
    shop.away.add("verdicts")
    page.keyboard.press("Enter")
    expect(page.locator("#sync")).to_contain_text("this browser does not keep it")
    shop.refuses.add(shown(page))
    page.keyboard.press("Enter")
    shop.away.clear()
    arrived(page, lambda: len(shop.verdicts) == 1)
    expect(page.locator("#sync")).to_be_hidden()
    expect(page.locator("#refused .notice")).to_contain_text("No such category.")


def test_a_fault_of_the_gateway_does_not_hold_up_what_comes_after(visit: Opener, shop: Shop) -> None:
    """It is tried some times, then told; the next verdicts go out."""
    page = begin(visit)
    shop.away.add("sense")
    page.keyboard.press("Enter")
    told = page.locator("#refused .notice")
    for _ in range(200):
        if told.count():
            break
        page.evaluate("window.dispatchEvent(new Event('online'))")
        page.wait_for_timeout(25)
    expect(told).to_contain_text("Not saved")
    shop.away.clear()
    page.keyboard.press("x")
    arrived(page, lambda: said(shop) == [("rejected", None)])


def test_nothing_goes_out_in_another_accounts_name(visit: Opener, shop: Shop, address: str) -> None:
    """Who signs in as another in a second tab stops the first; its verdicts wait for their own account."""
    page = begin(visit)
    page.context.add_cookies([{"name": "aisle_session", "url": address, "value": "admin"}])
    shop.away.add("token")
    with page.expect_response("**/api/v1/auth/refresh"):
        page.keyboard.press("Enter")
    shop.away.clear()
    expect(page.locator("#signed-out")).to_contain_text("admin is signed in in this browser")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.locator("#sync")).to_contain_text("One verdict waits")
    other = page.context.new_page()
    other.goto(f"{address}/review")
    expect(other.locator("#options button")).to_have_count(5)
    assert [] == shop.verdicts
    other.close()
    page.context.add_cookies([{"name": "aisle_session", "url": address, "value": "reviewer"}])
    page.evaluate("window.dispatchEvent(new Event('online'))")
    arrived(page, lambda: len(shop.verdicts) == 1)
    expect(page.locator("#signed-out")).to_be_hidden()


def test_the_day_begins_at_the_reviewers_midnight(visit: Opener) -> None:
    """Not at that of UTC."""
    page = visit("/sign-in", role=None, timezone_id="Pacific/Kiritimati")  # 14 hours ahead
    page.context.add_cookies([{"name": "aisle_session", "value": "reviewer", "url": page.url}])
    with page.expect_request("**/api/v1/review/progress*") as asked:
        page.goto(page.url.replace("/sign-in", "/review"))
    began = datetime.fromisoformat(page.evaluate("url => new URL(url).searchParams.get('from')", asked.value.url))
    local = datetime.now(ZoneInfo("Pacific/Kiritimati"))
    assert local.replace(hour=0, minute=0, second=0, microsecond=0) == began.astimezone(UTC)


def test_nothing_is_lost_when_the_gateway_cannot_be_reached(visit: Opener, shop: Shop) -> None:
    """Verdicts wait in the browser, which says so, over a reload too; each then arrives once."""
    page = begin(visit)
    shop.away.add("verdicts")
    for _ in range(3):
        page.keyboard.press("Enter")
    expect(page.locator("#sync")).to_contain_text("3 verdicts wait")
    waiting = page.evaluate(
        "Object.keys(localStorage).filter((key) => key.startsWith('aisle.outbox.reviewer/')).length"
    )
    assert (3, []) == (waiting, shop.verdicts)
    page.reload()
    expect(page.locator("#desk")).to_be_visible()
    shop.away.clear()
    expect(page.locator("#sync")).to_be_hidden(timeout=20_000)
    arrived(page, lambda: len(shop.verdicts) == 3)
    assert 3 == len({one["event_id"] for one in shop.verdicts})


def test_a_lost_answer_gives_no_verdict_twice(visit: Opener, shop: Shop) -> None:
    """What arrived without an answer is sent again with the same key."""
    page = begin(visit)
    lost: list[str] = []

    def lose(route):  # type: ignore[no-untyped-def] # playwright's
        response = route.fetch()
        lost.append(response.text())
        route.abort() if len(lost) == 1 else route.fulfill(response=response)

    page.route("**/api/v1/verdicts", lose)
    page.keyboard.press("Enter")
    arrived(page, lambda: len(lost) == 2)
    assert 1 == len(shop.verdicts) == len(shop.seen_keys)


def test_digits_go_by_their_place_too(visit: Opener, shop: Shop) -> None:
    """French keyboards give them with Shift only."""
    page = begin(visit)
    page.evaluate(
        "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'é', code: 'Digit2', bubbles: true}))"
    )
    arrived(page, lambda: len(shop.verdicts) == 1)
    assert ["corrected"] == [verdict for verdict, _ in said(shop)]


def test_an_empty_queue_says_so(visit: Opener, shop: Shop) -> None:
    """And what that means; an away store is said too, and the page recovers by itself."""
    for item in shop.items:
        item["verdict"] = {"verdict": "validated"}
    page = visit("/review")
    expect(page.locator("#waits")).to_contain_text("Nothing waits for you")
    shop.away.add("review")
    page.reload()
    expect(page.locator("#waits")).to_contain_text("database cannot be reached")
    shop.items[0]["verdict"] = None
    shop.away.clear()
    expect(page.locator("#desk")).to_be_visible(timeout=10_000)


def test_single_keys_can_be_turned_off(visit: Opener, shop: Shop) -> None:
    """For those whose tools type them unasked; the list of keys says where."""
    page = begin(visit)
    page.keyboard.press("?")
    expect(page.locator("dialog")).to_contain_text("Keyboard shortcuts")
    page.locator("dialog input[type=checkbox]").uncheck()
    page.keyboard.press("Escape")
    title = page.locator("#item-title").inner_text()
    page.keyboard.press("x")
    page.keyboard.press("Enter")
    expect(page.locator("#item-title")).to_have_text(title)
    assert [] == shop.verdicts
