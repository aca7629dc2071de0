"""Of the retraining worker: its runs, and what the gate says."""

from typing import Final

from infra.metrics import Declare
from infra.runs import ENDED

_declare: Final = Declare("retrain")

RUNS: Final = _declare.counter("aisle_retrain_runs_total", "Retraining runs that ended, by how.", "state")
GATE: Final = _declare.counter(
    "aisle_retrain_gate_total", "Models that the gate judged, by what it said: passed or refused.", "outcome"
)
STARTED: Final = _declare.gauge(
    "aisle_retrain_started_timestamp_seconds", "When the run under way was begun; 0 when there is none."
)

for _state in ENDED:
    RUNS.labels(state=_state)
for _outcome in ("passed", "refused"):
    GATE.labels(outcome=_outcome)
