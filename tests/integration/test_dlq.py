"""`aisle dlq` on a real broker and store: dead letters are seen, sent again, answered, dropped."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, Mock

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.structs import ConsumerRecord
from click.testing import Result

from infra.dead_letters import STATES, UNSETTLED, Action, Choice, DeadLetters
from infra.images import ImageStore
from infra.kafka.security import client_security
from infra.store import DLQ_ACTIONS, ITEMS, Store
from schemas.dead_letter import DeadLetter
from schemas.topics import PREDICTIONS_OUT, PRODUCTS_DLQ, PRODUCTS_IN
from scripts.dlq import command
from streams.archive import ArchiveStage
from streams.dead_letters import dead_letter
from streams.errors import EventPoisonous, RecordInvalid
from tests.integration.road import EVENT_ID, Raw, Road, good, send, wait
from tests.records import record

pytestmark = [pytest.mark.integration, pytest.mark.timeout(500)]

T0 = datetime(2026, 11, 21, 12, tzinfo=UTC)


def failed(number: int, **fields: Any) -> "ConsumerRecord[bytes, bytes]":
    """A dead letter on its topic, ``number`` minutes after T0; every third is poison."""
    error = RecordInvalid("no") if number % 3 else EventPoisonous("boom")
    event_id = f"0000000{number}-0000-4000-8000-000000000000"
    letter = dead_letter(record(b"x", **fields), event_id, "decode" if number % 3 else "infer", error)
    headers: Any = letter.headers
    at = int((T0 + timedelta(minutes=number)).timestamp() * 1000)
    return record(letter.value, topic=PRODUCTS_DLQ, headers=headers, timestamp_ms=at)


async def numbers(letters: DeadLetters, choice: Choice, states: Any = UNSETTLED, **options: Any) -> str:
    """The numbers of the letters that are found."""
    return "".join([letter.event_id[7] async for letter in letters.find(choice, states, **options)])


async def test_letters_are_found_and_actions_outlive_a_replay(store: Store, tmp_path: Path) -> None:
    """By stage, reason and time; what was dropped stays so when the same records are archived once more."""
    stage = ArchiveStage(store, ImageStore(tmp_path), AsyncMock(), 5, Mock())
    topic = [failed(number) for number in range(7)]

    async def archive() -> None:
        await stage.deliver(await stage.work(stage.decode(topic)))

    await archive()
    letters = DeadLetters(store)
    assert "6543210" == await numbers(letters, Choice())
    assert "630" == await numbers(letters, Choice(stage="infer"))
    assert "5421" == await numbers(letters, Choice(reason="record-invalid"))
    assert "234" == await numbers(
        letters, Choice(since=T0 + timedelta(minutes=2), until=T0 + timedelta(minutes=5)), newest_first=False
    )
    assert "65" == await numbers(letters, Choice(), limit=2)
    assert ["00000001-0000-4000-8000-000000000000"] == await letters.beginning_with("00000001-", 2)
    assert 7 == len(await letters.beginning_with("000", 9))

    await letters.note([Action(f"0000000{n}-0000-4000-8000-000000000000", "dropped", "ada", T0, 1) for n in (2, 4)])
    await letters.note([Action("00000005-0000-4000-8000-000000000000", "retried", "ada", T0, 1, "because")])
    before = [document async for document in store.collection(DLQ_ACTIONS).find()]
    items = [document async for document in store.collection(ITEMS).find()]
    await archive()
    assert before == [document async for document in store.collection(DLQ_ACTIONS).find()]
    assert items == [document async for document in store.collection(ITEMS).find()]
    assert "65310" == await numbers(letters, Choice())
    assert "6310" == await numbers(letters, Choice(), ("open",))
    assert "6543210" == await numbers(letters, Choice(), STATES)

    await store.collection(ITEMS).update_one(
        {"_id": {"$gte": "00000006"}}, {"$set": {"prediction": {"classified_at": T0}}}
    )
    assert "5310" == await numbers(letters, Choice())
    assert "6" == await numbers(letters, Choice(), ("predicted",))
    topic[:] = [failed(number, headers=[("aisle-attempts", b"1")]) for number in (4, 5)]
    await archive()
    assert "54310" == await numbers(letters, Choice(), ("open",))
    again = [letter async for letter in letters.read([f"0000000{n}-0000-4000-8000-000000000000" for n in (5, 9, 4)])]
    assert [("5", 2, "because"), ("4", 2, None)] == [
        (letter.event_id[7], letter.reason.attempts, letter.actions[0].why) for letter in again
    ]


@pytest.fixture
def aisle(on_the_road: Callable[..., Result]) -> Callable[..., Result]:
    """Runs `aisle dlq`."""
    return partial(on_the_road, command)


def letter_of(sent: Raw, place: tuple[int, int], **fields: Any) -> Raw:
    """A record for products.dlq that says that another one failed."""
    reason = DeadLetter.model_validate(
        {
            "topic": PRODUCTS_IN,
            "partition": place[0],
            "offset": place[1],
            "timestamp_ms": int(datetime.now(UTC).timestamp() * 1000),
            "stage": "infer",
            "error_class": "event-poisonous",
            "message": "boom",
        }
        | fields
    )
    return Raw(sent.value, sent.key, [*sent.headers, *reason.to_headers()])


async def place_of(bootstrap: str, sent: Raw) -> tuple[int, int]:
    """Send a record to products.in; its partition and offset there."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, **client_security().arguments()) as producer:
        done = await producer.send_and_wait(PRODUCTS_IN, sent.value, key=sent.key, headers=sent.all_headers)
    return done.partition, done.offset


def test_what_failed_is_seen_sent_again_and_dropped(road: Road, aisle: Callable[..., Result]) -> None:
    """Bad stays bad and counts; what a better model could answer is answered; what is not aisle's is refused."""
    bad = Raw(b"this is \xff no product", key=b"k", headers=[("mine", b"\x01")])
    whole = good(1, product_id="from-the-source")
    place = asyncio.run(place_of(road.kafka, whole))
    digest = sha256(whole.value or b"").hexdigest()
    kept = letter_of(good(2), (0, 0))
    left_out = letter_of(Raw(None, b"k"), place, value_sha256=digest)
    gone = letter_of(Raw(None, b"k"), (place[0], place[1] + 10**9), value_sha256=digest)
    nowhere = letter_of(Raw(None, b"k"), (10**6, 0), value_sha256=digest)
    other = letter_of(Raw(None, b"k"), place, value_sha256="0" * 64)
    stranger = letter_of(good(3), (0, 0), topic=PREDICTIONS_OUT)
    tired = letter_of(good(4), (0, 0), attempts=5)
    null = letter_of(Raw(None, b"k"), (10**6, 0))
    forged = [kept, left_out, gone, nowhere, other, stranger, tired, null]

    async def publish() -> None:
        await send(road.kafka, PRODUCTS_IN, [bad])
        await send(road.kafka, PRODUCTS_DLQ, forged)

    asyncio.run(publish())
    ids = [one.event_id for one in (bad, *forged)]

    def listed(*options: str) -> dict[str, dict[str, Any]]:
        found = orjson.loads(aisle("list", "--json", "--limit", "100000", *options).stdout)
        return {one["event_id"]: one for one in found if one["event_id"] in ids}

    wait(lambda: len(listed()) == len(ids), 30)
    assert {"open"} == {one["state"] for one in listed("--since", "10m").values()}
    assert {bad.event_id} == set(listed("--stage", "decode"))
    shown = orjson.loads(aisle("show", bad.event_id[:18], "--json").stdout)
    assert {"name": "mine", "value": "\x01"} in shown["headers"]
    assert ("k", {"base64": "dGhpcyBpcyD/IG5vIHByb2R1Y3Q="}) == (shown["key"], shown["value"])

    done = aisle("retry", "--why", "try", "--json", *ids)
    told = orjson.loads(done.stdout)
    assert (1, 4) == (done.exit_code, told["retried"])
    refused = [one.event_id for one in (gone, nowhere, other, stranger, tired)]
    assert set(refused) == {one["event_id"] for one in told["refused"]}

    def states() -> dict[str, tuple[str, int]]:
        return {event_id: (one["state"], one["attempts"]) for event_id, one in listed("--all").items()}

    answered = {bad.event_id: ("open", 2), null.event_id: ("open", 2)}
    answered |= {kept.event_id: ("predicted", 1), left_out.event_id: ("predicted", 1)}
    wait(lambda: answered.items() <= states().items(), 30)
    item = road.items(ids)
    assert "from-the-source" == item[left_out.event_id]["product_id"]
    assert "record-empty" == item[null.event_id]["dead_letter"]["error_class"]
    letter = item[bad.event_id]["dead_letter"]
    assert (bad.value, bad.key) == (letter["value"], letter["key"])
    assert ["mine", EVENT_ID] == [header["name"] for header in letter["headers"]]

    assert 0 == aisle("drop", "--why", "spam", bad.event_id).exit_code
    assert bad.event_id not in listed()
    (first, second) = listed("--all")[bad.event_id]["actions"]
    assert ("retried", 1, "try") == (first["action"], first["attempts"], first["why"])
    assert ("dropped", 2, "spam") == (second["action"], second["attempts"], second["why"])
    aisle("drop", null.event_id, *refused)
    assert {} == listed()
