"""What a worker knows of people's decisions: the latest of each content, within a bound of memory."""

import asyncio
import tracemalloc
from base64 import b64encode
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from aiokafka.errors import KafkaConnectionError
from aiokafka.structs import ConsumerRecord, TopicPartition
from structlog.testing import capture_logs

from infra.health import Health
from infra.kafka import follower
from infra.settings import Settings
from schemas.content import key_of
from schemas.prediction import Category
from schemas.product import Product
from schemas.topics import VERDICTS
from schemas.verdict import ContentVerdict
from streams.decided import DecidedContents
from tests.records import record

SHELVES = {code: Category(code=code, label=code.upper()) for code in ("soups", "teas")}
EVENT = "0b8e0000-0000-4000-8000-000000000001"


def product(title: str, **fields: Any) -> Product:
    """A product of that title."""
    return Product(product_id="p", title=title, **fields)


def said(of: Product | bytes, code: str | None, **fields: Any) -> "ConsumerRecord[bytes, bytes]":
    """A record of the topic."""
    verdict = {"code": code, "verdict": "corrected", "by": "ada", "event_id": EVENT, "feedback_id": "f"}
    value = None if code is None else orjson.dumps(verdict | {"at": datetime(2026, 11, 21, tzinfo=UTC)})
    return record(value, topic=VERDICTS, key=key_of(of).encode() if isinstance(of, Product) else of, **fields)


def told(*records: "ConsumerRecord[bytes, bytes]", limit: int = 1_000, share: int = 1_000) -> DecidedContents:
    """Contents that were read from these."""
    contents = DecidedContents(limit, SHELVES)
    take(contents, records, share)
    return contents


def take(contents: DecidedContents, records: Iterable["ConsumerRecord[bytes, bytes]"], share: int = 1_000) -> None:
    """Read records."""
    for one in records:
        contents._take(one, contents._codes, share)


async def test_the_same_content_has_the_persons_category() -> None:
    """Sure, not to be reviewed, decided by a reviewer, with the parts that the product has; others are left."""
    contents = told(said(product("hot soup"), "soups"))

    found = await contents.look_up([product("cold soup"), product("hot soup"), product("hot soup", description="x")])

    (answer,) = found.values()
    assert [1] == list(found)
    assert (SHELVES["soups"], 1.0, [(SHELVES["soups"], 1.0)]) == (answer.category, answer.confidence, answer.top)
    assert (False, "reviewer", ["title"], ()) == (
        answer.needs_review,
        answer.decided_by,
        answer.modalities,
        answer.notes,
    )


async def test_the_last_record_counts_and_one_without_a_value_takes_it_back() -> None:
    """As the topic's compaction keeps it."""
    tea = product("tea")
    contents = told(said(tea, "soups"), said(tea, "teas"))
    assert "teas" == (await contents.look_up([tea]))[0].category.code

    take(contents, [said(tea, None)])

    assert {} == await contents.look_up([tea])
    assert 0 == len(contents)


async def test_a_photo_in_the_event_is_part_of_the_content() -> None:
    """Two photos under one title are two contents."""
    first, second = (product("a", image={"base64": b64encode(text).decode()}) for text in (b"1", b"2"))

    assert [0] == list(await told(said(first, "teas")).look_up([first, second]))


async def test_a_category_that_nobody_knows_is_no_answer() -> None:
    """No worker answers with a code that is in no taxonomy of its own, whoever wrote it to the topic."""
    contents = told(said(product("tea"), "nonsense"))
    assert {} == await contents.look_up([product("tea")])

    contents.shelves = SHELVES | {"nonsense": Category(code="nonsense", label="by now it is one")}

    assert [0] == list(await contents.look_up([product("tea")]))


@pytest.mark.parametrize(
    "strange",
    [
        said(b"", "teas"),
        said(b"\xff", "teas"),
        said(b"ab", "teas"),
        record(b"{}", topic=VERDICTS, key=b"0" * 64),
        record(b"\xff", topic=VERDICTS, key=b"0" * 64),
        record(b"{}", topic=VERDICTS),
    ],
)
async def test_a_strange_record_is_passed_over_with_its_place(strange: Any) -> None:
    """What is no verdict hurts no other and is named."""
    with capture_logs() as lines:
        contents = told(strange, said(product("tea"), "teas"))
    assert 1 == len(contents)
    assert [("record skipped", VERDICTS, 0, 0)] == [
        (line["event"], line["topic"], line["partition"], line["offset"]) for line in lines
    ]


async def test_beyond_the_limit_the_oldest_are_forgotten() -> None:
    """Each partition keeps its latest, whatever came first of all; the log says so once, with the setting."""
    tea = product("0")
    with capture_logs() as lines:
        contents = told(
            *(said(product(str(number)), "teas") for number in range(90)),
            said(tea, "soups"),
            *(said(product(str(number)), "teas") for number in range(90, 1_000)),
            *(said(product(f"other {number}"), "teas", partition=1) for number in range(10)),
            said(tea, "soups"),
            *(said(product(str(number)), "teas") for number in range(1_000, 1_050)),
            share=100,
        )
    known = [number for number in range(1_050) if await contents.look_up([product(str(number))])]

    assert known == [0, *range(1_050 - len(known) + 1, 1_050)]
    assert 90 < len(known) <= 100
    assert 10 == len([n for n in range(10) if await contents.look_up([product(f"other {n}")])])
    assert ["AISLE_VERDICTS_MAX sets the limit."] == [line["hint"] for line in lines]


def test_a_verdict_costs_what_the_setting_says() -> None:
    """The bound on the number is a bound on memory: no more than the 0.12 KB a content that the setting names."""
    assert "0.12 KB each" in (Settings.model_fields["verdicts_max"].description or "")
    count = 20_000
    records = [said(f"{number:032x}{0:032x}".encode(), "teas") for number in range(count)]
    contents = DecidedContents(count, SHELVES)
    tracemalloc.start()
    take(contents, records, count)
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()

    assert count == len(contents)
    assert used / count <= 120


class Reader:
    """A topic of one partition; perhaps readable from some time on."""

    def __init__(
        self,
        *records: "ConsumerRecord[bytes, bytes]",
        opens: asyncio.Event | None = None,
        breaks: Exception = KafkaConnectionError("as planned"),  # noqa: B008 - raised once a test
    ) -> None:
        self.records = list(records)
        self.breaks = breaks
        self.opens = opens
        self.end = len(records)
        self.place = 0

    def assignment(self) -> set[TopicPartition]:
        """The one partition."""
        return {TopicPartition(VERDICTS, 0)}

    async def end_offsets(self, partitions: set[TopicPartition]) -> dict[TopicPartition, int]:
        """Where the topic ends at first."""
        return dict.fromkeys(partitions, self.end)

    async def position(self, _partition: TopicPartition) -> int:
        """How far it was read."""
        return self.place


@asynccontextmanager
async def followed(
    monkeypatch: pytest.MonkeyPatch, contents: DecidedContents, readers: Iterable[Any], health: Health
) -> AsyncIterator[None]:
    """Follow these readers, one after the other; one that is an error fails."""
    left = iter(readers)

    @asynccontextmanager
    async def client(*_arguments: Any, **_options: Any) -> AsyncIterator[Any]:
        reader = next(left, None)
        if reader is None:
            await asyncio.Event().wait()
        if isinstance(reader, Exception):
            raise reader
        yield reader

    async def batches(reader: Reader) -> AsyncIterator[Any]:
        if reader.opens is not None:
            await reader.opens.wait()
        reader.place = reader.end
        yield reader.records
        raise reader.breaks

    monkeypatch.setattr(follower, "reader_client", client)
    monkeypatch.setattr(follower, "batches", batches)
    monkeypatch.setattr(follower, "_AGAIN_S", 0)
    reading = contents.follower()
    async with reading.following("h:1", health):
        await reading.known()
        yield


async def test_nothing_is_taken_before_all_that_stands_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that starts later knows what one that was there knows, also through a break of the connection."""
    tea, soup = product("tea"), product("soup")
    health, contents = Health(), DecidedContents(1_000, SHELVES)
    first, opens = Reader(said(tea, "soups"), said(soup, "soups")), asyncio.Event()
    again = Reader(said(tea, "teas"), opens=opens)
    async with followed(monkeypatch, contents, [KafkaConnectionError("away"), first, again], health):
        assert "verdicts" not in health.waiting
        assert {0, 1} == set(await contents.look_up([tea, soup]))
        opens.set()
        async with asyncio.timeout(5):
            while len(contents) != 1:
                await asyncio.sleep(0)
        assert "teas" == (await contents.look_up([tea, soup]))[0].category.code
        assert {} == health.stuck


async def test_a_worker_that_follows_nothing_any_more_is_not_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would give old answers for as long as it runs."""
    health, contents, opens = Health(), DecidedContents(1_000, SHELVES), asyncio.Event()
    broken = Reader(opens=opens, breaks=ValueError("a bug"))
    async with followed(monkeypatch, contents, [Reader(), broken], health):
        assert {} == health.stuck
        opens.set()
        async with asyncio.timeout(5):
            while not health.stuck:
                await asyncio.sleep(0)
        assert "what people decide is not followed: ValueError('a bug')" == health.stuck["verdicts"]
    with pytest.raises(ValueError, match="a bug"):
        async with followed(monkeypatch, contents, [ValueError("a bug")], Health()):
            pass


def test_the_records_value_is_the_contracts() -> None:
    """What the tests above write is what the archive does."""
    value = said(product("tea"), "teas").value
    assert value is not None
    assert "teas" == ContentVerdict.model_validate_json(value).code
