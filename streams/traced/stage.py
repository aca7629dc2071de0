"""A stage with spans around its steps."""

from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from aiokafka.structs import ConsumerRecord
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, set_span_in_context
from opentelemetry.util.types import AttributeValue

from infra.tracing.export import Tracing
from infra.tracing.headers import context_of
from infra.tracing.steps import step
from schemas import headers as names
from schemas.headers import last_text
from streams.commit import Stage
from streams.decode import id_of
from streams.traced.batch import Batch

W = TypeVar("W")
R = TypeVar("R")

_SENT_AGAIN: Final = (names.REPLAY, names.ATTEMPTS)


class TracedStage(Generic[W, R]):
    """A stage with spans around its steps.

    Args:
        stage: What it is put around.
        tracing: How this process traces.
        worker: Its name.
        begins: Whether events without a trace get one, as often as is sampled.
        told: Puts into a batch's spans what came of its events.
    """

    def __init__(
        self,
        stage: Stage[W, R],
        tracing: Tracing,
        worker: str,
        *,
        begins: bool = False,
        told: Callable[[Batch, R], None] = lambda _batch, _results: None,
    ) -> None:
        self._stage = stage
        self._tracing = tracing
        self._name = f"{worker} batch"
        self._begins = begins
        self._told = told

    def decode(self, records: Sequence[ConsumerRecord]) -> tuple[W, Batch | None]:
        """As the stage does."""
        traced = [(id_of(record), span) for record in records if (span := self._span(record)) is not None]
        if not traced:
            return self._stage.decode(records), None
        batch = Batch(self._tracing, self._name, len(records), traced)
        with batch.current(), step("decode"):
            return self._stage.decode(records), batch

    async def work(self, decoded: tuple[W, Batch | None]) -> tuple[R, Batch | None]:
        """As the stage does."""
        some, batch = decoded
        if batch is None:
            return await self._stage.work(some), None
        with batch.current():
            return await self._stage.work(some), batch

    async def deliver(self, results: tuple[R, Batch | None]) -> None:
        """As the stage does; then all spans of the batch end."""
        some, batch = results
        if batch is None:
            await self._stage.deliver(some)
            return
        with batch.current():
            self._told(batch, some)
            await self._stage.deliver(some)
        batch.end()

    def condemn(self, records: Sequence[ConsumerRecord], tries: int) -> tuple[R, Batch | None]:
        """As the stage does; in what ends processes nobody looks for a trace."""
        return self._stage.condemn(records, tries), None

    def _span(self, record: ConsumerRecord) -> Span | None:
        """The span of an event; None for one without a trace.

        What is sent again, by a replay or after a dead letter, begins a trace with a link to the one before. Where that
        is not sampled there is a span all the same, which records nothing: what follows belongs to no trace.
        """
        before = context_of(record.headers)
        again = record.headers and any(last_text(record.headers, name) is not None for name in _SENT_AGAIN)
        if before is not None and not again:
            if not before.trace_flags.sampled:
                return None
            return self._started(record, set_span_in_context(NonRecordingSpan(before), Context()))
        if not self._begins:
            return None
        span = self._started(record, Context(), before)
        return span if span.is_recording() or before is not None else None

    def _started(self, record: ConsumerRecord, parent: Context, before: SpanContext | None = None) -> Span:
        attributes: dict[str, AttributeValue] = {
            "messaging.system": "kafka",
            "messaging.operation.type": "process",
            "messaging.destination.name": record.topic,
            "messaging.destination.partition.id": str(record.partition),
            "messaging.kafka.offset": record.offset,
        }
        links = () if before is None else (Link(before),)
        span = self._tracing.tracer.start_span(
            f"process {record.topic}", parent, SpanKind.CONSUMER, attributes, links=links
        )
        if span.is_recording():
            span.set_attribute("aisle.event_id", id_of(record))
        return span
