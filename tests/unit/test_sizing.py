"""The plan: more is never less, the smallest case is the smallest set-up, and limits are named where they begin."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from infra import sizing_figures as figures
from infra.sizing import Demand, Plan, plan
from infra.sizing_limits import limits_of, shown_bytes
from scripts.cli import cli
from tests.kubernetes import CHART

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "sizing.md"
SCALES = [10**power for power in range(13)]
DEMANDS = st.builds(
    Demand,
    st.integers(1, 10**12),
    st.floats(1, 100),
    st.floats(0, 1),
    st.floats(1, 3_650),
    st.floats(0, 1),
)


def size(made: Plan) -> list[float]:
    """All that a plan asks for."""
    numbers = [value for value in vars(made).values() if isinstance(value, int | float)]
    return [*numbers, made.cores, made.memory_bytes, *(part.replicas for part in made.parts)]


@given(demand=DEMANDS, more=st.floats(1, 1_000))
def test_more_is_never_less(demand: Demand, more: float) -> None:
    """More events, higher peaks, more photos, calls and days take as much or more of everything."""
    small = size(plan(demand))
    for larger in (
        replace(demand, events_per_day=int(demand.events_per_day * more)),
        replace(demand, peak_factor=demand.peak_factor * more),
        replace(demand, kept_days=demand.kept_days * more),
        replace(demand, photos=min(1, demand.photos * more)),
        replace(demand, calls=min(1, demand.calls * more)),
    ):
        assert all(a <= b for a, b in zip(small, size(plan(larger)), strict=True)), larger


def test_the_smallest_case_is_the_smallest_set_up() -> None:
    """One of each process, eight partitions, three brokers, one replica set, and nothing that stands in the way."""
    made = plan(Demand(1))

    assert [1] * 5 == [part.replicas for part in made.parts]
    assert (8, 3, 1, 1) == (made.partitions, made.brokers, made.shards, made.reviewers)
    assert [] == limits_of(made)


def test_workers_follow_from_the_measured_rate() -> None:
    """A worker is loaded with 0.6 of its rate at the peak; there are two partitions for each."""
    peak = figures.CLASSIFY_RATE.value * 0.6 * 9.5
    made = plan(Demand(int(peak * 86_400 / 3)))

    assert 10 == made.parts[0].replicas
    assert 24 == made.partitions


@pytest.mark.parametrize(
    ("code", "below", "beyond"),
    [
        ("reviewers", Demand(600_000), Demand(600_001)),
        ("store", Demand(54_000_000), Demand(55_000_000)),
        ("store", Demand(144_000_000, kept_days=1), Demand(144_001_000, kept_days=1)),
        ("verdicts-at-start", Demand(270_000), Demand(280_000)),
        ("group", Demand(12_890_000_000), Demand(12_900_000_000)),  # of the archive's, before the classify workers
        ("gateway-reads", Demand(2_851_300_000), Demand(2_851_400_000)),
        ("partitions", Demand(146_500_000_000), Demand(147_000_000_000)),
        ("broker-disk", Demand(710_000_000), Demand(711_000_000)),
        ("photo-files", Demand(1_666_666, photos=1), Demand(1_666_667, photos=1)),
    ],
)
def test_limits_are_named_where_they_begin(code: str, below: Demand, beyond: Demand) -> None:
    """On one side of the figure nothing is said of it, on the other it is; and the page speaks of it."""
    assert code not in {limit.code for limit in limits_of(plan(below))}
    assert code in {limit.code for limit in limits_of(plan(beyond))}
    assert f"| `{code}` |" in PAGE.read_text()


@pytest.mark.parametrize("events", SCALES)
def test_the_table_fits_80_columns(events: int) -> None:
    """From one event a day to more than there are."""
    for more in ((), ("--photos", "1", "--calls", "1", "--kept-days", "3650", "--peak-factor", "1000")):
        answer = CliRunner().invoke(cli, ["plan", "--events-per-day", str(events), *more])
        assert 0 == answer.exit_code
        assert 80 >= max(len(line) for line in answer.output.splitlines())


@pytest.mark.parametrize(
    ("size", "shown"), [(0, "0 bytes"), (999.4e6, "999 MB"), (999.7e6, "1 GB"), (1e9, "1 GB"), (2.5e18, "2,500 PB")]
)
def test_a_size_has_three_figures_and_no_exponent(size: float, shown: str) -> None:
    """What is rounded to a thousand of one unit is one of the next; beyond the last unit there is none."""
    assert shown == shown_bytes(size)


def test_json_has_all_of_it() -> None:
    """What a program reads: the demand, the parts, the totals, the limits."""
    answer = CliRunner().invoke(cli, ["plan", "--events-per-day", "10_000_000_000", "--json"])
    made = json.loads(answer.output)

    assert 10_000_000_000 == made["demand"]["events_per_day"]
    assert ["classify", "archive", "gateway", "retrain", "monitor"] == [part["name"] for part in made["parts"]]
    assert made["cores"] == sum(part["cores"] * part["replicas"] for part in made["parts"])
    assert {"reviewers", "store"} <= {limit["code"] for limit in made["limits"]}


def test_the_chart_knows_the_values_that_the_plan_names() -> None:
    """What the line `chart` says can be given to Helm."""
    answer = CliRunner().invoke(cli, ["plan", "--events-per-day", "1000"])
    values = yaml.safe_load((CHART / "values.yaml").read_text())

    named = re.findall(r"([\w.]+)=\d", answer.output)
    assert 6 == len(named)
    for name in named:
        at = values
        for word in name.split("."):
            at = at[word]


def test_measured_figures_stand_on_the_page_of_benchmarks() -> None:
    """Each as it is written there: a page that was measured anew is noticed here."""
    page = (ROOT / figures.BENCHMARKS).read_text()

    assert [] == [figure.what for figure in figures.MEASURED if figure.shown not in page or not figure.bench]
    assert [] == [figure.what for figure in figures.ASSUMED if figure.shown or figure.bench]
    known = {one for one in vars(figures).values() if isinstance(one, figures.Figure)}
    assert known == {*figures.MEASURED, *figures.ASSUMED}


def test_the_page_is_current() -> None:
    """Every plan on it is what its command says, and every figure is there with its value."""
    page = PAGE.read_text()
    said = re.findall(r"```sh\naisle (plan [^\n]*)\n```\n\n```text\n(.*?)```", page, re.DOTALL)
    assert 3 == len(said)
    for command, output in said:
        answer = CliRunner().invoke(cli, command.split())
        assert re.sub(r" +\n", "\n", answer.output) == output
    for figure in figures.MEASURED:
        assert f"| {figure.value:,g} | {figure.what} | `{figure.bench}` |" in page
    for figure in figures.ASSUMED:
        assert f"| {figure.value:,.15g} | {figure.what} |" in page
