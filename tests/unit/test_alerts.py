"""The alert rules: each fires for the figures of its cause and for no others, as Prometheus' own tool finds."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from infra.metrics.catalogue import catalogue
from scripts.cli import cli

ROOT = Path(__file__).parents[2]
RULES = ROOT / "infra" / "prometheus" / "rules.yml"
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
PROMTOOL = shutil.which("promtool")
ALL: list[dict[str, Any]] = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
ALERTS = {rule["alert"]: rule for rule in ALL if "alert" in rule}

needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (apt-get install prometheus)")

Series = dict[str, str]
"""By series, its values a minute, in promtool's notation: `0+2x60` begins with 0 and grows by 2 sixty times."""


@dataclass(frozen=True)
class Case:
    """An alert, figures that cause it, and figures close to those that do not."""

    alert: str
    wrong: Series
    well: Sequence[Series]
    minutes: int = 31
    """When it is looked at."""


def gauge(name: str, wrong: str, well: str) -> tuple[Series, list[Series]]:
    """One series that is wrong at one value and well at another."""
    return {name: f"{wrong}+0x60"}, [{name: f"{well}+0x60"}]


LOOP, PREDICT = "aisle_event_loop_lag_seconds_bucket", "aisle_predict_duration_seconds_bucket"
OF = 'worker="classify", instance="classify-1"'
IDLE = 'worker="shadow", instance="shadow-1"'
LAG = 'aisle_consumer_lag_records{group="%s", topic="products.in", partition="0"}'
DLQ = 'aisle_records_published_total{topic="products.dlq", worker="classify"}'
RECEIVED = 'aisle_records_received_total{topic="products.in", worker="classify"}'
POISON = 'aisle_dead_letters_total{topic="products.in", stage="poison"}'
OK, ERROR = (
    'aisle_http_requests_total{method="GET", status="200"}',
    'aisle_http_requests_total{method="GET", status="503"}',
)
STARTED = "aisle_retrain_started_timestamp_seconds"
UP = ('up{worker="classify"}', 'up{worker="archive"}', 'up{worker="monitor"}', 'up{worker="gateway"}')

CASES = [
    Case("AisleProcessDown", *gauge(f"up{{{OF}}}", "0", "1")),
    Case("AisleWorkerMissing", dict.fromkeys(UP[1:], "1+0x60"), [dict.fromkeys(UP, "0+0x60")]),
    Case(
        "AisleWorkerNotReady",
        {f"aisle_process_ready{{{OF}}}": "0+0x60", f'aisle_process_waits{{cause="model", {OF}}}': "1+0x60"},
        [
            {f"aisle_process_ready{{{OF}}}": "1+0x60"},
            {f"aisle_process_ready{{{IDLE}}}": "0+0x60"}
            | {f'aisle_process_waits{{cause="challenger", {IDLE}}}': "1+0x60"},
        ],
    ),
    Case(
        "AisleRestarting",
        {f"process_start_time_seconds{{{OF}}}": "0+60x60"},
        [{f"process_start_time_seconds{{{OF}}}": "0+0x25 1000+0x30"}],
    ),
    Case(
        "AisleNoChampion",
        {f'aisle_process_waits{{cause="model", {OF}}}': "1+0x60"},
        [{f'aisle_process_waits{{cause="broker", {OF}}}': "1+0x60"}],
    ),
    Case(
        "AisleLagGrowing",
        {LAG % "aisle-classify": "0+100x60"},
        [
            {LAG % "aisle-classify": "50000-100x60"},
            {LAG % "aisle-classify": "0+1x60"},
            {LAG % "aisle-shadow": "0+100x60"},
        ],
    ),
    Case("AisleArchiveBehind", *gauge(LAG % "aisle-archive", "6000", "4000")),
    Case(
        "AisleLagUnknown",
        {LAG % "aisle-classify": "0+0x60"},
        [{'aisle_topic_end_offset{topic="products.in", partition="0"}': "0+0x60"}],
    ),
    Case(
        "AisleDeadLetters",
        {DLQ: "0+5x60", RECEIVED: "0+100x60"},
        [{DLQ: "0+5x60", RECEIVED: "0+1000x60"}, {DLQ: "0x25 1+0x30", RECEIVED: "0x25 5+0x30"}],
    ),
    Case("AislePoison", {POISON: "0x25 1+0x30"}, [{POISON: "0x60"}]),
    Case(
        "AisleSwapFailed",
        {f'aisle_model_swaps_total{{outcome="failed", {OF}}}': "0x25 1+0x30"},
        [{f'aisle_model_swaps_total{{outcome="swapped", {OF}}}': "0x25 1+0x30"}],
    ),
    Case(
        "AisleStoreAway",
        {f'aisle_store_failures_total{{outcome="away", {OF}}}': "0+2x60"},
        [
            {f'aisle_store_failures_total{{outcome="away", {OF}}}': "0x25 1+0x30"},
            {f'aisle_process_waits{{cause="model", {OF}}}': "1+0x60"},
        ],
    ),
    Case(
        "AisleLoopLag",
        {f'{LOOP}{{le="0.5", {OF}}}': "0+50x60", f'{LOOP}{{le="+Inf", {OF}}}': "0+60x60"}
        | {f'{LOOP}{{le="2", {OF}}}': "0+60x60"},
        [{f'{LOOP}{{le="0.5", {OF}}}': "0+60x60", f'{LOOP}{{le="+Inf", {OF}}}': "0+60x60"}],
    ),
    Case(
        "AisleDiskFull",
        {f"aisle_data_free_bytes{{{OF}}}": "9+0x60", f"aisle_data_size_bytes{{{OF}}}": "100+0x60"},
        [
            {f"aisle_data_free_bytes{{{OF}}}": "11+0x60", f"aisle_data_size_bytes{{{OF}}}": "100+0x60"},
            {f"aisle_data_free_bytes{{{OF}}}": "NaN+0x60", f"aisle_data_size_bytes{{{OF}}}": "NaN+0x60"},
        ],
    ),
    Case("AisleGatewayErrors", {OK: "0+90x60", ERROR: "0+10x60"}, [{OK: "0+99x60", ERROR: "0+1x60"}]),
    Case(
        "AislePredictSlow",
        {f'{PREDICT}{{le="1"}}': "0+50x60", f'{PREDICT}{{le="5"}}': "0+60x60", f'{PREDICT}{{le="+Inf"}}': "0+60x60"},
        [{f'{PREDICT}{{le="1"}}': "0+60x60", f'{PREDICT}{{le="+Inf"}}': "0+60x60"}],
    ),
    Case(
        "AisleRetrainFailed",
        {'aisle_retrain_runs_total{state="failed"}': "0x25 1+0x30"},
        [{'aisle_retrain_runs_total{state="refused"}': "0x25 1+0x30"}],
    ),
    Case("AisleRetrainStuck", {STARTED: "60+0x400"}, [{STARTED: "0+0x400"}, {STARTED: "0x300 18000+0x100"}], 370),
    Case("AisleDrift", *gauge('aisle_alerts{kind="drift"}', "1", "0")),
    Case("AisleAccuracyLow", *gauge('aisle_alerts{kind="accuracy"}', "2", "0")),
    Case("AisleCanariesWrong", *gauge('aisle_alerts{kind="canary"}', "1", "0")),
    Case("AisleOtherModelAnswers", *gauge('aisle_alerts{kind="swap"}', "1", "0")),
]


def test_every_alert_has_a_case() -> None:
    """A rule that is added is tested; so none is that nothing can cause."""
    assert sorted(ALERTS) == sorted(case.alert for case in CASES)


@pytest.mark.contract
@needs_promtool
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.alert)
def test_an_alert_fires_for_its_cause_and_for_nothing_like_it(case: Case, tmp_path: Path) -> None:
    """`promtool test rules`: for the figures of its cause it fires, for figures near them it is not even pending."""
    firing = f'count(ALERTS{{alertname="{case.alert}", alertstate="firing"}})'
    fires = _test(case, case.wrong, [{"expr": firing, "exp_samples": [{"labels": "{}", "value": 1}]}])
    pending = f'ALERTS{{alertname="{case.alert}"}}'

    assert "" == promtool_says(
        case, [fires, *(_test(case, series, [{"expr": pending, "exp_samples": []}]) for series in case.well)], tmp_path
    )


@needs_promtool
def test_prometheus_reads_the_files() -> None:
    """`promtool` checks the rules, and both configurations."""
    folder = RULES.parent
    for arguments in (["rules", "rules.yml"], ["config", "--syntax-only", "prometheus.yml"], ["config", "local.yml"]):
        run = subprocess.run(
            [str(PROMTOOL), "check", *arguments], cwd=folder, capture_output=True, text=True, check=False
        )
        assert 0 == run.returncode, run.stderr


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.get("alert", rule.get("record")))
def test_every_figure_that_a_rule_names_exists(rule: dict[str, Any]) -> None:
    """A figure that was renamed in the code is renamed in the rules."""
    assert unknown_names(rule["expr"]) == set()


@pytest.mark.parametrize("name", sorted(ALERTS))
def test_an_alert_says_how_bad_it_is_and_what_to_do(name: str) -> None:
    """A severity, two sentences and a place in the runbook, whose section has something to run."""
    rule = ALERTS[name]
    annotations = rule["annotations"]

    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert {"summary", "description", "runbook_url"} == set(annotations)
    assert annotations["description"].endswith(".")
    assert annotations["runbook_url"] == f"docs/runbook.md#{name.lower()}"
    section = sections().get(name, "")
    for part in ("**It means** ", "**Look at** ", "**Do** "):
        assert part in section, f"{name}: {part}"
    assert len(re.findall(r"^```sh$", section, re.MULTILINE)) == 1


def test_the_runbook_speaks_of_no_alert_that_is_gone() -> None:
    """A section for each alert, and for no other."""
    assert set(ALERTS) == {name for name in sections() if name.startswith("Aisle")}


def test_every_command_of_the_runbook_exists() -> None:
    """Commands, subcommands and options that it tells people to run at night."""
    lines = re.findall(
        r"^(?:AISLE_\w+=\S+ )*aisle (.+)$", "\n".join(re.findall(r"```sh\n(.*?)```", RUNBOOK, re.DOTALL)), re.MULTILINE
    )
    lines += re.findall(r"`aisle ([^`]+)`", RUNBOOK)

    assert len(lines) > 20
    for line in lines:
        words = line.partition("#")[0].partition("|")[0].split()
        command, left = _command(words)
        known = {name for parameter in command.params for name in parameter.opts}
        assert {word.partition("=")[0] for word in left if word.startswith("--")} <= known, line


def unknown_names(expression: str) -> set[str]:
    """What an expression names that neither a process nor a rule gives."""
    given = {rule["record"] for rule in ALL if "record" in rule} | {"up"}
    for metric in catalogue():
        given.add(metric.name)
        if metric.kind == "histogram":
            given |= {f"{metric.name}{end}" for end in ("_bucket", "_sum", "_count")}
    return set(re.findall(r"\b(?:aisle[:_][a-z0-9_:]+|process_[a-z_]+|up)\b(?!\")", expression)) - given


def sections() -> dict[str, str]:
    """The runbook's sections by their titles."""
    parts = re.split(r"^### (.+)$", RUNBOOK, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def promtool_says(case: Case, tests: list[dict[str, Any]], folder: Path) -> str:
    """What `promtool test rules` has to say against these tests; it knows this one alert, as each takes its time."""
    wanted = [rule for rule in ALL if rule.get("alert", case.alert) == case.alert]
    rules, file = folder / "rules.yml", folder / "tests.yml"
    rules.write_text(yaml.safe_dump({"groups": [{"name": "aisle", "rules": wanted}]}))
    file.write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": tests}))
    run = subprocess.run([str(PROMTOOL), "test", "rules", str(file)], capture_output=True, text=True, check=False)
    return run.stderr + run.stdout if run.returncode else ""


def _test(case: Case, series: Series, checks: list[dict[str, Any]]) -> dict[str, Any]:
    given = [{"series": name, "values": values} for name, values in series.items()]
    timed = [check | {"eval_time": f"{case.minutes}m"} for check in checks]
    return {"interval": "1m", "input_series": given, "promql_expr_test": timed}


def _command(words: list[str]) -> tuple[click.Command, list[str]]:
    command: click.Command = cli
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words[0])
        assert found is not None, f"aisle {' '.join(words)}"
        command, words = found, words[1:]
    return command, words
