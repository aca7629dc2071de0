"""Cursors that no page gave: whoever makes them up learns so, and nothing fails."""

from base64 import urlsafe_b64encode
from itertools import product
from pathlib import Path
from urllib.parse import quote

import pytest

from infra.store import Store
from schemas.http.account import Role
from tests.accounts import Gateway
from workers.gateway.paging import cursor_of

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

PATHS = (
    "/items",
    "/items?order=unsure",
    "/jobs",
    "/users",
    "/models",
    "/runs",
    "/dead-letters",
    "/drift/checks?kind=drift",
    "/audit",
)
NUMBERS = ("0", "-1", "9" * 20, "9" * 700, "1e9", "253402300799999", "-62135596800000", "-62135596800001", "nan", "inf")
TIMES = ("9999-12-31T23:59:59.999999+00:00", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-02-30")
TEXTS = (*NUMBERS, *TIMES, "", "$ne", "a\0b", "\u202e", "é", "..", "prediction.confidence", "٣")
FIELDS = ("product.published_at", "prediction.confidence")
RAW = ("", "1", "\xff", "[1e400]", "[-1e400]", "[NaN]", '["\\ud800"]', "[{}]", "[[]]", "[true]", "{}", "[" * 700)


def _cursors() -> list[str]:
    alone = [cursor_of(text) for text in TEXTS] + [cursor_of(number) for number in (0.0, -1.0, 1e308, -1e308)]
    pairs = [cursor_of(one, "0") for one in NUMBERS] + [cursor_of("0", one) for one in NUMBERS]
    items = [cursor_of(field, text, "\0"[:number]) for field, text, number in product(FIELDS, TEXTS, (0, 1))]
    raw = [urlsafe_b64encode(text.encode("latin-1")).decode() for text in RAW]
    return [*alone, *pairs, *items, *raw, "é", "=", "a", "%", "-_-_"]


@pytest.mark.parametrize("path", PATHS)
async def test_a_cursor_that_no_page_gave_is_refused_or_leads_nowhere(store: Store, tmp_path: Path, path: str) -> None:
    """Times and numbers beyond all bounds, other lists' places, what is no text: never a failure of the gateway."""
    gateway = Gateway(store, tmp_path)
    await gateway.add("ada", Role.ADMIN)
    ada = await gateway.sign_in("ada")
    assert 200 == (await ada.ask("GET", path)).status_code
    beside = f"{path}{'&' if '?' in path else '?'}cursor="
    statuses = {cursor: (await ada.ask("GET", beside + quote(cursor))).status_code for cursor in _cursors()}
    assert {} == {cursor: status for cursor, status in statuses.items() if status not in (200, 422)}
    assert 422 in statuses.values()
