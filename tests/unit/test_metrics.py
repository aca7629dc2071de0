"""The metrics: named by Prometheus' conventions, documented, and counted once a batch."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from infra.kafka.topics import ANSWERS
from infra.metrics import REGISTRY, exposition
from infra.metrics.answers import count_answers
from infra.metrics.catalogue import catalogue
from infra.metrics.monitor import show_check, show_nothing
from infra.metrics.process import watch_disk
from scripts.schema import metrics
from streams.errors import EventFatal
from tests.unit.test_monitor import NOON

ROOT = Path(__file__).parents[2]
PROMTOOL = shutil.which("promtool")


@dataclass
class Answer:
    """What is counted of a prediction."""

    decided_by: str
    needs_review: bool
    confidence: float


def value(name: str, **labels: str) -> float | None:
    """A figure as it is now."""
    return REGISTRY.get_sample_value(name, labels)


def test_the_page_is_what_the_code_says() -> None:
    """docs/metrics.md ends with what `aisle schema metrics` prints; run that command to renew it."""
    table = CliRunner().invoke(metrics).output

    assert table.count("\n") > 30
    assert (ROOT / "docs" / "metrics.md").read_text().endswith(f"\n\n{table}")


def test_everything_that_is_collected_is_documented() -> None:
    """No figure comes from elsewhere, and each that is declared is there under its name and type."""
    declared = {(one.name.removesuffix("_total"), one.kind) for one in catalogue()}
    collected = {(family.name, family.type) for family in REGISTRY.collect()}

    assert collected <= declared
    assert {name for name, _ in declared - collected} <= {"process_max_fds"}  # not where the system has no limit


@pytest.mark.parametrize("metric", catalogue(), ids=lambda metric: metric.name)
def test_a_name_follows_the_conventions(metric: object) -> None:
    """Counters end with `_total` and nothing else does; units are base units; labels name no single thing."""
    name, kind, labels = metric.name, metric.kind, metric.labels  # type: ignore[attr-defined]

    assert re.fullmatch(r"(aisle|process)_[a-z0-9]+(_[a-z0-9]+)*", name)
    assert (kind == "counter") == name.endswith("_total")
    assert not re.search(r"_(ms|milliseconds|minutes|hours|kb|mb|percent|count|sum|bucket)(_|$)", name)
    assert not {"event_id", "product_id", "user", "path", "le"} & set(labels)


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (apt-get install prometheus)")
def test_prometheus_own_linter_finds_nothing() -> None:
    """`promtool check metrics` reads the exposition and has nothing to say."""
    catalogue()
    found = subprocess.run([str(PROMTOOL), "check", "metrics"], input=exposition(), capture_output=True, check=False)

    assert (0, b"") == (found.returncode, found.stderr)


def test_a_batch_of_answers_is_counted_at_once() -> None:
    """By who decided and whether it needs review; the confidences fall into the buckets that Prometheus defines."""
    before = {name: value(name) or 0 for name in ("aisle_prediction_confidence_ratio_sum",)}
    low = value("aisle_prediction_confidence_ratio_bucket", le="0.5") or 0
    fast = value("aisle_predictions_total", decided_by="fast", needs_review="false") or 0

    count_answers([Answer("fast", False, 0.97), Answer("fast", False, 0.5), Answer("rich", True, 0.31)])

    assert fast + 2 == value("aisle_predictions_total", decided_by="fast", needs_review="false")
    assert low + 2 == value("aisle_prediction_confidence_ratio_bucket", le="0.5")  # 0.5 is within its own bound
    total = value("aisle_prediction_confidence_ratio_count")
    assert total == value("aisle_prediction_confidence_ratio_bucket", le="+Inf")
    assert pytest.approx(before["aisle_prediction_confidence_ratio_sum"] + 1.78) == value(
        "aisle_prediction_confidence_ratio_sum"
    )


def test_the_first_poison_of_a_process_is_an_increase() -> None:
    """Its series is there, with 0, before any: the process that makes it has just begun, after one that it ended."""
    code = "import infra.metrics.stream; from infra.metrics import exposition; print(exposition().decode())"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    (family,) = [one for one in text_string_to_metric_families(shown) if one.name == "aisle_dead_letters"]

    named = [dict(one.labels) for one in family.samples if one.value == 0]
    for topic in ANSWERS:
        assert {"topic": topic, "stage": "poison", "reason": EventFatal.code} in named


def test_what_a_check_found_is_shown_until_another_monitor_works() -> None:
    """Scores that a check does not have are not shown as they were before; nor anything once another makes them."""
    check = {"kind": "accuracy", "at": NOON, "model_version": "v1", "causes": {"accuracy": "low"}}
    show_check(check | {"accuracy": 0.61, "weighted_f1": 0.6})
    assert value("aisle_verdict_score_ratio", score="accuracy") == 0.61
    assert value("aisle_alerts", kind="accuracy") == 1

    show_check(check | {"causes": {}})
    assert value("aisle_verdict_score_ratio", score="accuracy") is None
    assert value("aisle_alerts", kind="accuracy") == 0

    drift = {"kind": "drift", "share": 0.5, "columns": [{"name": "language", "psi": 0.3}], "causes": {}}
    show_check(check | drift)
    assert value("aisle_drifted_columns_ratio", version="v1") == 0.5
    assert value("aisle_drift_psi", column="language") == 0.3
    show_check(check | drift | {"columns": []})
    assert value("aisle_drift_psi", column="language") is None
    show_check(check | {"kind": "canary", "sent": 5, "answered": 5, "right": 4})
    assert value("aisle_canaries", outcome="right") == 4
    assert value("aisle_check_timestamp_seconds", kind="canary") == NOON.timestamp()

    show_nothing()
    families = {one.name: one.samples for one in text_string_to_metric_families(exposition().decode())}
    assert [] == families["aisle_alerts"]
    assert [] == families["aisle_verdict_score_ratio"]


def test_a_disk_that_cannot_be_looked_at_has_no_figures(tmp_path: Path) -> None:
    """The disk of the data directory; where there is no such directory, no number, and no failure."""
    watch_disk(tmp_path)
    free, size = value("aisle_data_free_bytes"), value("aisle_data_size_bytes")
    assert free is not None
    assert size is not None
    assert 0 < free < size

    watch_disk(tmp_path / "gone")
    assert value("aisle_data_free_bytes") != value("aisle_data_free_bytes")  # not a number
