"""Dead letters sent again, with the connections that this takes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

from aiokafka.structs import ConsumerRecord

from infra.dead_letters import DeadLetters, Letter
from infra.endpoints import find_kafka
from infra.errors import TopicMissing
from infra.forgotten import Forgotten
from infra.forgotten_items import named_in
from infra.kafka.clients import admin_client, producer_client, reader_client
from infra.kafka.lookup import record_at
from infra.kafka.producer import OutRecord
from infra.retry import SOURCES, Retried, Retry, publish
from infra.settings import Settings
from schemas.dead_letter import DeadLetter

_LAST_MS: Final = 253_402_300_799_000  # 9999-12-31, where Python's calendar ends


async def send_again(
    settings: Settings,
    letters: DeadLetters,
    event_ids: Sequence[str],
    note: Callable[[list[Letter]], Awaitable[None]],
    *,
    told: Callable[[Retried], None] = lambda _: None,
    dry_run: bool = False,
) -> Retried:
    """Retry letters; a dry run does all but publish and note.

    Args:
        settings: The broker's address and ``dlq_max_attempts`` are used.
        letters: Those of the store.
        event_ids: Those of them that are meant.
        note: Notes that these letters were sent.
        told: Called as it goes on.
        dry_run: Only say what would be done.

    Raises:
        StoreUnavailable: Nobody can say what was forgotten by request.
        BrokerUnavailable: No broker answers.
        TopicMissing: A topic that events come from does not exist.
        DeliveryFailed: The brokers went away meanwhile.
    """
    bootstrap = find_kafka(settings)
    await _check_topics(bootstrap)
    # Compressed, as what is at the limit of a record's size has to take two headers more.
    sending = producer_client(bootstrap, compression="gzip", idempotent=False)
    await letters.forgotten.refresh()
    async with sending as producer, reader_client(bootstrap, from_start=True) as reader:

        async def original(reason: DeadLetter) -> ConsumerRecord | None:
            known = reason.partition in await producer.partitions_for(reason.topic)
            return await record_at(reader, reason.topic, reason.partition, reason.offset) if known else None

        task = Retry(
            original=original,
            max_attempts=settings.dlq_max_attempts,
            publish=_no_broker if dry_run else partial(publish, producer),
            note=_no_note if dry_run else note,
            told=told,
            forgotten=partial(_is_forgotten, letters.forgotten),
        )
        return await task.run(letters.read(event_ids))


def _is_forgotten(forgotten: Forgotten, letter: Letter) -> bool:
    named = named_in(letter.key, letter.value)
    at = datetime.fromtimestamp(min(max(letter.reason.timestamp_ms, 0), _LAST_MS) / 1000, UTC)
    products = named.products | ({letter.product_id} if letter.product_id is not None else set())
    events = named.events | {letter.event_id}
    return any(map(forgotten.knows_event, events)) or any(forgotten.knows_product(one, at) for one in products)


async def _check_topics(bootstrap: str) -> None:
    async with admin_client(bootstrap) as admin:
        missing = set(SOURCES) - set(await admin.list_topics())
    if missing:
        raise TopicMissing(f"There is no topic {' and no topic '.join(missing)}.", hint="Run `aisle topics create`.")


async def _no_broker(_topic: str, _record: OutRecord) -> Awaitable[None]:
    return asyncio.sleep(0)


async def _no_note(_letters: list[Letter]) -> None:
    """A dry run is no action."""
