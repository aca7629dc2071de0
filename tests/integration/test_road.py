"""The road of an event, on a real broker and store, with the workers as they run in earnest."""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from pymongo import MongoClient

from infra.kafka.security import client_security
from model.data.dataset import iter_products
from schemas.dead_letter import DeadLetter
from schemas.limits import MIB
from streams.replay.file import FileEvents
from tests.integration.road import Raw, Road, answers, eventually, good, send

pytestmark = [pytest.mark.integration, pytest.mark.timeout(500)]

PRODUCTS = Path("model/data/openfoodfacts_fr/openfoodfacts_fr.csv")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The real products, in another file than the demo's, so as other events."""
    path = tmp_path / "products.csv"
    path.write_bytes(PRODUCTS.read_bytes() + b"\n")
    return path


async def test_real_products_are_classified_once_and_a_replay_changes_nothing(road: Road, file: Path) -> None:
    """Every product of the file is in predictions.out and one item; the same file again leaves all as it is."""
    events = FileEvents.of(file)
    rows = {events.event_id(row): row for row in iter_products(file)}
    assert len(rows) == 6_774

    first = road.aisle("replay", str(file), "--json")
    assert orjson.loads(first.stdout)["events"] == 6_774, first.stderr

    async def all_answered_and_archived(times: int) -> bool:
        counted = await answers(road.kafka, "predictions.out", rows)
        items = road.items(rows)
        whole = [item for item in items.values() if "product" in item and "prediction" in item]
        return sum(counted.values()) == times * 6_774 and len(counted) == len(whole) == 6_774

    await eventually(lambda: all_answered_and_archived(1), 120)
    before = road.items(rows)
    assert {row.id for row in rows.values()} == {item["product_id"] for item in before.values()}

    road.aisle("replay", str(file))
    await eventually(lambda: all_answered_and_archived(2), 120)
    await _settled(road)
    assert before == road.items(rows)


async def _settled(road: Road) -> None:
    """Wait until the archive has read all there is: a marker sent now comes out behind everything before it."""
    markers = [good(number, title="marker") for number in range(64)]  # enough to reach every partition
    await send(road.kafka, "products.in", markers)

    async def archived() -> bool:
        items = road.items(one.event_id for one in markers)
        return sum("prediction" in item for item in items.values()) == len(markers)

    await eventually(archived, 60)


BAD = {
    "not JSON": (Raw(b"this is not JSON"), "record-invalid", "Invalid JSON"),
    "empty": (Raw(b""), "record-empty", "empty value"),
    "null": (Raw(None, key=b"k"), "record-empty", "no value"),
    "wrong types": (Raw(b'{"product_id": {"a": 1}, "title": 5}'), "record-invalid", "product_id"),
    "no content": (Raw(b'{"product_id": "1"}'), "record-invalid", "at least one of title, description and image"),
    "exactly the limit": (Raw(b"x" * MIB), "record-invalid", "Invalid JSON"),
    "codes as title": (Raw(b'{"product_id": "1", "title": [10, 40]}'), "record-invalid", "title"),
    "invalid UTF-8": (Raw(b'{"product_id": "1", "title": "\xff\xfe"}'), "record-invalid", "Invalid JSON"),
    "lone surrogate": (Raw(b'{"product_id": "1", "title": "\\ud800"}'), "record-invalid", "Invalid JSON"),
    "nested bomb": (Raw(b"[" * 200_000 + b"]" * 200_000), "record-invalid", "recursion limit"),
    "header flood": (Raw(b"bad", headers=[("", b"")] * 100_000), "record-invalid", "Invalid JSON"),
    "title too long": (Raw(orjson.dumps({"product_id": "1", "title": "x" * 1_001})), "record-invalid", "title"),
    "huge number": (Raw(b'{"product_id": "1", "title": "x", "image": 1e999}'), "record-invalid", "image"),
}
ACCEPTED = {
    "unknown fields": good(1, unknown={"deep": [1, 2]}),
    "headers of any bytes": Raw(good(2).value, headers=[("\x00\u00ff", b"\xff\x00"), ("", b""), ("ce_id", b"\xfe")]),
    "huge traceparent": Raw(good(3).value, headers=[("traceparent", b"a" * 500_000)]),
    "challenge names": Raw(b'{"productid": 7, "designation": "Soupe de poisson", "imageid": 9}'),
    "a photo alone": Raw(b'{"product_id": "8", "image": {"uri": "photo.jpg"}}'),
    "HTML": good(9, title="<b>Soupe</b> &amp; l\u00e9gumes", description="<script>x</script>"),
    "control characters": good(10, title="Soupe\x00\x1b[31m de poisson"),
}


async def test_bad_input_hurts_only_itself(road: Road) -> None:
    """Each bad record is a dead letter with its reason, its bytes unchanged; all neighbours are classified."""
    neighbours = [good(number) for number in range(1_000)]
    odd = [one for one, _, _ in BAD.values()] + list(ACCEPTED.values())
    mixed = neighbours[:500] + odd + neighbours[500:]
    await send(road.kafka, "products.in", mixed)
    for codec in ("gzip", "snappy", "lz4", "zstd"):
        packed = [good(number) for number in range(100)]
        await send(road.kafka, "products.in", packed, compression=codec)
        neighbours += packed

    accepted = [one.event_id for one in neighbours] + [one.event_id for one in ACCEPTED.values()]
    rejected = [one.event_id for one, _, _ in BAD.values()]

    async def all_answered() -> bool:
        classified = await answers(road.kafka, "predictions.out", accepted + rejected)
        dead = await answers(road.kafka, "products.dlq", accepted + rejected)
        return set(classified) == set(accepted) and set(dead) == set(rejected)

    await eventually(all_answered, 60)

    async def all_archived() -> bool:
        return len(road.items(accepted + rejected)) == len(accepted) + len(rejected)

    await eventually(all_archived, 60)
    items = road.items(rejected)
    for what, (sent, code, says) in BAD.items():
        letter = items[sent.event_id]["dead_letter"]
        assert letter["error_class"] == code, what
        assert says in letter["message"], what
        assert letter["stage"] == "decode", what
        assert letter["value"] == sent.value, what
        assert letter["key"] == sent.key, what
    assert re.search(r"^(classify-[12]|archive) +restarting", road.log.read_text(), re.MULTILINE) is None


async def test_dead_letters_carry_their_reason_in_headers(road: Road) -> None:
    """Whoever reads products.dlq without aisle finds origin and reason in the headers, and the bytes as sent."""
    from aiokafka import AIOKafkaConsumer

    sent = Raw(b"nonsense", key=b"\xff", headers=[("mine", b"\x01")])
    consumer = AIOKafkaConsumer(
        "products.dlq", bootstrap_servers=road.kafka, auto_offset_reset="latest", **client_security().arguments()
    )
    await consumer.start()
    try:
        for partition in consumer.assignment():
            await consumer.position(partition)
        await send(road.kafka, "products.in", [sent])
        record = await consumer.getone()
    finally:
        await consumer.stop()

    reason = DeadLetter.from_headers(record.headers)
    assert (b"nonsense", b"\xff") == (record.value, record.key)
    assert ("mine", b"\x01") in record.headers
    assert (reason.topic, reason.stage, reason.error_class) == ("products.in", "decode", "record-invalid")
    assert reason.offset >= 0


async def test_verdicts_reach_their_items(road: Road) -> None:
    """A verdict may come before its product, name only the product, or be no verdict at all."""
    early, named, parked = good(1), good(2, product_id="only-this-one"), good(3, product_id="comes-later")
    await send(road.kafka, "products.in", [named])

    async def archived() -> bool:
        return "product" in road.items([named.event_id]).get(named.event_id, {})

    await eventually(archived, 30)
    bad = Raw(b'{"verdict": "corrected", "by": "ada"}')
    await send(
        road.kafka,
        "feedback",
        [
            Raw(orjson.dumps({"event_id": early.event_id, "verdict": "corrected", "code": "soupes", "by": "ada"})),
            Raw(orjson.dumps({"product_id": "only-this-one", "verdict": "validated", "by": "ada"})),
            Raw(orjson.dumps({"product_id": "comes-later", "verdict": "rejected", "by": "bob"})),
            bad,
        ],
    )
    await send(road.kafka, "products.in", [early])

    async def judged() -> bool:
        items = road.items([early.event_id, named.event_id])
        return all("verdict" in item and "prediction" in item for item in items.values())

    await eventually(judged, 30)
    items = road.items([early.event_id, named.event_id])
    assert (items[early.event_id]["verdict"]["verdict"], items[early.event_id]["verdict"]["code"]) == (
        "corrected",
        "soupes",
    )
    assert items[named.event_id]["verdict"]["verdict"] == "validated"

    async def refused() -> bool:
        return bool(await answers(road.kafka, "feedback.dlq", [bad.event_id]))

    await eventually(refused, 30)
    assert parked.event_id not in road.items([parked.event_id])


def test_what_another_model_would_say_is_kept_apart(road: Road, tmp_path: Path) -> None:
    """Asked of the model in service itself, nothing would change; no item does, and nothing is published."""
    before = road.items(_ids(road))
    done = road.aisle("replay", "--items", "--limit", "300", "--model", "champion", "--json")
    report = orjson.loads(done.stdout)
    assert 300 == report["events"], done.stderr
    told = road.aisle("replay", "compare", report["replay"], "--out", str(tmp_path), "--json")
    figures = orjson.loads(told.stdout)
    assert 300 == figures["products"] + figures["unanswered"] + figures["by_people"], told.stderr
    assert (1.0, []) == (figures["agreement"], figures["flows"])
    assert {"what-if.csv", "what-if.html", "what-if.json"} == {path.name for path in tmp_path.iterdir()}
    assert before == road.items(before)


def _ids(road: Road) -> list[str]:
    with MongoClient[dict[str, Any]](road.mongodb) as client:
        return [
            one["_id"] for one in client[road.settings.mongodb_database]["items"].find({}, {"_id": True}).limit(500)
        ]
