"""What the dashboards show: a line a panel, its unit in Grafana's words, and its queries by legend."""

from dataclasses import dataclass
from typing import Final

_EVERY: Final = "$__rate_interval"


@dataclass(frozen=True)
class Panel:
    """One picture.

    Args:
        title: Over it.
        unit: As Grafana calls it: short, s, bytes, percentunit, ops and so on.
        queries: PromQL by legend, which may name labels as ``{{label}}``.
        kind: timeseries, or stat for the last value alone.
        says: What to make of it.
    """

    title: str
    unit: str
    queries: dict[str, str]
    kind: str = "timeseries"
    says: str = ""


@dataclass(frozen=True)
class Dashboard:
    """A page: its name in the address, its title and panels."""

    uid: str
    title: str
    panels: tuple[Panel, ...]


def _quantile(of: float, name: str, by: str = "") -> str:
    return f"histogram_quantile({of}, sum by ({', '.join(filter(None, ('le', by)))}) (rate({name}_bucket[{_EVERY}])))"


def _mean(name: str, by: str) -> str:
    return f"sum by ({by}) (rate({name}_sum[{_EVERY}])) / sum by ({by}) (rate({name}_count[{_EVERY}]))"


def _rate(name: str, by: str) -> str:
    return f"sum by ({by}) (rate({name}[{_EVERY}]))"


_PREDICTIONS: Final = "aisle_predictions_total"
_REVIEWED: Final = f'(sum(rate({_PREDICTIONS}{{needs_review="true"}}[{_EVERY}])) or vector(0))'
_FAILED: Final = f'(sum(rate(aisle_http_requests_total{{status=~"5.."}}[{_EVERY}])) or vector(0))'

STREAM: Final = Dashboard(
    "aisle-stream",
    "aisle: stream",
    (
        Panel("Ready", "short", {"ready": "sum(aisle_process_ready)", "all": "count(aisle_process_ready)"}, "stat"),
        Panel("Not done", "short", {"{{group}}": "sum by (group) (aisle:consumer_lag_records:sum)"}, "stat"),
        Panel("Into topics", "ops", {"{{topic}}": "aisle:topic_records:rate5m"}, says="By offsets: whoever writes."),
        Panel("Taken", "ops", {"{{worker}}, {{topic}}": _rate("aisle_records_received_total", "worker, topic")}),
        Panel("Done", "ops", {"{{worker}}": _rate("aisle_records_processed_total", "worker")}),
        Panel("Published", "ops", {"{{worker}}, {{topic}}": _rate("aisle_records_published_total", "worker, topic")}),
        Panel("Lag", "short", {"{{group}}, {{topic}}": "aisle:consumer_lag_records:sum"}),
        Panel(
            "Lag by partition",
            "short",
            {
                "{{group}}, {{topic}} {{partition}}": (
                    "topk(10, max by (group, topic, partition) (aisle_consumer_lag_records))"
                )
            },
            says="The ten largest. One partition alone behind: see its worker's log for careful mode.",
        ),
        Panel(
            "Dead letters",
            "short",
            {"{{stage}}, {{reason}}": "sum by (stage, reason) (aisle_dead_letters_total)"},
            says="Since the workers started.",
        ),
        Panel(
            "A batch takes",
            "s",
            {
                "{{worker}}, half": _quantile(0.5, "aisle_batch_duration_seconds", "worker"),
                "{{worker}}, 99 %": _quantile(0.99, "aisle_batch_duration_seconds", "worker"),
            },
        ),
        Panel("Events in a batch", "short", {"{{worker}}": _mean("aisle_batch_events", "worker")}),
        Panel("Bytes in a batch", "bytes", {"{{worker}}": _mean("aisle_batch_bytes", "worker")}),
        Panel("Held back for more", "s", {"{{worker}}": _mean("aisle_batch_wait_seconds", "worker")}),
        Panel(
            "Fitted cost",
            "s",
            {
                "{{worker}}, an event": "avg by (worker) (aisle_batch_cost_per_event_seconds)",
                "{{worker}}, a batch": "avg by (worker) (aisle_batch_cost_per_batch_seconds)",
            },
        ),
        Panel(
            "Batch limit and open batches",
            "short",
            {
                "{{worker}}, limit": "avg by (worker) (aisle_batch_limit_events)",
                "{{worker}}, open": "sum by (worker) (aisle_open_batches)",
            },
        ),
        Panel("Open bytes", "bytes", {"{{instance}}": "aisle_open_bytes"}),
        Panel("Stored", "ops", {"{{worker}}, {{collection}}": _rate("aisle_store_writes_total", "worker, collection")}),
        Panel(
            "A bulk write takes", "s", {"{{worker}}": _mean("aisle_store_write_duration_seconds", "worker") + " >= 0"}
        ),
        Panel(
            "Store failures", "ops", {"{{worker}}, {{outcome}}": _rate("aisle_store_failures_total", "worker, outcome")}
        ),
        Panel("Event loop late, 99 %", "s", {"{{instance}}": "aisle:event_loop_lag_seconds:p99"}),
        Panel("Memory", "bytes", {"{{instance}}": "process_resident_memory_bytes"}),
        Panel("Processors", "short", {"{{instance}}": f"rate(process_cpu_seconds_total[{_EVERY}])"}),
        Panel(
            "Disk free",
            "percentunit",
            {"{{instance}}": "min by (instance) (aisle_data_free_bytes / aisle_data_size_bytes)"},
        ),
    ),
)

LEARNING: Final = Dashboard(
    "aisle-learning",
    "aisle: model and learning",
    (
        Panel(
            "In service", "short", {"{{version}}": 'count by (version) (aisle_model_info{worker="classify"})'}, "stat"
        ),
        Panel(
            "Since", "s", {"{{instance}}": 'time() - aisle_model_since_timestamp_seconds{worker="classify"}'}, "stat"
        ),
        Panel("Alerts of the monitor", "short", {"{{kind}}": "max by (kind) (aisle_alerts)"}, "stat"),
        Panel("Who decides", "ops", {"{{decided_by}}": _rate(_PREDICTIONS, "decided_by")}),
        Panel("For review", "percentunit", {"share": f"{_REVIEWED} / sum(rate({_PREDICTIONS}[{_EVERY}]))"}),
        Panel(
            "Confidence",
            "percentunit",
            {
                "a tenth is below": _quantile(0.1, "aisle_prediction_confidence_ratio"),
                "half": _quantile(0.5, "aisle_prediction_confidence_ratio"),
            },
        ),
        Panel("Swaps", "short", {"{{outcome}}": "sum by (outcome) (aisle_model_swaps_total)"}),
        Panel("Contents decided by people", "short", {"contents": "max(aisle_decided_contents)"}),
        Panel(
            "Scores by people's verdicts", "percentunit", {"{{score}}": "max by (score) (aisle_verdict_score_ratio)"}
        ),
        Panel("Drifted columns", "percentunit", {"{{version}}": "max by (version) (aisle_drifted_columns_ratio)"}),
        Panel("Drift by column (PSI)", "short", {"{{column}}": "max by (column) (aisle_drift_psi)"}),
        Panel("Canaries", "short", {"{{outcome}}": "max by (outcome) (aisle_canaries)"}),
        Panel("Age of the last check", "s", {"{{kind}}": "time() - max by (kind) (aisle_check_timestamp_seconds)"}),
        Panel("Retraining runs", "short", {"{{state}}": "sum by (state) (aisle_retrain_runs_total)"}),
        Panel("The gate", "short", {"{{outcome}}": "sum by (outcome) (aisle_retrain_gate_total)"}),
        Panel("Training now", "short", {"runs": "sum(aisle_retrain_started_timestamp_seconds > bool 0)"}, "stat"),
    ),
)

GATEWAY: Final = Dashboard(
    "aisle-gateway",
    "aisle: gateway",
    (
        Panel("Ready", "short", {"gateways": 'sum(aisle_process_ready{worker="gateway"})'}, "stat"),
        Panel("Requests", "reqps", {"{{status}}": _rate("aisle_http_requests_total", "status")}),
        Panel("By method", "reqps", {"{{method}}": _rate("aisle_http_requests_total", "method")}),
        Panel("Failures", "percentunit", {"5xx": f"{_FAILED} / sum(rate(aisle_http_requests_total[{_EVERY}]))"}),
        Panel(
            "Predictions asked for", "reqps", {"a second": f"sum(rate(aisle_predict_duration_seconds_count[{_EVERY}]))"}
        ),
        Panel(
            "A prediction takes",
            "s",
            {f"{of:.0%}": _quantile(of, "aisle_predict_duration_seconds") for of in (0.5, 0.95, 0.99)},
        ),
        Panel(
            "Event loop late, 99 %",
            "s",
            {"{{instance}}": 'aisle:event_loop_lag_seconds:p99{worker="gateway"}'},
        ),
        Panel("Memory", "bytes", {"{{instance}}": 'process_resident_memory_bytes{worker="gateway"}'}),
        Panel(
            "Processors", "short", {"{{instance}}": f'rate(process_cpu_seconds_total{{worker="gateway"}}[{_EVERY}])'}
        ),
    ),
)

DASHBOARDS: Final = (STREAM, LEARNING, GATEWAY)
