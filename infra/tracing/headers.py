"""Trace context in the headers of records, as W3C writes it."""

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanContext, get_current_span, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from schemas.headers import TRACEPARENT, TRACESTATE, Headers, last_text

_W3C = TraceContextTextMapPropagator()


def context_of(headers: Headers) -> SpanContext | None:
    """The span that a record was sent from; None where its headers do not say so."""
    parent = last_text(headers, TRACEPARENT) if headers else None
    if parent is None:
        return None
    carrier = {TRACEPARENT: parent, TRACESTATE: last_text(headers, TRACESTATE) or ""}
    found = get_current_span(_W3C.extract(carrier, Context())).get_span_context()
    return found if found.is_valid else None


def headers_of(span: Span) -> list[tuple[str, bytes]]:
    """The headers of a record that is sent from a span."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier, set_span_in_context(span))
    return [(name, value.encode()) for name, value in carrier.items()]


def headers_now() -> list[tuple[str, bytes]]:
    """The headers of a record that is sent now; none outside of any trace."""
    return headers_of(get_current_span())
