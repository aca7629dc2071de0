"""What one would write by hand: getmany, record batches by partition, every delivery awaited, commits by the clock."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from infra.kafka.producer import OutRecord
from schemas.topics import PREDICTIONS_OUT, PRODUCTS_IN
from tests.bench.competitors.answers import Answers
from tests.bench.competitors.task import (
    BATCH_EVENTS,
    COMMIT_EVERY_S,
    SEND_BATCH_BYTES,
    Stopwatch,
    read_task,
    tell,
    use_uvloop,
)


async def send(producer: AIOKafkaProducer, answers: Iterable[OutRecord]) -> None:
    """Publish by record batch and wait for every delivery."""
    by_partition = defaultdict(list)
    for one in answers:
        by_partition[one.partition].append(one)
    waiting = []
    for partition, rows in by_partition.items():
        batch = producer.create_batch()
        for row in rows:
            if batch.append(key=row.key, value=row.value, timestamp=None, headers=list(row.headers)) is None:
                waiting.append(await producer.send_batch(batch, PREDICTIONS_OUT, partition=partition))
                batch = producer.create_batch()
                batch.append(key=row.key, value=row.value, timestamp=None, headers=list(row.headers))
        waiting.append(await producer.send_batch(batch, PREDICTIONS_OUT, partition=partition))
    await asyncio.gather(*waiting)


async def main() -> None:
    """Measure once."""
    task = read_task()
    answers = Answers(task) if task.mode != "intake" else None
    consumer = AIOKafkaConsumer(
        PRODUCTS_IN,
        bootstrap_servers=task.bootstrap,
        group_id=task.group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=task.bootstrap, acks="all", enable_idempotence=True, max_batch_size=SEND_BATCH_BYTES
    )
    await consumer.start()
    await producer.start()
    stopwatch, committed_at, over = Stopwatch(task), time.monotonic(), False
    while not over:
        fetched = await consumer.getmany(timeout_ms=1000, max_records=BATCH_EVENTS)
        records = [record for rows in fetched.values() for record in rows]
        if answers is not None:
            await send(producer, answers.to(records))
        if time.monotonic() - committed_at >= COMMIT_EVERY_S:
            await consumer.commit()
            committed_at = time.monotonic()
        over = bool(records) and stopwatch.add(len(records))
    tell(stopwatch.report())


if __name__ == "__main__":
    use_uvloop()
    asyncio.run(main())
