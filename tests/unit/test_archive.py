"""What the archive makes of records that ended its process again and again."""

from unittest.mock import AsyncMock, Mock

from structlog.testing import capture_logs

from infra.images import ImageStore
from model.shelves import TaxonomyInForce
from schemas.dead_letter import DeadLetter
from schemas.topics import FEEDBACK, PREDICTIONS_OUT, PRODUCTS_DLQ, PRODUCTS_IN
from streams.archive import ArchiveStage
from streams.decode import id_of
from tests.records import record


def stage(producer: AsyncMock) -> ArchiveStage:
    """A stage whose store and image store must not be touched."""
    return ArchiveStage(Mock(spec=[]), Mock(spec=ImageStore), producer, 1, Mock(spec=TaxonomyInForce))


def test_a_condemned_record_is_named_and_not_written() -> None:
    """Of a record that kills the archive nothing is stored; the log says which it is, by event id and place."""
    condemned = [
        record(b"deadly", topic=topic, partition=3, offset=7) for topic in (PRODUCTS_IN, PREDICTIONS_OUT, PRODUCTS_DLQ)
    ]
    with capture_logs() as lines:
        writes = stage(AsyncMock()).condemn(condemned, 3)
    assert ([], [], {}) == (writes.items, writes.dead_letters, writes.photos)
    assert [
        {
            "event": "not archived",
            "log_level": "error",
            "event_id": id_of(one),
            "topic": one.topic,
            "partition": 3,
            "offset": 7,
            "error": "event-fatal",
            "why": "The worker died 3 times with this record at the head of its partition.",
        }
        for one in condemned
    ] == lines


def test_a_condemned_record_that_could_not_be_read_has_its_place_alone() -> None:
    """A record that kills while it is fetched has no bytes to make an id of: none is made up."""
    with capture_logs() as (lines):
        stage(AsyncMock()).condemn([record(None, topic=PREDICTIONS_OUT, partition=1, offset=9)], 3)
    assert [(None, PREDICTIONS_OUT, 1, 9)] == [
        (line["event_id"], line["topic"], line["partition"], line["offset"]) for line in lines
    ]


async def test_condemned_feedback_is_a_dead_letter() -> None:
    """A person's word is not lost: it goes to feedback.dlq with stage poison, also when it could not be read."""
    producer = AsyncMock()
    archive = stage(producer)
    condemned = [record(b"deadly", topic=FEEDBACK, offset=1), record(None, topic=FEEDBACK, offset=2, timestamp_ms=0)]
    writes = archive.condemn(condemned, 3)
    archive._store.retrying = AsyncMock()  # type: ignore[method-assign] # nothing is to be written
    await archive.deliver(writes)
    topic, letters = producer.deliver.await_args.args
    assert ("feedback.dlq", [b"deadly", None]) == (topic, [letter.value for letter in letters])
    reasons = [DeadLetter.from_headers(letter.headers) for letter in letters]
    assert [("poison", "event-fatal", 1), ("poison", "event-fatal", 2)] == [
        (reason.stage, reason.error_class, reason.offset) for reason in reasons
    ]
