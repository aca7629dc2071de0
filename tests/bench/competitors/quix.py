"""Quix Streams: one call an event, deliveries awaited by its checkpoints, every second."""

from functools import partial
from typing import Any

from quixstreams import Application, message_context

from schemas.topics import PREDICTIONS_OUT, PRODUCTS_IN
from tests.bench.competitors.answers import Answers
from tests.bench.competitors.task import COMMIT_EVERY_S, Record, Stopwatch, read_task, tell


def answer(answers: Answers, value: bytes, key: bytes, timestamp: int, headers: Any) -> Any:
    """The answer to one event."""
    at = message_context()
    return answers.to([Record(at.topic, at.partition, at.offset, timestamp, headers or (), key, value)])[0]


def main() -> None:
    """Measure once."""
    task = read_task()
    stopwatch = Stopwatch(task)

    def count(*_where: Any) -> None:
        if stopwatch.add(1, in_flight=True):
            app.stop()

    app = Application(
        broker_address=task.bootstrap,
        consumer_group=task.group,
        auto_offset_reset="earliest",
        commit_interval=COMMIT_EVERY_S,
        auto_create_topics=False,
        on_message_processed=count,
        producer_extra_config={"acks": "all", "enable.idempotence": True, "linger.ms": 5},
        loglevel="ERROR",
    )
    raw = {"key_deserializer": "bytes", "value_deserializer": "bytes"}
    frame = app.dataframe(app.topic(PRODUCTS_IN, **raw))
    if task.mode != "intake":
        # The answer travels as the value, with its headers; then the value is its bytes.
        frame = frame.apply(partial(answer, Answers(task)), metadata=True)
        frame = frame.set_headers(lambda row, _key, _timestamp, _headers: row.headers)
        frame = frame.apply(lambda row: row.value)
        frame.to_topic(app.topic(PREDICTIONS_OUT, key_serializer="bytes", value_serializer="bytes"))
    app.run()  # its last checkpoint flushes and commits
    stopwatch.finish()
    tell(stopwatch.report())


if __name__ == "__main__":
    main()
