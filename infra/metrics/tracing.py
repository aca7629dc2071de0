"""Of traces: what became of their spans."""

from typing import Final

from infra.metrics import Declare

_declare: Final = Declare("classify", "archive", "gateway")

SPANS: Final = _declare.counter(
    "aisle_trace_spans_total",
    "Spans of traces, where a collector is set: sent to it, refused by it or lost on the way, or dropped because too "
    "many were waiting.",
    "outcome",
)
