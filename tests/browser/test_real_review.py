"""Reviewing over a whole aisle: thirty products by keyboard alone, and what becomes of each verdict."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.keys import CLOCK, Desk
from tests.browser.people import LOOKS, Look, person
from tests.browser.whole import PASSWORD, Whole
from tests.integration.road import wait

pytestmark = [pytest.mark.browser, pytest.mark.timeout(500)]

ROUND = 30
POOL = {"en": "pool", "fr": "piscine"}


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_thirty_items_by_keyboard_alone(chromium: Browser, aisle: Whole, look: Look) -> None:
    """Accepted, corrected by digit and by search, rejected, similar ones together, undone: the store has it as said."""
    name = f"{look.language}-reviewer"
    aisle.forget_claims()
    aisle.add_reviewer(name)
    with person(chromium, aisle, look) as reviewer:
        reviewer.context.add_init_script(CLOCK)
        desk = Desk(reviewer.sign_in(name, PASSWORD))
        together = _bulk(desk, look)
        _verdicts(aisle, together, {"validated"})
        desk.press("u")
        expect(desk.page.locator("#done li").first).to_have_class("undone")
        _verdicts(aisle, together, {"withdrawn"})
        said = _round(desk, look)
        back = desk.press("Enter")
        desk.press("u")
        assert back == desk.event
        took = sorted(desk.took_ms())
        print(f"key to next item, {look}: p50 {took[len(took) // 2]:.0f} ms, longest {took[-1]:.0f} ms")
        _verdicts(aisle, [back], {"withdrawn"})
        _verdicts(aisle, said, {"validated", "corrected", "rejected"})
        for event, item in aisle.road.items(said).items():
            verdict, code = said[event]
            told = item["verdict"]
            decided = told.get("code", item["prediction"]["category"]["code"])
            assert (name, verdict or told["verdict"], code or decided) == (told["by"], told["verdict"], decided)


def _round(desk: Desk, look: Look) -> dict[str, tuple[str, str | None]]:
    """Thirty keys; what was said of which event, as far as it is known."""
    said: dict[str, tuple[str, str | None]] = {}
    for number in range(ROUND):
        while "xyzzy" in desk.title:  # the other look's
            desk.press("s")
        match number % 6:
            case 0 | 3:
                said[desk.press("Enter")] = ("validated", None)
            case 1:
                said[desk.press("2")] = ("corrected", None)
            case 2:
                said[desk.correct(POOL[look.language])] = ("", "2583")  # validated, where that was predicted
            case 4:
                said[desk.press("x")] = ("rejected", None)
            case _:
                desk.press("s")
    return said


def _bulk(desk: Desk, look: Look) -> list[str]:
    """Accept this look's twins together; their events."""
    while not desk.title.startswith(f"{look.language}xyzzy"):
        desk.press("s")
    desk.page.keyboard.press("b")
    boxes = desk.page.locator("dialog input[type=checkbox]")
    expect(boxes).to_have_count(4)
    events = [desk.event, *(box.input_value() for box in boxes.all())]
    assert events[0] == desk.press("Enter")
    return events


def _verdicts(aisle: Whole, events: "list[str] | dict[str, tuple[str, str | None]]", expected: set[str]) -> None:
    """The archive has one of these verdicts on each, sooner or later."""

    def there() -> bool:
        items = aisle.road.items(events).values()
        return all(item.get("verdict", {}).get("verdict") in expected for item in items)

    wait(there, 20)
