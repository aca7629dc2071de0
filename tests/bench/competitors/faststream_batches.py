"""FastStream with batches, on aiokafka or on confluent's client; deliveries awaited, commits by the clock."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from faststream import AckPolicy

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


async def as_it_is(message: Any) -> Any:
    """In place of FastStream's decoder, which would read every value as JSON a second time."""
    return message


def broker_of(task: Task) -> Any:
    """The broker, without validation of arguments by types: ours is done by the answers."""
    if task.variant == "confluent":
        from faststream.confluent import KafkaBroker as Confluent

        return Confluent(task.bootstrap, apply_types=False, enable_idempotence=True, logger=None)
    from faststream.kafka import KafkaBroker

    return KafkaBroker(
        task.bootstrap, apply_types=False, enable_idempotence=True, max_batch_size=SEND_BATCH_BYTES, logger=None
    )


def records_of(task: Task, raw: Sequence[Any]) -> Sequence[Any]:
    """The records with the fields that ours have."""
    if task.variant != "confluent":
        return raw
    return [
        Record(one.topic(), one.partition(), one.offset(), one.timestamp()[1], one.headers(), one.key(), one.value())
        for one in raw
    ]


async def main() -> None:
    """Measure once."""
    task = read_task()
    stopwatch, enough, committed_at = Stopwatch(task), asyncio.Event(), time.monotonic()
    answers = Answers(task) if task.mode != "intake" else None
    broker = broker_of(task)

    @broker.subscriber(  # type: ignore[untyped-decorator] # the second environment has its types
        PRODUCTS_IN,
        batch=True,
        group_id=task.group,
        auto_offset_reset="earliest",
        max_records=BATCH_EVENTS,
        ack_policy=AckPolicy.MANUAL,
        decoder=as_it_is,
    )
    async def handle(message: Any) -> None:
        nonlocal committed_at
        raw = message.raw_message
        if answers is not None:
            sent = []
            for row in answers.to(records_of(task, raw)):
                headers = {name: value.decode() for name, value in row.headers if value is not None}
                where = {"topic": PREDICTIONS_OUT, "partition": row.partition}
                # One by one: its batches have one set of headers for all of their messages.
                sent.append(await broker.publish(row.value, key=row.key, headers=headers, no_confirm=True, **where))
            await asyncio.gather(*sent)
        if time.monotonic() - committed_at >= COMMIT_EVERY_S:
            await message.ack()
            committed_at = time.monotonic()
        if stopwatch.add(len(raw)):
            enough.set()

    await broker.start()
    await enough.wait()
    tell(stopwatch.report())


if __name__ == "__main__":
    use_uvloop()
    asyncio.run(main())
