"""What ``aisle dlq retry`` needs of the broker."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

from aiokafka.structs import ConsumerRecord

from infra.dead_letters import Letter
from infra.endpoints import find_kafka
from infra.errors import TopicMissing
from infra.kafka.clients import admin_client, producer_client, reader_client
from infra.kafka.lookup import record_at
from infra.kafka.producer import OutRecord
from infra.settings import load_settings
from schemas.dead_letter import DeadLetter
from scripts.progress import progress_bar
from streams.retry import SOURCES, Retried, Retry, publish


async def send_again(
    letters: AsyncIterator[Letter], total: int, note: Callable[[list[Letter]], Awaitable[None]], *, dry_run: bool
) -> Retried:
    """Retry letters, with a progress bar; a dry run does all but publish and note.

    Raises:
        BrokerUnavailable: No broker answers.
        TopicMissing: A topic that events come from does not exist.
        DeliveryFailed: The brokers went away meanwhile.
    """
    settings = load_settings()
    bootstrap = find_kafka(settings)
    await _check_topics(bootstrap)
    # Compressed, as what is at the limit of a record's size has to take two headers more.
    sending = producer_client(bootstrap, compression="gzip", idempotent=False)
    async with sending as producer, reader_client(bootstrap, from_start=True) as reader:

        async def original(reason: DeadLetter) -> ConsumerRecord | None:
            known = reason.partition in await producer.partitions_for(reason.topic)
            return await record_at(reader, reason.topic, reason.partition, reason.offset) if known else None

        with progress_bar("retrying", total) as told:
            task = Retry(
                original=original,
                max_attempts=settings.dlq_max_attempts,
                publish=_no_broker if dry_run else partial(publish, producer),
                note=_no_note if dry_run else note,
                told=lambda now: told(now.done),
            )
            return await task.run(letters)


async def _check_topics(bootstrap: str) -> None:
    async with admin_client(bootstrap) as admin:
        missing = set(SOURCES) - set(await admin.list_topics())
    if missing:
        raise TopicMissing(f"There is no topic {' and no topic '.join(missing)}.", hint="Run `aisle topics create`.")


async def _no_broker(_topic: str, _record: OutRecord) -> Awaitable[None]:
    return asyncio.sleep(0)


async def _no_note(_letters: list[Letter]) -> None:
    """A dry run is no action."""
