"""Of the monitor: what its checks found, and how far behind the consumer groups are."""

from collections.abc import Mapping
from typing import Any, Final

from infra.metrics import Declare

_declare: Final = Declare("monitor")

ALERTS: Final = _declare.gauge("aisle_alerts", "What the last check of a kind found wrong.", "kind")
CHECKED: Final = _declare.gauge("aisle_check_timestamp_seconds", "When the last check of a kind was made.", "kind")
DRIFTED: Final = _declare.gauge(
    "aisle_drifted_columns_ratio", "Part of the columns that have drifted since a champion was made.", "version"
)
PSI: Final = _declare.gauge("aisle_drift_psi", "Population stability index of a column.", "column")
QUALITY: Final = _declare.gauge(
    "aisle_verdict_score_ratio",
    "By people's last verdicts: accuracy, weighed_accuracy (of all answers), weighted_f1.",
    "score",
)
CANARIES: Final = _declare.gauge("aisle_canaries", "Canaries of the last check: sent, answered, right.", "outcome")
LAG: Final = _declare.gauge(
    "aisle_consumer_lag_records",
    "Records of a partition that a consumer group has not done, by its commits.",
    "group",
    "topic",
    "partition",
)
TOPIC_END: Final = _declare.gauge(
    "aisle_topic_end_offset", "Offset of the next record of a partition.", "topic", "partition"
)

_FOUND: Final = (ALERTS, CHECKED, DRIFTED, PSI, QUALITY, CANARIES)


def show_check(check: Mapping[str, Any]) -> None:
    """Show what a check found.

    Args:
        check: As the collection has it.
    """
    kind = check["kind"]
    ALERTS.labels(kind=kind).set(len(check["causes"]))
    CHECKED.labels(kind=kind).set(check["at"].timestamp())
    if kind == "drift":
        DRIFTED.clear()
        DRIFTED.labels(version=check["model_version"]).set(check["share"])
        PSI.clear()  # a column that could not be judged is not there
        for column in check.get("columns", ()):
            PSI.labels(column=column["name"]).set(column["psi"])
    elif kind == "accuracy":
        QUALITY.clear()  # a score that too few verdicts give is not there
        for score in ("accuracy", "weighed_accuracy", "weighted_f1"):
            if score in check:
                QUALITY.labels(score=score).set(check[score])
    elif kind == "canary":
        for outcome in ("sent", "answered", "right"):
            CANARIES.labels(outcome=outcome).set(check.get(outcome, 0))


def show_nothing() -> None:
    """Forget what checks found: another monitor makes them now."""
    for metric in _FOUND:
        metric.clear()
