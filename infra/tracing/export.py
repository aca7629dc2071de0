"""Spans on their way to a collector: a bounded queue, a thread that empties it, and a count of what is lost.

Nothing here is waited for by what is traced, whatever the collector does.
"""

import os
import socket
from collections.abc import Callable, Sequence
from threading import Lock, Thread
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from infra.logging import get_logger
from infra.metrics.tracing import SPANS
from infra.settings import Settings

_PATH: Final = "/v1/traces"
_WAITING: Final = 4_096  # spans: some 10 MB, and what is traced in the seconds that a collector takes to start anew
_AT_A_TIME: Final = 512
_EVERY_MS: Final = 1_000
_ANSWER_S: Final = 5.0
_LAST_S: Final = 2.0

logger = get_logger(__name__)


class Tracing:
    """How a process traces.

    Args:
        provider: Makes its spans.
    """

    def __init__(self, provider: TracerProvider) -> None:
        self.provider = provider
        self.tracer = provider.get_tracer("aisle")

    @classmethod
    def to_collector(cls, settings: Settings, worker: str) -> "Tracing":
        """Send what is sampled to the collector of the settings."""
        endpoint = f"{settings.tracing_otlp_endpoint}{_PATH}"
        logger.info("tracing", sample_ratio=settings.tracing_sample_ratio)
        return cls(_provider(settings, worker, OTLPSpanExporter(endpoint, timeout=_ANSWER_S)))

    def end(self) -> None:
        """Send what waits, for two seconds at most: a collector that is away holds no process up."""
        last = Thread(target=self.provider.shutdown, name="last spans", daemon=True)
        last.start()
        last.join(_LAST_S)


def _provider(settings: Settings, worker: str, exporter: SpanExporter) -> TracerProvider:
    """Makes spans: of a trace that comes from elsewhere as it was decided there, of others a share."""
    resource = Resource.create(
        {
            "service.namespace": settings.tracing_service,
            "service.name": f"{settings.tracing_service}-{worker}",
            "service.instance.id": settings.instance_id or f"{socket.gethostname()}-{os.getpid()}",
        }
    )
    sampler = ParentBased(TraceIdRatioBased(settings.tracing_sample_ratio))
    provider = TracerProvider(sampler=sampler, resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(Bounded(exporter))
    return provider


class Bounded(BatchSpanProcessor):
    """Hands spans on in batches from a thread of its own, and counts those for which there is no room.

    The SDK's own queue drops the oldest without telling anybody: it never gets full here.

    Args:
        exporter: Sends them; may block for seconds.
        most: Spans that may wait.
        every_ms: How often it sends.
    """

    def __init__(self, exporter: SpanExporter, most: int = _WAITING, every_ms: float = _EVERY_MS) -> None:
        self._most = most
        self._waiting = 0
        self._lock = Lock()
        super().__init__(
            _Counting(exporter, self._taken),
            max_queue_size=most,
            schedule_delay_millis=every_ms,
            max_export_batch_size=min(_AT_A_TIME, most),
        )

    def on_end(self, span: ReadableSpan) -> None:
        """Take a span, if there is room for it."""
        with self._lock:
            room = self._waiting < self._most
            self._waiting += room
        if room:
            super().on_end(span)
        else:
            SPANS.labels(outcome="dropped").inc()

    def _taken(self, count: int) -> None:
        with self._lock:
            self._waiting -= count


class _Counting(SpanExporter):
    def __init__(self, exporter: SpanExporter, taken: Callable[[int], None]) -> None:
        self._exporter = exporter
        self._taken = taken

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans and count what became of them; nothing is raised, and nothing sent again."""
        self._taken(len(spans))
        try:
            result = self._exporter.export(spans)
        except Exception:
            logger.exception("spans not sent", count=len(spans))
            result = SpanExportResult.FAILURE
        sent = result is SpanExportResult.SUCCESS
        SPANS.labels(outcome="sent" if sent else "lost").inc(len(spans))
        return result

    def shutdown(self) -> None:
        """Close its connections."""
        self._exporter.shutdown()
