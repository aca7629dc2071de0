"""The way of a replay's events: their pace, what is refused, and how far a replay says that it came."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from aiokafka.errors import KafkaConnectionError, KafkaError, MessageSizeTooLargeError

from infra.errors import DeliveryFailed
from schemas.headers import EVENT_ID, REPLAY, REPLAY_SOURCE
from scripts.replay_asked import Asked
from scripts.replay_source import _offsets
from streams.errors import ReplayUnknown
from streams.replay.checkpoint import Replay, Replays
from streams.replay.event import Event
from streams.replay.pace import Pace
from streams.replay.send import Sender, Sent


def event(number: int, **fields: Any) -> Event:
    """An event on partition 0."""
    given: dict[str, Any] = {
        "event_id": f"e{number}",
        "key": b"k",
        "value": b"v" * 10,
        "headers": [("own", b"\xff"), (REPLAY, b"a former one")],
        "origin": f"t/0/{number}",
        "part": "0",
        "position": number,
    }
    return Event(**given | fields)


async def listed(*events: Event) -> AsyncIterator[Event]:
    """The events as a source gives them."""
    for one in events:
        yield one


class Broker:
    """A producer whose deliveries end as they are told to, by the number of the event; those not named succeed."""

    def __init__(self, **outcomes: KafkaError) -> None:
        self.outcomes = outcomes
        self.records: list[dict[str, Any]] = []

    async def send(self, topic: str, value: bytes, **fields: Any) -> "asyncio.Future[None]":
        """Take a record; an error called ``now…`` is raised at once."""
        name = dict(fields["headers"])[EVENT_ID].decode()
        if error := self.outcomes.get(f"now_{name}"):
            raise error
        delivered = asyncio.get_running_loop().create_future()
        if error := self.outcomes.get(name):
            delivered.set_exception(error)
        else:
            self.records.append({"topic": topic, "value": value, **fields})
            delivered.set_result(None)
        return delivered


async def test_what_goes_out_is_what_came_with_three_headers_more() -> None:
    """The event's id, this replay's id in the place of a former one's, and where the record came from."""
    broker = Broker()
    await Sender(broker, "t", "r-1").send(listed(event(7)))
    sent = broker.records[0]
    assert (b"v" * 10, b"k", "t") == (sent["value"], sent["key"], sent["topic"])
    assert [
        ("own", b"\xff"),
        (EVENT_ID, b"e7"),
        (REPLAY, b"r-1"),
        (REPLAY_SOURCE, b"t/0/7"),
    ] == sent["headers"]


async def test_a_record_has_its_own_time_only_where_it_is_to_keep_it() -> None:
    """A dead letter keeps that by which it is ordered among its product's events."""
    broker = Broker()
    await Sender(broker, "t", "r").send(listed(event(1, at_ms=5), event(2, timestamp_ms=7)))
    assert [None, 7] == [sent["timestamp_ms"] for sent in broker.records]


async def test_what_no_record_holds_is_counted_and_hurts_nobody() -> None:
    """Too large by our limit, by the client's or by the broker's: the others are sent, and all are dealt with."""
    broker = Broker(now_e2=MessageSizeTooLargeError(), e3=MessageSizeTooLargeError())
    events = [event(1), event(2), event(3), event(4, value=b"v" * 11), event(5)]
    sent = await Sender(broker, "t", "r", limit_bytes=10).send(listed(*events))
    assert (2, 3, {"0": 5}) == (sent.events, sent.refused.total(), sent.positions)
    assert {"too large for a record": 1, "MessageSizeTooLargeError": 2} == dict(sent.refused)


@pytest.mark.parametrize("name", ["e3", "now_e3"])
async def test_a_replay_says_no_more_than_what_is_surely_sent(name: str) -> None:
    """When the broker goes away, the position is that before the first event without its word."""
    told: list[Sent] = []
    sender = Sender(Broker(**{name: KafkaConnectionError()}), "t", "r", confirmed=told.append)
    with pytest.raises(DeliveryFailed, match="KafkaConnectionError"):
        await sender.send(listed(event(1), event(2), event(3), event(4)))
    assert {"0": 2} == sender.sent.positions if name == "e3" else {} == sender.sent.positions


async def test_a_stop_while_the_broker_is_slow_loses_no_note() -> None:
    """What it confirms after Ctrl-C is noted too."""
    delivered = asyncio.get_running_loop().create_future()

    class Slow(Broker):
        async def send(self, topic: str, value: bytes, **fields: Any) -> "asyncio.Future[None]":
            await super().send(topic, value, **fields)
            return delivered

    broker = Slow()
    sender = Sender(broker, "t", "r")
    task = asyncio.create_task(sender.send(listed(event(1))))
    while not broker.records:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    delivered.set_result(None)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert {"0": 1} == sender.sent.positions


async def test_what_was_handed_over_is_confirmed_when_one_stops_it() -> None:
    """Ctrl-C leaves nothing in between: what is sent is also noted."""
    reached = asyncio.Event()

    async def endless() -> AsyncIterator[Event]:
        yield event(1)
        reached.set()
        await asyncio.Event().wait()

    sender = Sender(Broker(), "t", "r")
    task = asyncio.create_task(sender.send(endless()))
    await reached.wait()
    assert {} == sender.sent.positions
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert {"0": 1} == sender.sent.positions


def test_a_pace_follows_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a rate, or as the events came, faster by a factor; one that comes late does not wait."""
    now = 100.0
    monkeypatch.setattr("streams.replay.pace.monotonic", lambda: now)
    rate, speed, none = Pace(rate=10), Pace(speed=2), Pace()
    waits = [rate.wait_s(event(number)) for number in range(3)]
    assert pytest.approx([0, 0.1, 0.2]) == waits
    came = [event(1, at_ms=5_000), event(2, at_ms=6_000), event(3), event(4, at_ms=4_000)]
    assert pytest.approx([0, 0.5, 0, 0]) == [speed.wait_s(one) for one in came]
    now = 100.4
    assert pytest.approx(0.1) == speed.wait_s(event(5, at_ms=6_000))
    assert 0 == rate.wait_s(event(4)) == none.wait_s(event(1))


def test_how_far_a_replay_is_outlives_it(tmp_path: Path) -> None:
    """It is found by the beginning of its id; a name that fits none or two, and a damaged file, are said."""
    replays = Replays(tmp_path)
    assert [] == replays.all()
    asked = Asked(topic="t", since=datetime(2026, 1, 1, tzinfo=UTC), offsets=("1:2-3",), file=None)
    one = Replay.new(asked.model_dump(mode="json", exclude_defaults=True), None, 5, {"0": (1, 3)})
    one.positions["0"] = 2
    replays.write(one)
    found = replays.read(one.id[:15])
    assert one == found
    assert asked == Asked.model_validate(found.options)
    replays.write(one.model_copy(update={"id": one.id + "x"}))
    for beginning in ("nothing", one.id[:-1]):
        with pytest.raises(ReplayUnknown, match=beginning):
            replays.read(beginning)
    (tmp_path / "replays" / f"{one.id}x.json").write_text("{")
    assert [one] == replays.all()
    with pytest.raises(ReplayUnknown, match="not whole"):
        replays.read(one.id + "x")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "one of them"),
        ({"topic": "t", "items": True}, "one of them"),
        ({"items": True, "stage": "infer"}, "--stage does not go with --items"),
        ({"file": "a.csv", "since": "2026-01-01T00:00:00Z"}, "--since does not go with a file"),
        ({"topic": "t", "rate": 1, "speed": 1}, "choose one"),
        ({"items": True, "speed": 1}, "--speed is for --topic"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: dict[str, Any], said: str) -> None:
    """Before anything is looked for."""
    with pytest.raises(click.UsageError, match=said):
        Asked.model_validate(options).check()


def test_offsets_of_a_partition_are_said_once() -> None:
    """A second span would take the place of the first one, whose records nobody would miss."""
    assert {5: (1, 10), 6: (None, 3), 7: (2, None)} == _offsets(("5:1-10", "6:-3", "7:2-"))
    with pytest.raises(click.UsageError, match="once"):
        _offsets(("5:1-10", "5:20-30"))
