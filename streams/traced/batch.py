"""The spans of a batch.

Each traced event of a batch gets a span in its own trace. The batch's own span, with those of its steps below it, is in
the trace of the first of them, and has links to all: a step takes many events at once.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Link, Span, set_span_in_context, use_span

from infra.tracing.export import Tracing
from infra.tracing.steps import fail

_current: "ContextVar[Batch | None]" = ContextVar("batch", default=None)


class Batch:
    """A batch with at least one event that has a trace.

    Args:
        tracing: How this process traces.
        name: Of the batch's span.
        count: Events in the batch.
        traced: The spans of those that have one, by event id; what is not sampled has one that records nothing.
    """

    def __init__(self, tracing: Tracing, name: str, count: int, traced: Sequence[tuple[str, Span]]) -> None:
        self.events = dict(traced)
        self._spans = [span for _, span in traced if span.is_recording()]
        self.span: Span = INVALID_SPAN
        if self._spans:
            self.span = tracing.tracer.start_span(
                name,
                context=set_span_in_context(self._spans[0], Context()),
                links=[Link(span.get_span_context()) for span in self._spans],
                attributes={"messaging.batch.message_count": count, "aisle.traced_events": len(self._spans)},
            )
        for span in self._spans[1:]:
            span.add_link(self.span.get_span_context())

    @staticmethod
    def now() -> "Batch | None":
        """The batch that is worked on here."""
        return _current.get()

    @contextmanager
    def current(self) -> Iterator[None]:
        """What is done in the context is done for this batch; if it fails, all of its spans end."""
        token = _current.set(self)
        try:
            with use_span(self.span, record_exception=False, set_status_on_exception=False):
                yield
        except BaseException as error:
            self.end(type(error).__name__)
            raise
        finally:
            _current.reset(token)

    def end(self, why: str | None = None) -> None:
        """All is done, or has failed."""
        for span in (*self._spans, self.span):
            if why is not None:
                fail(span, why)
            span.end()
