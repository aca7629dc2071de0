"""The archive's writes, on a real store: any order, any number of times, any content."""

import random
from collections.abc import Iterable
from contextlib import nullcontext
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, Mock
from uuid import UUID

import orjson
import pytest
from aiokafka.structs import ConsumerRecord
from PIL import Image
from pymongo.errors import BulkWriteError, OperationFailure

from infra.errors import StoreRefused, StoreUnavailable
from infra.images import ImageStore
from infra.photos import Photos
from infra.settings import Settings
from infra.store import ITEMS, Store
from model.shelves import TaxonomyInForce
from schemas.headers import EVENT_ID
from schemas.topics import FEEDBACK, PREDICTIONS_OUT, PRODUCTS_DLQ
from streams.archive import ArchiveStage
from streams.dead_letters import dead_letter
from streams.errors import RecordInvalid
from streams.photos import PhotoReader
from tests.integration.conftest import Services
from tests.records import record

pytestmark = pytest.mark.integration

T0 = 1_760_000_000_000
NOON = "2026-01-01T12:00:00Z"
EVENT = str(UUID(int=7_000))


def stage(store: Store, folder: Path, producer: Any = None) -> ArchiveStage:
    """An archive stage without a taxonomy; its producer notes what it is given."""
    taxonomy = TaxonomyInForce(Settings(data_dir=folder))
    producer = producer or AsyncMock(partition_of=AsyncMock(return_value=0))
    return ArchiveStage(store, ImageStore(folder), producer, 0.5, taxonomy)


async def archive(stage: ArchiveStage, records: Iterable["ConsumerRecord[bytes, bytes]"]) -> None:
    """Steps 2 to 4 on one batch."""
    await stage.deliver(await stage.work(stage.decode(list(records))))


async def items(store: Store) -> dict[str, dict[str, Any]]:
    """All items."""
    return {item["_id"]: item async for item in store.collection(ITEMS).find()}


def prediction(event_id: str, at: str, **fields: Any) -> bytes:
    """A prediction as JSON."""
    category = {"code": "a", "label": "A"}
    return orjson.dumps(
        {
            "event_id": event_id,
            "product_id": "p1",
            "category": category,
            "confidence": 0.9,
            "top": [{**category, "probability": 0.9}],
            "needs_review": False,
            "decided_by": "text",
            "modalities": ["title"],
            "model": {"name": "m", "version": "1"},
            "classified_at": at,
        }
        | fields
    )


def history(event_id: str) -> list["ConsumerRecord[bytes, bytes]"]:
    """What the topics may hold of one event: repeats, late repeats, dead letters, verdicts changed twice."""
    headers = [(EVENT_ID, event_id.encode())]

    def product(at: int) -> "ConsumerRecord[bytes, bytes]":
        return record(b'{"product_id": "p1", "title": "t"}', headers=headers, timestamp_ms=T0 + at)

    def predicted(at: str, confidence: float) -> "ConsumerRecord[bytes, bytes]":
        return record(prediction(event_id, at, confidence=confidence), topic=PREDICTIONS_OUT)

    def verdict(number: int, said: str, **fields: Any) -> "ConsumerRecord[bytes, bytes]":
        value = {"feedback_id": f"{event_id}-{number}", "event_id": event_id, "verdict": said, "by": "ada", **fields}
        return record(orjson.dumps(value), topic=FEEDBACK, timestamp_ms=T0 + number)

    letter = dead_letter(record(b"x", headers=headers), event_id, "infer", RecordInvalid("no"))
    dead = record(b"x", topic=PRODUCTS_DLQ, headers=[one for one in letter.headers if one[1] is not None])  # type: ignore[misc]
    return [
        product(5),
        product(9),
        predicted("2026-01-01T00:00:00Z", 0.5),
        predicted("2026-01-01T00:00:01Z", 0.9),
        dead,
        verdict(1, "corrected", code="b"),
        verdict(2, "validated"),
        verdict(3, "rejected", at="2020-01-01T00:00:00+02:00"),
    ]


async def test_any_order_and_any_repetition_end_in_the_same_items(store: Store, tmp_path: Path) -> None:
    """Earliest product and prediction, last dead letter, latest verdict: whatever came when and how often."""
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    dice = random.Random(seed)
    ids = [str(UUID(int=number)) for number in range(20)]
    told = [one for event_id in ids for one in history(event_id)]
    seen = []
    for _ in range(3):
        await store.collection(ITEMS).delete_many({})
        shuffled = told * 2
        dice.shuffle(shuffled)
        while shuffled:
            size = dice.randint(1, 40)
            await archive(stage(store, tmp_path), shuffled[:size])
            del shuffled[:size]
        seen.append(await items(store))

    assert seen[0] == seen[1] == seen[2]
    item = seen[0][ids[7]]
    assert item["product"]["published_at"] == datetime.fromtimestamp((T0 + 5) / 1000, UTC)
    assert item["prediction"]["confidence"] == 0.5
    assert item["dead_letter"]["error_class"] == "record-invalid"
    assert item["verdict"]["verdict"] == "validated"


async def test_a_photo_that_was_kept_stays_kept(store: Store, tmp_path: Path) -> None:
    """Whether the replay for which the photo is gone comes before or after: the store prefers the one with a hash."""
    (tmp_path / "root").mkdir()
    photo = tmp_path / "root" / "red.png"
    Image.new("RGB", (8, 8), "red").save(photo)
    taxonomy, reader = TaxonomyInForce(Settings(data_dir=tmp_path)), PhotoReader(Photos([str(photo.parent)]))
    for number, readers in enumerate([(reader, None), (None, reader)]):
        headers = [(EVENT_ID, str(UUID(int=number)).encode())]
        told = record(b'{"product_id": "p1", "image": {"uri": "red.png"}}', headers=headers, timestamp_ms=T0)
        for some in readers:
            await archive(ArchiveStage(store, ImageStore(tmp_path), AsyncMock(), 0.5, taxonomy, some), [told])

    kept = [item["product"]["image"] for item in (await items(store)).values()]
    assert [sha256(photo.read_bytes()).hexdigest()] * 2 == [image.get("sha256") for image in kept]


HOSTILE_TEXT = ["\x00", "$where", "a.b", "", " ", "\ufffe", "💥" * 100, "x" * 200]
TIMES = ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "1969-07-20T20:17:40Z", "2999-01-01T00:00:00Z"]


async def test_no_content_stops_the_archive(store: Store, tmp_path: Path) -> None:
    """Odd ids, times at both ends of the calendar, operators as text: each is stored or refused, none raises."""
    hostile = []
    for number, text in enumerate(HOSTILE_TEXT):
        hostile += [
            record(prediction(str(UUID(int=number)), NOON, product_id=text, notes=[text]), topic=PREDICTIONS_OUT),
            record(prediction(text, NOON), topic=PREDICTIONS_OUT),
            record(orjson.dumps({"product_id": text, "title": text, "attributes": {text: [text]}}), offset=number),
            record(
                orjson.dumps(
                    {"feedback_id": text, "product_id": text, "verdict": "rejected", "by": text, "note": text}
                ),
                topic=FEEDBACK,
            ),
        ]
    for number, at in enumerate(TIMES):
        feedback = {"event_id": EVENT, "verdict": "rejected", "by": "ada", "at": at, "feedback_id": f"at-{number}"}
        hostile += [
            record(prediction(str(UUID(int=50 + number)), at), topic=PREDICTIONS_OUT),
            record(orjson.dumps(feedback), topic=FEEDBACK),
        ]
    for number, timestamp_ms in enumerate((-1, 0, 2**62, 253_402_300_800_000)):
        hostile.append(record(b'{"product_id": "1", "title": "t"}', offset=100 + number, timestamp_ms=timestamp_ms))
    numbers = {"low": -(2**63), "high": 2**63 - 1, "float": 1e308, "none": None, "true": True}
    hostile.append(record(orjson.dumps({"product_id": "1", "title": "t", "attributes": numbers}), offset=200))

    await archive(stage(store, tmp_path), hostile)

    stored = await items(store)
    assert sum("product" in item for item in stored.values()) >= len(HOSTILE_TEXT) - 2 + 4 + 1


async def test_floods_of_headers_and_bytes_fit_into_a_document(store: Store, tmp_path: Path) -> None:
    """Half a million headers, a value of 20 MB, a key of 5 MB: the dead letter is kept, without what is too large."""
    reason = dead_letter(record(b"x"), EVENT, "decode", RecordInvalid("no")).headers
    own = [one for one in reason if one[1] is not None]
    letters = [
        record(b"x", topic=PRODUCTS_DLQ, headers=[*own, *[("", b"")] * 500_000], offset=1),  # type: ignore[list-item]
        record(b"x" * 20_000_000, topic=PRODUCTS_DLQ, headers=own, offset=2),  # type: ignore[arg-type]
        record(b"x", key=b"k" * 5_000_000, topic=PRODUCTS_DLQ, headers=own, offset=3),  # type: ignore[arg-type]
    ]
    for letter in letters:
        await archive(stage(store, tmp_path), [letter])
        (item,) = (await items(store)).values()
        assert item["dead_letter"]["error_class"] == "record-invalid"
        await store.collection(ITEMS).delete_many({})


@pytest.mark.parametrize(("code", "blamed"), [(17419, True), (16_908_292, False), (112, False), (13, False)])
async def test_only_what_a_document_is_to_blame_for_is_left_out(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, blamed: bool
) -> None:
    """A document too large is left out; a deadlock, a conflict, a missing right fail the batch, which comes again."""

    class Refusing:
        async def bulk_write(self, *_arguments: Any, **_options: Any) -> None:
            raise BulkWriteError({"writeErrors": [{"index": 0, "code": code, "errmsg": "as planned"}]})

    real = store.collection
    monkeypatch.setattr(store, "collection", lambda name: Refusing() if name == ITEMS else real(name))
    writes = stage(store, tmp_path).decode([record(b'{"product_id": "1", "title": "t"}')])
    writes.products.clear()
    writes.events.clear()
    with nullcontext() if blamed else pytest.raises(StoreUnavailable, match="as planned"):
        await stage(store, tmp_path).deliver(writes)


async def test_a_feedback_id_used_twice_has_one_verdict(store: Store, tmp_path: Path) -> None:
    """The first content of a feedback id stands, in feedback and in items; the other changes nothing."""
    ids = [str(UUID(int=number)) for number in (1, 2)]
    for event_id in ids:
        said = {"feedback_id": "f1", "event_id": event_id, "verdict": "validated", "by": "ada"}
        await archive(stage(store, tmp_path), [record(orjson.dumps(said), topic=FEEDBACK)])
    assert set(await items(store)) == {ids[0]}


async def test_a_wrong_password_ends_the_wait(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that answers and does not let us in is no server to wait for."""
    store = Store(services.mongodb_uri, "test")

    async def refuse(*_arguments: Any) -> None:
        raise OperationFailure("Authentication failed.", 18)

    monkeypatch.setattr(store, "_client", Mock(admin=Mock(command=refuse)))
    with pytest.raises(StoreRefused, match=r"Authentication failed.*AISLE_MONGODB_URI"):
        await store.wait()


async def test_a_document_that_cannot_be_stored_hurts_only_itself(store: Store, tmp_path: Path) -> None:
    """A part beyond what BSON can hold is left out with a word; its neighbours in the batch are written."""
    writing = stage(store, tmp_path)
    good = [record(b'{"product_id": "1", "title": "t"}', offset=number) for number in range(10)]
    writes = writing.decode(good)
    bad = writing.decode([record(b'{"product_id": "2", "title": "t"}', offset=99)]).items[0]
    bad.value["title"] = 2**64  # more than BSON's 64 bits
    writes.items.insert(5, bad)

    await writing.deliver(await writing.work(writes))

    assert len(await items(store)) == 10


async def test_a_store_that_is_away_fails_the_batch(tmp_path: Path) -> None:
    """Within its budget the archive tries again, then raises: nothing may be acknowledged."""
    away = Store("mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=100", "test")
    try:
        with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:9"):
            await archive(stage(away, tmp_path), [record(b'{"product_id": "1", "title": "t"}')])
    finally:
        away.close()


async def test_feedback_that_cannot_be_used_is_published_with_its_reason(store: Store, tmp_path: Path) -> None:
    """It goes to feedback.dlq; usable feedback beside it is kept."""
    producer = AsyncMock()
    good = {"event_id": EVENT, "verdict": "validated", "by": "ada"}
    await archive(
        stage(store, tmp_path, producer),
        [record(b"{}", topic=FEEDBACK), record(orjson.dumps(good), topic=FEEDBACK, offset=1)],
    )
    topic, (letter,) = producer.deliver.await_args.args
    assert topic == "feedback.dlq"
    assert letter.value == b"{}"
    assert (await items(store))[EVENT]["verdict"]["verdict"] == "validated"
