"""Publishing verdicts."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from aiokafka.errors import KafkaError

from infra.endpoints import find_kafka
from infra.errors import DeliveryFailed, TopicMissing
from infra.kafka.clients import admin_client, producer_client
from infra.settings import load_settings
from schemas.feedback import Feedback
from schemas.headers import CONTENT_TYPE
from schemas.topics import FEEDBACK

_UNCONFIRMED = 1_000


async def send(verdicts: Iterable[Feedback], told: Callable[[int], None] = lambda _: None) -> int:
    """Publish verdicts to ``feedback`` in order, and return how many once every one is acknowledged.

    Args:
        verdicts: What to publish, keyed by product, or by event where no product is named.
        told: Called with how many are acknowledged.

    Raises:
        BrokerUnavailable: No broker answers.
        TopicMissing: There is no such topic.
        DeliveryFailed: The brokers went away; the message says how many they have.
    """
    bootstrap, sent = find_kafka(load_settings()), 0
    async with admin_client(bootstrap) as admin:
        if FEEDBACK not in await admin.list_topics():
            raise TopicMissing(f"There is no topic {FEEDBACK}.", hint="Run `aisle topics create`.")
    async with producer_client(bootstrap) as producer:
        waiting: list[asyncio.Future[Any]] = []
        try:
            for verdict in verdicts:
                key = (verdict.product_id or verdict.event_id or "").encode()
                value = verdict.model_dump_json(exclude_none=True).encode()
                headers = [(CONTENT_TYPE, b"application/json")]
                waiting.append(await producer.send(FEEDBACK, value, key=key, headers=headers))
                if len(waiting) == _UNCONFIRMED:
                    await asyncio.gather(*waiting)
                    sent += len(waiting)
                    waiting.clear()
                    told(sent)
            await asyncio.gather(*waiting)
        except KafkaError as error:
            raise DeliveryFailed(
                f"At least {sent:,} were sent, then {type(error).__name__}: {error}.",
                hint="Run it again: what was sent before is known by its id and changes nothing.",
            ) from error
    told(sent + len(waiting))
    return sent + len(waiting)
