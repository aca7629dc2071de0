"""Steps of what is traced, as spans below the current one; outside of any trace they are none."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, StatusCode, get_current_span
from opentelemetry.util.types import AttributeValue

from infra.tracing import tracing


@contextmanager
def step(
    name: str, attributes: Mapping[str, AttributeValue] | None = None, *, kind: SpanKind = SpanKind.INTERNAL
) -> Iterator[Span]:
    """Note how long the context takes, and of which kind is what it raises.

    Args:
        name: Of a few that there are: no ids.
        attributes: Further facts; never what a product says.
        kind: As OpenTelemetry has it.
    """
    on = tracing()
    if on is None or not get_current_span().is_recording():
        yield INVALID_SPAN
        return
    with (
        on.tracer.start_as_current_span(
            name, kind=kind, attributes=attributes, record_exception=False, set_status_on_exception=False
        ) as span,
        failing(span),
    ):
        yield span


@contextmanager
def failing(span: Span) -> Iterator[None]:
    """Note in a span of which kind is what the context raises: message and traceback may quote a product."""
    try:
        yield
    except Exception as error:
        fail(span, type(error).__name__)
        raise


def fail(span: Span, why: str) -> None:
    """Note in a span what was wrong.

    Args:
        span: The span.
        why: One of a few names; never what a product says.
    """
    span.set_status(StatusCode.ERROR, why)
    span.set_attribute("error.type", why)
