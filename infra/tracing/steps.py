"""Steps of what is traced, as spans below the current one; outside of any trace they are none."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, get_current_span
from opentelemetry.util.types import AttributeValue

from infra.tracing import tracing


@contextmanager
def step(
    name: str, attributes: Mapping[str, AttributeValue] | None = None, *, kind: SpanKind = SpanKind.INTERNAL
) -> Iterator[Span]:
    """Note how long the context takes, and what it raises.

    Args:
        name: Of a few that there are: no ids.
        attributes: Further facts; never what a product says.
        kind: As OpenTelemetry has it.
    """
    on = tracing()
    if on is None or not get_current_span().is_recording():
        yield INVALID_SPAN
        return
    with on.tracer.start_as_current_span(name, kind=kind, attributes=attributes) as span:
        yield span
