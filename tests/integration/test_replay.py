"""`aisle replay` of a topic, on a real broker: what goes out is what was there, once, whatever ends the replay."""

import asyncio
import json
import random
import signal
import subprocess
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from time import time
from unittest.mock import AsyncMock, Mock
from uuid import UUID, uuid4

import pytest
from aiokafka.admin import NewTopic
from aiokafka.structs import ConsumerRecord

from infra.dead_letters import Choice, DeadLetters
from infra.images import ImageStore
from infra.kafka.clients import admin_client, producer_client, reader_client
from infra.process import module
from infra.store import ITEMS, Store
from schemas.content import key_of
from schemas.headers import ATTEMPTS, EVENT_ID, REPLAY, REPLAY_SOURCE, last_text
from schemas.product import Product
from streams.archive import ArchiveStage
from streams.replay.event import Event
from streams.replay.send import Sender
from streams.replay.stored import ItemSource, LetterSource
from streams.replay.topic import RecordChoice, TopicSource, spans_of
from tests.integration.conftest import Services
from tests.integration.road import environment, eventually
from tests.integration.test_dlq import failed

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

PARTITIONS = 3
T0_MS = (round(time()) - 3_600) * 1_000  # older ones the broker would delete while they are read


@pytest.fixture
async def topic(services: Services) -> str:
    """A topic of this test's own: 60 records, a second apart, by turns on its partitions, each fifth odd."""
    name = f"replay-{uuid4().hex[:8]}"
    await make(services, name)
    async with producer_client(services.kafka_bootstrap) as producer:
        for number in range(60):
            await producer.send(
                name,
                None if number % 5 == 0 else b"\x00\xff%d" % number,
                key=b"key-%d" % (number % 7),
                partition=number % PARTITIONS,
                timestamp_ms=T0_MS + 1_000 * number,
                headers=[("a", b"\xfe"), ("a", None), *([(EVENT_ID, str(UUID(int=number)).encode())] * (number % 2))],
            )
    return name


async def make(services: Services, name: str) -> None:
    """Create a topic."""
    async with admin_client(services.kafka_bootstrap) as admin:
        await admin.create_topics([NewTopic(name, PARTITIONS, 1)])


async def taken(services: Services, topic: str, choice: RecordChoice | None = None, **offsets: object) -> list[Event]:
    """What a replay of the topic takes."""
    async with reader_client(services.kafka_bootstrap, from_start=True) as reader:
        wanted = choice or RecordChoice()
        given = {int(name[1:]): span for name, span in offsets.items()}
        spans = await spans_of(reader, topic, range(PARTITIONS), wanted, given)  # type: ignore[arg-type]
        return [event async for event in TopicSource(reader, topic, spans, wanted).events({})]


async def test_records_go_out_as_they_are_in_the_order_of_their_times(services: Services, topic: str) -> None:
    """Bytes, nulls, keys, partitions and headers; with their event ids, this replay's id and their origin."""
    target = f"{topic}-copy"
    await make(services, target)
    events = await taken(services, topic)
    assert list(range(60)) == [round((event.at_ms or 0) - T0_MS) // 1_000 for event in events]

    async def source() -> AsyncIterator[Event]:
        for event in events:
            yield event

    async with producer_client(services.kafka_bootstrap, idempotent=False) as producer:
        assert 60 == (await Sender(producer, target, "r").send(source())).events
    before, after = [await read(services, name) for name in (topic, target)]
    assert [(one.partition, one.key, one.value) for one in by_place(before)] == [
        (one.partition, one.key, one.value) for one in by_place(after)
    ]
    for old, new in zip(by_place(before), by_place(after), strict=True):
        added = [(name, value) for name, value in new.headers if (name, value) not in old.headers]
        own_id = last_text(old.headers, EVENT_ID)
        assert tuple(old.headers) == tuple(new.headers[: len(old.headers)])
        assert {REPLAY, REPLAY_SOURCE} | (set() if own_id else {EVENT_ID}) == {name for name, _ in added}
        assert f"{topic}/{old.partition}/{old.offset}" == last_text(new.headers, REPLAY_SOURCE)


async def read(services: Services, topic: str) -> list[ConsumerRecord]:
    """Every record of a topic, as another client sees it."""
    found: list[ConsumerRecord] = []
    async with reader_client(services.kafka_bootstrap, topic, from_start=True) as reader:
        ends = await reader.end_offsets(list(reader.assignment()))
        while len(found) < sum(ends.values()):
            for records in (await reader.getmany(timeout_ms=500)).values():
                found.extend(records)
    return found


def by_place(records: list[ConsumerRecord]) -> list[ConsumerRecord]:
    """Sorted by partition and offset."""
    return sorted(records, key=lambda one: (one.partition, one.offset))


async def test_a_choice_takes_what_it_names(services: Services, topic: str) -> None:
    """By time, by key, by partition and offsets."""

    def at(second: int) -> datetime:
        return datetime.fromtimestamp(T0_MS / 1000 + second, UTC)

    def numbers(events: list[Event]) -> list[int]:
        return [round((event.at_ms or 0) - T0_MS) // 1_000 for event in events]

    assert list(range(10, 20)) == numbers(await taken(services, topic, RecordChoice(at(10), at(20))))
    assert list(range(3, 60, 7)) == numbers(await taken(services, topic, RecordChoice(keys=frozenset({b"key-3"}))))
    some = await taken(services, topic, p0=(2, 4), p1=(18, None), p2=(None, -1))
    assert [6, 9, 12, 55, 58] == numbers(some)
    assert [] == await taken(services, topic, RecordChoice(since=at(100)))


async def test_a_clock_that_is_ahead_cuts_nothing_off(services: Services) -> None:
    """What comes behind a record of a later time is judged by its own."""
    name = f"replay-{uuid4().hex[:8]}"
    await make(services, name)
    async with producer_client(services.kafka_bootstrap) as producer:
        for number, second in enumerate((0, 1, 100, 2, 3)):
            await producer.send(name, b"%d" % number, partition=0, timestamp_ms=T0_MS + 1_000 * second)
    until = datetime.fromtimestamp(T0_MS / 1000 + 50, UTC)
    assert [b"0", b"1", b"3", b"4"] == [event.value for event in await taken(services, name, RecordChoice(until=until))]


def replay(services: Services, data_dir: Path, *arguments: str) -> "subprocess.Popen[str]":
    """The command, started."""
    settings = services.settings.model_copy(
        update={
            "data_dir": data_dir,
            "kafka_bootstrap": services.kafka_bootstrap,
            "mongodb_uri": services.mongodb_uri,
        }
    )
    return subprocess.Popen(
        module("scripts", "replay", *arguments),
        env=environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def test_a_replay_never_follows_its_own_records(services: Services, topic: str, tmp_path: Path) -> None:
    """Into the topic it comes from, twice: each time what was there at first, and not what a replay had sent."""
    for turn in (1, 2):
        done = await asyncio.to_thread(replay(services, tmp_path, "--topic", topic, "--json").communicate, timeout=60)
        report = json.loads(done[0])
        assert (60, 60 * (turn - 1)) == (report["events"], report["passed_over"]), done[1]
    assert 180 == len(await read(services, topic))


async def test_a_replay_that_is_killed_goes_on(services: Services, tmp_path: Path) -> None:
    """At any moment, twice: nothing is missing in the end, and nothing was sent again but what was not noted yet."""
    source, target = f"replay-{uuid4().hex[:8]}", f"replay-{uuid4().hex[:8]}"
    for name in (source, target):
        await make(services, name)
    async with producer_client(services.kafka_bootstrap) as producer:
        for number in range(6_000):
            await producer.send(source, b"%d" % number, key=b"k%d" % number, partition=number % PARTITIONS)
    seed = random.randrange(10_000)
    chance = random.Random(seed)
    arguments, noted, again = ["--topic", source, "--to", target, "--rate", "1000"], 0, 0
    for kill in (1, 2):
        running = replay(services, tmp_path, *arguments)
        at_least = kill * 2_000 + chance.randrange(200)

        async def far_enough(count: int = at_least) -> bool:
            return len(await read(services, target)) >= count

        await eventually(far_enough, 60)
        running.send_signal(signal.SIGKILL)
        running.communicate()
        (found,) = (tmp_path / "replays").glob("*.json")
        before, noted = noted, json.loads(found.read_text())["events"]
        assert before < noted, f"seed {seed}: a second is over"
        again = len(await read(services, target)) - noted  # those of the kill before among them
        arguments = ["--resume", found.stem]
    done = await asyncio.to_thread(replay(services, tmp_path, *arguments, "--json").communicate, timeout=60)
    assert 6_000 == json.loads(done[0])["events"], done[1]
    times = Counter(one.value for one in await read(services, target))
    assert {b"%d" % number for number in range(6_000)} == set(times), f"seed {seed}"
    in_flight = 100  # what the broker had in hand when it was counted
    assert times.total() - 6_000 <= again + in_flight, f"seed {seed}: {times.total():,}"
    assert again <= 2 * 2_500, f"seed {seed}: noted each second, and sent {again:,} since"


async def test_ctrl_c_says_how_to_go_on(services: Services, topic: str, tmp_path: Path) -> None:
    """Exit status 130, and the rest is sent by what was said."""
    target = f"{topic}-rest"
    await make(services, target)
    running = replay(services, tmp_path, "--topic", topic, "--to", target, "--rate", "20")

    async def begun() -> bool:
        return len(await read(services, target)) >= 5

    await eventually(begun, 60)
    running.send_signal(signal.SIGINT)
    _, said = await asyncio.to_thread(running.communicate, timeout=30)
    assert 130 == running.returncode, said
    name = said.split("--resume ")[1].split()[0]
    sent = await read(services, target)
    rest = await asyncio.to_thread(replay(services, tmp_path, "--resume", name, "--json").communicate, timeout=60)
    assert 60 == json.loads(rest[0])["events"], rest[1]
    assert 5 <= len(sent) < 60 == len(await read(services, target))


async def test_products_of_the_store_are_what_they_were(store: Store, tmp_path: Path) -> None:
    """An item gives the same content under the same event id; a dead letter its own bytes, with its attempts."""
    products = [
        Product(
            product_id="1", title="Soupe", description="<b>x</b>", attributes={"a.b": [1, "x"]}, submitted_by="ada"
        ),
        Product.model_validate({"product_id": "2", "image": {"uri": "sha256:" + "0" * 64}}),
    ]
    items = [
        {
            "_id": f"{number:08d}-0000-4000-8000-000000000000",
            "product_id": product.product_id,
            "product": {
                "published_at": datetime(2026, 11, 1, tzinfo=UTC),
                **product.model_dump(include={"title", "description", "submitted_by"}),
                **({"image": {"sha256": "0" * 64, "bytes": 5, "media_type": None}} if product.image else {}),
                **({"attributes": [{"name": "a.b", "value": [1, "x"]}]} if product.attributes else {}),
            },
        }
        for number, product in enumerate(products)
    ]
    await store.collection(ITEMS).insert_many(items)
    source = ItemSource(store, {})
    events = [event async for event in source.events({})]
    assert 2 == await source.total()
    again = [Product.model_validate_json(event.value or b"") for event in events]
    assert products == again
    assert [item["_id"] for item in items] == [event.event_id for event in events]
    assert [key_of(one) for one in products] == [key_of(one) for one in again]
    behind = [event.event_id async for event in source.events({"items": events[0].event_id})]
    assert [events[1].event_id] == behind

    stage = ArchiveStage(store, ImageStore(tmp_path), AsyncMock(), 5, Mock())
    await stage.deliver(await stage.work(stage.decode([failed(number, timestamp_ms=T0_MS) for number in range(4)])))
    letters = LetterSource(DeadLetters(store), Choice(stage="decode"), 5)
    found = [event async for event in letters.events({})]
    assert [b"x", b"x"] == [event.value for event in found]
    assert all(last_text(event.headers, ATTEMPTS) for event in found)
    assert [T0_MS, T0_MS] == [event.timestamp_ms for event in found], "as `aisle dlq retry` sends them"
    assert 2 == await letters.total()
