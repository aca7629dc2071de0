"""Say what a product is, with a plain Kafka client: python give_feedback.py EVENT_ID CODE NAME"""

import asyncio
import json
import os
import sys
from uuid import uuid4

from aiokafka import AIOKafkaProducer


async def main(event_id: str, code: str, name: str) -> None:
    verdict = {
        "feedback_id": str(uuid4()),
        "event_id": event_id,
        "verdict": "corrected",  # or validated, rejected, withdrawn: then without a code
        "code": code,
        "by": name,
    }
    producer = AIOKafkaProducer(bootstrap_servers=os.environ["AISLE_KAFKA_BOOTSTRAP"], enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait("feedback", json.dumps(verdict).encode(), key=event_id.encode())
    finally:
        await producer.stop()


asyncio.run(main(*sys.argv[1:]))
