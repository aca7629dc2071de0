"""What is in hand while a product is forgotten, on a real store: none of it stays, and nothing else goes with it."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from infra.forgotten import Forgotten
from infra.settings import Settings
from infra.store import FEEDBACK, Store
from schemas.topics import PRODUCTS_DLQ
from streams.archive import ArchiveStage
from streams.dead_letters import dead_letter
from streams.errors import RecordInvalid
from streams.replay.event import Event
from streams.replay.forgotten import without_forgotten
from tests.integration.test_archive import archive, items
from tests.integration.test_forgotten import (
    LAMP,
    PHOTO,
    archived,
    event,
    fill,
    forget,
    ms,
    product,
    settings,
    verdict,
)
from tests.records import record

pytestmark = pytest.mark.integration

__all__ = ["archived", "settings"]


async def test_a_verdict_is_not_taken_away_by_another_of_its_id(
    settings: Settings, store: Store, archived: ArchiveStage
) -> None:
    """Whoever names a forgotten product in a verdict with an id that is there erases nothing by that."""
    await fill(store, archived)
    await forget(settings, store)
    await archive(archived, [verdict(4, None, feedback_id=f"f-4-{event(3)}", product_id=LAMP)])
    assert [f"f-4-{event(3)}"] == [one["_id"] async for one in store.collection(FEEDBACK).find()]


async def test_the_photo_of_what_is_new_stays(
    settings: Settings, store: Store, archived: ArchiveStage, tmp_path: Path
) -> None:
    """Also where the product comes again with the same photo in the batch that has its forgotten event."""
    await forget(settings, store)
    photo: dict[str, Any] = {"image": {"base64": PHOTO}}
    await archive(archived, [product(1, **photo), product(10, at_ms=ms(120), **photo)])
    assert {event(10)} == set(await items(store))
    photos = [path for path in (tmp_path / "images").rglob("*") if path.is_file()]
    assert [b"hello"] == [path.read_bytes() for path in photos]


async def test_a_time_beyond_all_calendars_ends_nothing(
    settings: Settings, store: Store, archived: ArchiveStage
) -> None:
    """Microseconds for milliseconds: a dead letter of such a record is archived, and passed by a replay."""
    await forget(settings, store)
    letter = dead_letter(record(b"{", timestamp_ms=1_760_000_000_000_000), event(5), "decode", RecordInvalid("no"))
    headers = [one for one in letter.headers if one[1] is not None]
    await archive(archived, [record(b"{", topic=PRODUCTS_DLQ, headers=headers, timestamp_ms=ms(-59))])  # type: ignore[arg-type]
    assert {event(5)} == set(await items(store))

    async def chosen() -> Any:
        yield Event(event(6), LAMP.encode(), None, (), "x", "0", 6, 1_760_000_000_000_000)

    assert 1 == len([one async for one in without_forgotten(chosen(), Forgotten(store), Counter())])
