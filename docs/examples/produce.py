"""Publish a product to be classified, with a plain Kafka client: python produce.py PRODUCT_ID TITLE"""

import asyncio
import json
import os
import sys
from uuid import uuid4

from aiokafka import AIOKafkaProducer


async def main(product_id: str, title: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=os.environ["AISLE_KAFKA_BOOTSTRAP"], enable_idempotence=True)
    await producer.start()
    try:
        # The key keeps a product's events in order; the header names this one, so that sent twice it counts once.
        event_id = str(uuid4())
        value = json.dumps({"product_id": product_id, "title": title}).encode()
        headers = [("aisle-event-id", event_id.encode())]
        await producer.send_and_wait("products.in", value, key=product_id.encode(), headers=headers)
    finally:
        await producer.stop()
    print(event_id)


asyncio.run(main(*sys.argv[1:]))
