"""models.events: which of its records count, whoever wrote them and whatever compaction has left."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka.errors import KafkaTimeoutError
from aiokafka.structs import ConsumerRecord, TopicPartition
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from structlog.testing import capture_logs

from infra import model_events
from infra.errors import BrokerUnavailable, DeliveryFailed, TopicMissing
from infra.model_events import Standing, decide, put_in_shadow, read_standing, tell
from schemas.model_event import CHALLENGER, ModelEvent, in_force
from schemas.prediction import ModelRef
from schemas.topics import MODELS_EVENTS
from tests.records import record

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


def event(version: str, sequence: int, previous: str | None = None, name: str = "aisle", **fields: Any) -> ModelEvent:
    """A decision."""
    return ModelEvent(
        model=ModelRef(name=name, version=version),
        bundle_uri=f"file:///models/{version}",
        sha256="0",
        taxonomy_sha256="0",
        previous=previous,
        sequence=sequence,
        by="ada",
        why="a test",
        at=AT,
        **fields,
    )


def said(what: ModelEvent | bytes | None, key: str | None = None, offset: int = 0) -> "ConsumerRecord[bytes, bytes]":
    """A record of the topic."""
    value = what.model_dump_json().encode() if isinstance(what, ModelEvent) else what
    own = what.key if isinstance(what, ModelEvent) else "aisle/champion"
    return record(value, topic=MODELS_EVENTS, key=(key or own).encode(), offset=offset)


def standing(*records: ModelEvent | None) -> Standing:
    """What these come to."""
    found = Standing()
    for one in records:
        found.take(said(one))
    return found


A = event("a", 1)
B = event("b", 2, "a")
C = event("c", 2, "a")
BACK = event("a", 3, "b")


def test_decisions_follow_on_each_other() -> None:
    """The last one that follows is in force; each that counted is known by its version."""
    found = standing(A, B, BACK)
    assert BACK == found.champion
    assert {"a": BACK, "b": B} == found.made


@pytest.mark.parametrize("late", [C, event("c", 3, "a"), event("c", 1), event("c", 3)])
def test_a_promotion_whose_previous_is_not_in_force_is_ignored(late: ModelEvent) -> None:
    """Of two who decide at once the first counts; what is passed over is named with its place."""
    with capture_logs() as lines:
        assert B == standing(A, B, late).champion
    assert [("record skipped", 0, "c does not follow on b")] == [
        (line["event"], line["offset"], line["why"]) for line in lines
    ]


def test_what_compaction_left_is_enough() -> None:
    """The last record alone tells the state; a gap says that there were others in between, perhaps of another name."""
    assert BACK == standing(BACK).champion
    later = event("z", 9, "y", name="other")
    assert later == standing(A, later).champion


def test_the_same_decision_told_twice_changes_nothing() -> None:
    """Workers may tell what was decided without a broker, each of them."""
    with capture_logs() as lines:
        assert B == standing(A, B, B).champion
    assert [] == lines


def test_a_record_without_a_value_takes_the_state_back() -> None:
    """That of another key does not."""
    assert standing(A, None).champion is None
    found = standing(A)
    found.take(said(None, "other/champion"))
    assert A == found.champion


@pytest.mark.parametrize("strange", [b"{}", b"\xff", b"", A.model_copy(update={"sequence": 0})])
def test_a_strange_record_hurts_nothing(strange: Any) -> None:
    """Nor does one of another alias, or without a key."""
    found = standing(A)
    with capture_logs() as lines:
        found.take(said(strange, "aisle/champion"))
    assert ["record skipped"] == [line["event"] for line in lines]
    found.take(said(event("d", 2, "a", alias="challenger")))
    found.take(record(B.model_dump_json().encode(), topic=MODELS_EVENTS))
    assert A == found.champion


@pytest.mark.parametrize("version", ["../../etc", "a/b", ".", "", "a\n", "..", ".hidden", "a" * 201])
def test_a_version_names_a_directory_and_no_way_out(version: str) -> None:
    """It is joined to the folder of bundles."""
    with pytest.raises(ValidationError):
        event(version, 1)


def test_the_topic_goes_before_the_pointer_file_unless_that_follows_on_it() -> None:
    """What was decided without a broker counts if nothing else was decided meanwhile."""
    assert None is in_force(None, None)
    assert A == in_force(None, A) == in_force(A, None) == in_force(A, A)
    assert B == in_force(A, B) == in_force(B, A) == in_force(B, C)


@given(st.lists(st.tuples(st.integers(1, 6), st.sampled_from([*"abcd", None]), st.sampled_from("abcd")), max_size=12))
def test_the_state_only_moves_forward(rows: list[tuple[int, str | None, str]]) -> None:
    """Whatever is written, in whatever order: the sequence in force never falls, and reading twice changes nothing."""
    events = [event(version, sequence, previous) for sequence, previous, version in rows]
    sequences = [found.champion.sequence for n in range(len(events)) if (found := standing(*events[: n + 1])).champion]
    assert sorted(sequences) == sequences
    once = standing(*events).champion
    if once is not None:
        assert once == standing(once, *events).champion


class Topic:
    """A broker with one topic, which somebody else may write to at the worst moment."""

    def __init__(self, *events: ModelEvent | None) -> None:
        self.records = [said(one) for one in events]
        self.meanwhile: list[ModelEvent] = []
        self.fails: Exception | None = None
        self.topics = [MODELS_EVENTS]
        self.place = 0

    async def list_topics(self) -> list[str]:
        """There is one."""
        return self.topics

    def assignment(self) -> set[TopicPartition]:
        """The one partition."""
        return {TopicPartition(MODELS_EVENTS, 0)}

    async def end_offsets(self, partitions: set[TopicPartition]) -> dict[TopicPartition, int]:
        """Where it ends."""
        return dict.fromkeys(partitions, len(self.records))

    async def position(self, _partition: TopicPartition) -> int:
        """How far it was read."""
        return self.place

    async def batches(self) -> AsyncIterator[list[Any]]:
        """One record at a time."""
        while True:
            some = self.records[self.place : self.place + 1]
            self.place += len(some)
            yield some

    async def send_and_wait(self, topic: str, value: bytes | None, *, key: bytes, headers: Any) -> None:
        """Append a record, after what others have to say."""
        assert (MODELS_EVENTS, [("content-type", b"application/json")]) == (topic, headers)
        if self.fails:
            raise self.fails
        self.records += map(said, self.meanwhile)
        self.meanwhile = []
        self.records.append(record(value, topic=topic, key=key))


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> Topic:
    """A topic in place of the broker."""
    topic = Topic(A)

    @asynccontextmanager
    async def client(*_arguments: Any, **_options: Any) -> AsyncIterator[Topic]:
        topic.place = 0
        yield topic

    for name in ("admin_client", "producer_client", "reader_client"):
        monkeypatch.setattr(model_events, name, client)
    monkeypatch.setattr(model_events, "batches", lambda reader: reader.batches())
    return topic


def make(what: ModelEvent) -> Callable[[Standing], ModelEvent]:
    """The next decision, whatever stands."""
    return lambda _standing: what


async def test_a_decision_is_read_back(topic: Topic) -> None:
    """It is made on what stands, and stands."""
    made: list[ModelEvent | None] = []

    def following(stands: Standing) -> ModelEvent:
        made.append(stands.champion)
        return B

    assert B == (await decide("h:1", following)).champion
    assert [A] == made
    assert B == (await read_standing("h:1")).champion
    assert 2 == len(topic.records)


@pytest.mark.parametrize(("name", "last"), [("aisle", C), ("other", None)])
async def test_who_comes_second_leaves_the_first_ones_word_as_the_last(
    topic: Topic, name: str, last: ModelEvent | None
) -> None:
    """Compaction keeps the last record of a key: that is the one that counts, and the other name's is gone."""
    topic.meanwhile = [C]
    mine = event("b", 2, "a", name=name)

    assert C == (await decide("h:1", make(mine))).champion

    end = topic.records[-1]
    assert (mine.key.encode(), last) == (end.key, end.value and ModelEvent.model_validate_json(end.value))
    kept = {one.key: one for one in topic.records}  # as compaction keeps them
    after = Standing()
    for one in kept.values():
        after.take(one)
    assert C == after.champion


async def test_no_former_challenger_comes_back_by_compaction(topic: Topic) -> None:
    """One of another name has a key of its own, which is emptied before the next one is put there, or none is."""
    first, second = event("b", 1, alias=CHALLENGER), event("c", 1, alias=CHALLENGER, name="other")
    assert first == (await put_in_shadow("h:1", first)).tried
    assert second == (await put_in_shadow("h:1", second)).tried
    assert second == _compacted(topic).tried
    assert (await put_in_shadow("h:1", None)).tried is None
    assert _compacted(topic).tried is None
    written = len(topic.records)
    assert A == (await put_in_shadow("h:1", None)).champion
    assert written == len(topic.records)


def _compacted(topic: Topic) -> Standing:
    """What stands when the topic has but the last record of each key, and none of those without a value."""
    after = Standing()
    for one in {one.key: one for one in topic.records}.values():
        if one.value is not None:
            after.take(one)
    return after


async def test_a_broker_that_goes_away_is_named(topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    """So is a topic that is not there, and one that gives no answer."""
    topic.fails = KafkaTimeoutError()
    with pytest.raises(DeliveryFailed, match="Could not deliver"):
        await decide("h:1", make(B))
    with pytest.raises(DeliveryFailed):
        await tell("h:1", B)
    monkeypatch.setattr(model_events, "_ANSWER_S", 0.01)
    monkeypatch.setattr(topic, "position", lambda _partition: asyncio.sleep(0.001, -1))
    with pytest.raises(BrokerUnavailable, match="cannot be read"):
        await read_standing("h:1")
    topic.topics = []
    with pytest.raises(TopicMissing, match="aisle topics create"):
        await read_standing("h:1")
