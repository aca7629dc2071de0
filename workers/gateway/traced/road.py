"""The way to the topic and back, with spans for sending and waiting."""

from opentelemetry.trace import SpanKind

from infra.tracing import tracing
from infra.tracing.headers import headers_now
from infra.tracing.steps import failing, step
from schemas.product import Product
from schemas.topics import PRODUCTS_IN
from workers.gateway.road.answers import Answer
from workers.gateway.road.submit import Road


class TracedRoad(Road):
    """The way to the topic and back, with spans.

    Args:
        answers: Follows what is answered.
    """

    async def publish(self, product: Product, event_id: str) -> None:
        """As any road does; of a file's products each begins a trace."""
        on = tracing()
        assert on is not None  # noqa: S101 - or this were a plain road
        attributes = {
            "messaging.system": "kafka",
            "messaging.operation.type": "send",
            "messaging.destination.name": PRODUCTS_IN,
            "aisle.event_id": event_id,
        }
        sending = on.tracer.start_as_current_span(
            f"send {PRODUCTS_IN}",
            kind=SpanKind.PRODUCER,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        )
        with sending as span, failing(span):
            await super().publish(product, event_id)

    async def wait(self, answer: Answer, within_s: float) -> None:
        """As any road does."""
        with step("wait for the answer"):
            await super().wait(answer, within_s)

    def context(self) -> list[tuple[str, bytes]]:
        """The headers of a record that is sent now."""
        return headers_now()
