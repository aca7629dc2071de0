"""What was forgotten: by whom it is known, and that a retry refuses it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from unittest.mock import AsyncMock, Mock

import pytest

from infra.dead_letters import Letter
from infra.forgotten import Forgotten
from infra.forgotten_items import Named, named_in
from infra.retry import Retry
from infra.send_again import _is_forgotten
from infra.store import Store
from tests.unit.test_dlq_retry import letter

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = AT + timedelta(milliseconds=1)


@pytest.fixture
def forgotten() -> Forgotten:
    """The product p, asked for at noon, and its event e."""
    known = Forgotten(Mock(spec=Store))
    known._key = b"k" * 32
    known._known = {known._hash("product", "p"): AT, known._hash("event", "e"): AT}
    return known


def test_an_event_is_of_before_by_its_id_or_by_the_time_of_its_product(forgotten: Forgotten) -> None:
    """What is later is new; what has no time is not; another product, or an event called like it, is none of it."""
    assert (True, True, False) == tuple(forgotten.knows_product("p", at) for at in (AT, None, LATER))
    assert (False, False) == (forgotten.knows_product("e", None), forgotten.knows_product(None, None))
    assert (True, False, False) == tuple(forgotten.knows_event(one) for one in ("e", "p", None))
    assert not Forgotten(Mock(spec=Store)).knows_product("p", None)
    assert not [one for one in forgotten._known if "p" == one]


def test_hashes_are_of_their_own_key(forgotten: Forgotten) -> None:
    """Two stores have nothing in common by which a list could be compared."""
    other = Forgotten(Mock(spec=Store))
    other._key = b"l" * 32
    assert other._hash("product", "p") != forgotten._hash("product", "p")


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        (b"p", b'{"product_id": "q", "event_id": "e"}', Named({"p", "q"}, {"e"})),
        (None, b'{"productid": 17}', Named({"17"}, set())),
        (b"\xff", b"\x00 not json", Named(set(), set())),
        (b"", b"[1]", Named(set(), set())),
        (None, None, Named(set(), set())),
    ],
)
def test_a_record_names_its_product_however_broken_it_is(key: bytes | None, value: bytes | None, named: Named) -> None:
    """By its key and by what can be read of its value; nothing raises."""
    assert named == named_in(key, value)


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        (letter(value=b'{"product_id": "p"}', timestamp_ms=int(AT.timestamp() * 1_000)), True),
        (letter(key=b"p", timestamp_ms=1), True),
        (letter(key=b"p", timestamp_ms=int(LATER.timestamp() * 1_000) + 1), False),
        (letter(value=b'{"event_id": "e", "verdict": "validated"}', topic="feedback"), True),
        (letter(key=b"p", timestamp_ms=1_760_000_000_000_000), False),  # microseconds for milliseconds
        (letter(), False),
    ],
)
async def test_a_retry_refuses_it(forgotten: Forgotten, given: Letter, refused: bool) -> None:
    """With the reason; what came after the request goes out."""
    delivered = AsyncMock(return_value=AsyncMock()())

    async def letters() -> AsyncIterator[Letter]:
        yield given

    retry = Retry(AsyncMock(), 5, delivered, AsyncMock(), forgotten=lambda one: _is_forgotten(forgotten, one))
    done = await retry.run(letters())

    assert (["It was forgotten by request."] if refused else []) == [one.why for one in done.refused]
    assert (0 if refused else 1) == done.sent
    if refused:
        delivered.return_value.close()
