"""Of the processes with a store: what they write, and whether it answers."""

from typing import Final

from infra.metrics import Declare

_declare: Final = Declare("archive", "retrain", "monitor", "gateway")

STORE_WRITES: Final = _declare.counter(
    "aisle_store_writes_total", "Upserts that the store took; a batch that is repeated counts again.", "collection"
)
STORE_TOOK: Final = _declare.histogram("aisle_store_write_duration_seconds", "How long a bulk of upserts took.")
STORE_FAILURES: Final = _declare.counter(
    "aisle_store_failures_total", "Commands that failed, as the store was away or refused them.", "outcome"
)

for _outcome in ("away", "refused"):
    STORE_FAILURES.labels(outcome=_outcome)
