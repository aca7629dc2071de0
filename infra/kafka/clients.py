"""Plain Kafka clients: for commands and for what is read outside a consumer group."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from time import monotonic

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord

from infra.errors import BrokerRefused, BrokerUnavailable
from infra.kafka.fetch import fetch
from infra.kafka.reader import Reader
from infra.kafka.refusal import why_refused
from infra.kafka.security import Security, client_security
from infra.logging import get_logger
from schemas.limits import KIB, MAX_RECORD_BYTES

_POLL_MS = 500
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 5.0
_TELL_EVERY_S = 30.0
_METADATA_MS = 10_000  # how late a reader notices new partitions

logger = get_logger(__name__)


@asynccontextmanager
async def admin_client(bootstrap: str, security: Security | None = None) -> AsyncIterator[AIOKafkaAdminClient]:
    """An admin client, connected.

    Args:
        bootstrap: ``host:port`` of the brokers.
        security: How they are spoken to; None: as this process's settings say, here and in the others below.

    Raises:
        BrokerUnavailable: No broker answers.
        BrokerRefused: One does, and does not let us in, or cannot be trusted.
    """
    security = security or client_security()
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=15_000, **security.arguments())
    async with _connected(bootstrap, security, client.start, client.close):
        yield client


@asynccontextmanager
async def producer_client(
    bootstrap: str, *, compression: str | None = None, idempotent: bool = True, linger_ms: int = 5
) -> AsyncIterator[AIOKafkaProducer]:
    """A producer, connected; flushed at the end.

    Args:
        bootstrap: ``host:port`` of the brokers.
        compression: A codec of Kafka's.
        idempotent: Writes nothing twice and tries without end. It sends nothing more to a partition once the
            broker refused a record there, which leaves a gap in its sequence numbers.
        linger_ms: How long a record waits for others to go with it.

    Raises:
        BrokerUnavailable: As ``admin_client``.
    """
    security = client_security()
    client = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        enable_idempotence=idempotent,
        acks="all",
        linger_ms=linger_ms,
        max_batch_size=256 * KIB,
        max_request_size=MAX_RECORD_BYTES + 64 * KIB,
        compression_type=compression,
        **security.arguments(),
    )
    async with _connected(bootstrap, security, client.start, client.stop):
        yield client


@asynccontextmanager
async def reader_client(bootstrap: str, *topics: str, from_start: bool) -> AsyncIterator[Reader]:
    """A consumer of whole topics outside any group, connected; partitions that come are read from their beginning.

    Args:
        bootstrap: ``host:port`` of the brokers.
        topics: What to read.
        from_start: From the earliest record; else only what arrives from now on.

    Raises:
        BrokerUnavailable: As ``admin_client``.
    """
    security = client_security()
    client = Reader(
        *topics,
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest" if from_start else "latest",
        enable_auto_commit=False,
        metadata_max_age_ms=_METADATA_MS,
        max_partition_fetch_bytes=MAX_RECORD_BYTES + 64 * KIB,
        **security.arguments(),
    )
    async with _connected(bootstrap, security, client.start, client.stop):
        yield client


async def records(reader: Reader) -> AsyncIterator[ConsumerRecord]:
    """Every record of a reader as it comes."""
    async for some in batches(reader):
        for record in some:
            yield record


async def batches(reader: Reader) -> AsyncIterator[list[ConsumerRecord]]:
    """What a reader fetches, each partition's records in order; empty when nothing has come for half a second."""
    while True:
        fetch_records = partial(reader.getmany, timeout_ms=_POLL_MS)
        fetched = await fetch(reader, reader.assignment(), fetch_records)
        yield [record for rows in fetched.values() for record in rows]


async def wait_for_broker(
    bootstrap: str, timeout_s: float | None = None, tell: Callable[[str], None] = lambda _why: None
) -> None:
    """Return once a broker answers, asking with growing pauses; one that refuses us may come to let us in.

    Args:
        bootstrap: ``host:port`` of the brokers.
        timeout_s: Longest wait in seconds; None waits as long as it takes.
        tell: Gets why it waits, each time.

    Raises:
        BrokerUnavailable: None answered in time.
    """
    started, pause, told_s = monotonic(), _FIRST_PAUSE_S, float("-inf")
    while True:
        try:
            async with admin_client(bootstrap):
                return
        except BrokerUnavailable as error:
            tell(str(error))
            waited = monotonic() - started
            if timeout_s is not None and waited + pause > timeout_s:
                raise
            if waited - told_s >= _TELL_EVERY_S:
                logger.warning("waiting for the broker", bootstrap=bootstrap, why=error.message, waited_s=round(waited))
                told_s = waited
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_S)


@asynccontextmanager
async def _connected(
    bootstrap: str, security: Security, start: Callable[[], Awaitable[None]], stop: Callable[[], Awaitable[None]]
) -> AsyncIterator[None]:
    try:
        # aiokafka takes a token that was refused for one that was accepted, and its clients start with no brokers.
        refused = await why_refused(bootstrap, security) if security.tokens is not None else None
        if refused is not None:
            raise refused
        await start()
    except (KafkaError, OSError, BrokerRefused) as error:
        await stop()
        if isinstance(error, BrokerRefused):
            raise
        if (refused := await why_refused(bootstrap, security)) is not None:
            raise refused from error
        raise BrokerUnavailable(
            f"No Kafka broker answers at {bootstrap}.",
            hint="Start one with `aisle up`, or set AISLE_KAFKA_BOOTSTRAP to yours.",
        ) from error
    try:
        yield
    finally:
        await stop()
