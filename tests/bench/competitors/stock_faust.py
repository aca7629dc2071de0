"""Faust as it comes, by ``take`` (acknowledged by the stream) and by ``noack_take`` (by hand, after the deliveries)."""

import asyncio
from collections.abc import Sequence
from typing import Any

import faust

from schemas.topics import PREDICTIONS_OUT, PRODUCTS_IN
from tests.bench.competitors.answers import Answers
from tests.bench.competitors.task import (
    BATCH_EVENTS,
    COMMIT_EVERY_S,
    SEND_BATCH_BYTES,
    Record,
    Stopwatch,
    Task,
    read_task,
    tell,
    use_uvloop,
)

_WITHIN_S = 0.1


class App(faust.App):
    """Without the directories for tables, which there are none of."""

    def _create_directories(self) -> None: ...


def build(task: Task, stopwatch: Stopwatch, enough: asyncio.Event) -> faust.App:
    """The app with its one agent."""
    app = App(
        task.group,
        broker=f"kafka://{task.bootstrap}",
        broker_commit_interval=COMMIT_EVERY_S,
        broker_max_poll_records=BATCH_EVENTS,
        consumer_auto_offset_reset="earliest",
        producer_max_batch_size=SEND_BATCH_BYTES,
        autodiscover=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        key_serializer="raw",
        value_serializer="raw",
        web_enabled=False,
    )
    source = app.topic(PRODUCTS_IN, key_serializer="raw", value_serializer="raw")
    target = app.topic(PREDICTIONS_OUT, key_serializer="raw", value_serializer="raw")
    answers = Answers(task) if task.mode != "intake" else None

    async def handle(events: Sequence[Any]) -> None:
        if answers is not None:
            rows = answers.to([_record(event) for event in events])
            sent = [
                await target.send(key=row.key, value=row.value, partition=row.partition, headers=list[Any](row.headers))
                for row in rows
            ]
            await asyncio.gather(*sent)
        if stopwatch.add(len(events)):
            enough.set()

    @app.agent(source)
    async def by_take(stream: Any) -> None:
        if task.variant == "take":
            async for events in stream.take_events(BATCH_EVENTS, within=_WITHIN_S):  # take, with the headers
                await handle(events)
        else:
            async for events in stream.noack_take(BATCH_EVENTS, within=_WITHIN_S):
                await handle(events)
                for event in events:
                    event.ack()

    return app


def _record(event: Any) -> Record:
    message = event.message
    return Record(
        message.topic,
        message.partition,
        message.offset,
        int(message.timestamp * 1000),
        message.headers,
        message.key,
        message.value,
    )


async def main() -> None:
    """Measure once."""
    task = read_task()
    stopwatch, enough = Stopwatch(task), asyncio.Event()
    app = build(task, stopwatch, enough)
    await app.start()
    await enough.wait()
    tell(stopwatch.report())


if __name__ == "__main__":
    use_uvloop()
    asyncio.run(main())
