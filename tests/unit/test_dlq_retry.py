"""Retrying dead letters: what is sent, what is refused, and in which order it is noted."""

from collections.abc import AsyncIterator, Awaitable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    RequestTimedOutError,
)
from aiokafka.structs import ConsumerRecord

from infra.dead_letters import Action, Letter
from infra.errors import DeliveryFailed, RetryRefused
from infra.kafka.producer import OutRecord
from infra.retry import Retry, record_of
from schemas.dead_letter import DeadLetter
from schemas.headers import ATTEMPTS, EVENT_ID
from schemas.topics import FEEDBACK, PREDICTIONS_OUT, PRODUCTS_DLQ, PRODUCTS_IN
from tests.records import record

EVENT = "0b8e0000-0000-4000-8000-00000000000"
NOW = datetime.now(UTC)


def letter(number: int = 1, *, attempts: int = 1, predicted: bool = False, **fields: Any) -> Letter:
    """A dead letter as stored."""
    reason = {
        "topic": PRODUCTS_IN,
        "partition": 3,
        "offset": 7,
        "timestamp_ms": 1,
        "stage": "decode",
        "error_class": "record-invalid",
        "message": "no",
        "attempts": attempts,
    }
    named = {name: fields.pop(name) for name in list(fields) if name in DeadLetter.model_fields}
    return Letter(
        f"{EVENT}{number}",
        None,
        NOW,
        DeadLetter.model_validate(reason | named),
        predicted,
        **({"value": b"x"} | fields),
    )


def action(what: Any, attempts: int) -> Action:
    """Something that was done about a letter."""
    return Action(f"{EVENT}1", what, "ada", NOW, attempts)


@pytest.mark.parametrize(
    ("attempts", "actions", "predicted", "state"),
    [
        (1, (), False, "open"),
        (1, (action("retried", 1),), False, "retried"),
        (2, (action("retried", 1),), False, "open"),
        (1, (action("dropped", 1),), False, "dropped"),
        (2, (action("dropped", 1), action("retried", 1)), False, "open"),
        (1, (action("dropped", 1), action("retried", 1)), False, "retried"),
        (2, (action("retried", 1), action("dropped", 2)), False, "dropped"),
        (1, (action("retried", 1),), True, "predicted"),
        (1, (), True, "predicted"),
    ],
)
def test_what_became_of_a_letter(attempts: int, actions: Any, predicted: bool, state: str) -> None:
    """A prediction settles it; an action counts until the event fails once more."""
    assert state == letter(attempts=attempts, actions=actions, predicted=predicted).state


async def absent(_: DeadLetter) -> None:
    """No record is to be found."""


@pytest.mark.parametrize(
    ("refused", "says"),
    [
        (letter(attempts=5), "was tried 5 times and AISLE_DLQ_MAX_ATTEMPTS is 5"),
        (letter(attempts=10**6), "was tried 1000000 times"),
        (letter(topic=PREDICTIONS_OUT), "names the topic predictions.out"),
        (letter(topic=PRODUCTS_DLQ), "names the topic products.dlq"),
        (letter(topic="products.in\n"), "names the topic"),
        (letter(topic=""), "names the topic"),
        (letter(predicted=True), "has its prediction"),
        (letter(value=None, value_sha256="0" * 64), "partition 3, offset 7 is gone"),
        (letter(value=None, stage="poison"), "never read"),
    ],
)
async def test_what_may_not_be_sent_is_refused_with_the_reason(refused: Letter, says: str) -> None:
    """Too many attempts, a topic that is not aisle's to write to, an answer, a value that is nowhere."""
    with pytest.raises(RetryRefused, match=says):
        await record_of(refused, absent, max_attempts=5)


@pytest.mark.parametrize("topic", [PRODUCTS_IN, FEEDBACK])
@pytest.mark.parametrize("value", [b"\xff\x00", b"", None])
async def test_a_record_is_sent_as_it_came(topic: str, value: bytes | None) -> None:
    """Bytes, key, headers and partition, null for null; the event id and the attempts beside them."""
    sent = await record_of(letter(topic=topic, value=value, key=b"k", headers=[("a", None)]), absent, max_attempts=5)

    assert (3, b"k", value) == (sent.partition, sent.key, sent.value)
    assert [("a", None), (EVENT_ID, f"{EVENT}1".encode()), (ATTEMPTS, b"1")] == sent.headers


async def test_a_value_that_was_not_kept_comes_from_the_source() -> None:
    """With its key and headers, which may not have been kept either; another record there is not taken for it."""
    source = record(b"large", key=b"whole key", headers=[("whole", b"1")])

    async def found(_: DeadLetter) -> ConsumerRecord:
        return source

    kept = letter(value=None, value_sha256=sha256(b"large").hexdigest())
    sent = await record_of(kept, found, max_attempts=5)
    assert (b"large", b"whole key", ("whole", b"1")) == (sent.value, sent.key, sent.headers[0])

    for other in (b"other", None):
        source = record(other)
        with pytest.raises(RetryRefused, match="another record is at products"):
            await record_of(kept, found, max_attempts=5)


@pytest.mark.parametrize(
    ("age", "kept"),
    [
        (timedelta(hours=1), True),
        (timedelta(days=14), True),
        (timedelta(days=16), False),
        (timedelta(days=20_000), False),
        (timedelta(days=-1), False),
    ],
)
async def test_the_records_time_is_kept_where_its_topic_keeps_it(age: timedelta, kept: bool) -> None:
    """An event of last week stays one; what the broker would delete, or refuse, for its time goes as of now."""
    timestamp_ms = int((datetime.now(UTC) - age).timestamp() * 1000)
    sent = await record_of(letter(timestamp_ms=timestamp_ms), absent, max_attempts=5)
    assert (timestamp_ms if kept else None) == sent.timestamp_ms


@pytest.mark.parametrize("timestamp_ms", [-(2**63), -1, 0, 2**63 - 1])
async def test_no_time_is_too_odd(timestamp_ms: int) -> None:
    """A producer may have written any number."""
    assert None is (await record_of(letter(timestamp_ms=timestamp_ms), absent, max_attempts=5)).timestamp_ms


class Broker:
    """Takes records, except those that it has an error for; keeps a log of what happened."""

    def __init__(self, errors: dict[str, KafkaError] | None = None, *, at_once: bool = False) -> None:
        self.log: list[str] = []
        self._at_once = at_once
        self._errors = errors or {}

    async def publish(self, topic: str, out: OutRecord) -> Awaitable[None]:
        """Take a record, or fail: at once, or when it is to be confirmed."""
        identity = dict(out.headers)[EVENT_ID]
        assert identity is not None
        error = self._errors.get(number := identity.decode()[-1])
        if error is not None and self._at_once:
            raise error
        return self._confirm(f"{topic} {number}", error)

    async def _confirm(self, line: str, error: KafkaError | None) -> None:
        if error is not None:
            raise error
        self.log.append(line)

    async def note(self, letters: Sequence[Letter]) -> None:
        """Keep that these were sent."""
        self.log.append("noted " + "".join(one.event_id[-1] for one in letters))

    def retry(self) -> Retry:
        """A retry that uses it."""
        return Retry(absent, 5, self.publish, self.note)


async def letters(*given: Letter) -> AsyncIterator[Letter]:
    """Letters as the store gives them."""
    for one in given:
        yield one


async def test_a_retry_is_noted_once_it_is_published() -> None:
    """A note of what was never sent would be waited for in vain, so it is written last."""
    broker = Broker()
    done = await broker.retry().run(letters(letter(1), letter(2, attempts=5), letter(3, topic=FEEDBACK)))

    assert ["products.in 1", "feedback 3", "noted 13"] == broker.log
    assert (2, [f"{EVENT}2"]) == (done.sent, [one.event_id for one in done.refused])


async def test_one_that_the_broker_refuses_hurts_only_itself() -> None:
    """Its neighbours are sent and noted; it is reported with the broker's reason."""
    broker = Broker({"2": MessageSizeTooLargeError()})
    done = await broker.retry().run(letters(letter(1), letter(2), letter(3)))

    assert ["products.in 1", "products.in 3", "noted 13"] == broker.log
    (refused,) = done.refused
    assert (f"{EVENT}2", "The broker refuses it: MessageSizeTooLargeError.") == (refused.event_id, refused.why)


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("error", [KafkaConnectionError(), KafkaTimeoutError(), RequestTimedOutError()])
async def test_what_was_sent_before_the_broker_went_is_noted(error: KafkaError, at_once: bool) -> None:
    """The rest is neither noted nor called refused: the command fails and may be repeated."""
    broker = Broker({"2": error}, at_once=at_once)
    with pytest.raises(DeliveryFailed, match=f"Sent 1, then {type(error).__name__}"):
        await broker.retry().run(letters(letter(1), letter(2)))
    assert ["products.in 1", "noted 1"] == broker.log


async def test_little_is_held_at_a_time() -> None:
    """Large letters are confirmed and noted before more are read."""
    broker, large = Broker(), b"x" * (2 << 20)
    await broker.retry().run(letters(*(letter(number, value=large) for number in range(1, 10))))
    assert ["noted 12345678", "noted 9"] == [line for line in broker.log if "noted" in line]
