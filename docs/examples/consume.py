"""Print predictions as they come, with a plain Kafka client: python consume.py GROUP [COUNT]"""

import asyncio
import json
import os
import sys

from aiokafka import AIOKafkaConsumer


async def main(group: str, count: str = "0") -> None:
    consumer = AIOKafkaConsumer(
        "predictions.out",
        bootstrap_servers=os.environ["AISLE_KAFKA_BOOTSTRAP"],
        group_id=group,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        left = int(count)
        async for record in consumer:
            prediction = json.loads(record.value)
            # An event may be answered again: the first answer counts, unless a person has decided since.
            print(prediction["event_id"], prediction["category"]["code"], prediction["decided_by"], flush=True)
            left -= 1
            if left == 0:
                return
    finally:
        await consumer.stop()


asyncio.run(main(*sys.argv[1:]))
