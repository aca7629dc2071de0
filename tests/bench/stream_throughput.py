"""Events a second, in turns: aisle, the same work by other means, and the model alone."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final
from uuid import uuid4

from infra.process import Launch, kill, spawn
from schemas.topics import PREDICTIONS_OUT
from tests.bench.competitors.task import MODES, Mode, Task
from tests.bench.environment import ROOT
from tests.bench.site import Site

_LONGEST_S: Final = 180.0
_ENDLESS: Final = 10**12

Rows = dict[str, dict[str, dict[str, Any]]]


@dataclass(frozen=True)
class Competitor:
    """A program to measure.

    Args:
        title: As the table names it.
        module: Its file.
        variant: Which form of it.
        foreign: It needs the second environment.
    """

    title: str
    module: str
    variant: str = ""
    foreign: bool = False


AISLE: Final = Competitor("aisle", "aisle")
BY_HAND: Final = Competitor("aiokafka by hand, record batches", "plain_aiokafka")
BARE: Final = Competitor("the model alone, in a loop", "bare_model")
COMPETITORS: Final = (
    AISLE,
    BY_HAND,
    Competitor("Quix Streams", "quix", foreign=True),
    Competitor("FastStream, aiokafka", "faststream_batches", "aiokafka", foreign=True),
    Competitor("FastStream, confluent", "faststream_batches", "confluent", foreign=True),
    Competitor("Faust, take", "stock_faust", "take"),
    Competitor("Faust, noack_take", "stock_faust", "noack_take"),
)


@dataclass(frozen=True)
class Plan:
    """How much to measure.

    Args:
        rounds: Each program runs once a round; medians count.
        seconds: Each measurement takes this long, after ``warmup_s``.
        warmup_s: Work before the measurement.
        backlog: Events in products.in.
        modes: Which of the three.
    """

    rounds: int
    seconds: float
    warmup_s: float
    backlog: int
    modes: Sequence[Mode] = MODES


def steps(plan: Plan, *, foreign: bool) -> list[tuple[Mode, Competitor]]:
    """What is run, in order: the programs take turns, every other round backwards."""
    some = [one for one in COMPETITORS if foreign or not one.foreign]
    order: list[tuple[Mode, Competitor]] = []
    for number in range(plan.rounds):
        turn = some if number % 2 == 0 else some[::-1]
        for mode in plan.modes:
            order += [(mode, one) for one in turn]
            if mode == "classify":
                order.append((mode, BARE))
    return order


def measure(site: Site, plan: Plan) -> Rows:
    """Run everything; by mode and title the medians, and all rates.

    Args:
        site: With ``plan.backlog`` events in products.in; without a second environment what needs it is left out.
        plan: How much.
    """
    reports: dict[Mode, dict[str, list[dict[str, Any]]]] = {mode: {} for mode in plan.modes}
    _run_on(site, plan, "answers", BY_HAND)  # the broker has its hottest code compiled after that
    for mode, one in steps(plan, foreign=site.python is not None):
        report = _run_on(site, plan, mode, one, _batch_events(reports[mode]) if one is BARE else one.variant)
        reports[mode].setdefault(one.title, []).append(report)
        site.step(f"{mode}: {one.title} {report['rate']:,.0f} events/s")
    return {mode: {title: _medians(some) for title, some in by.items()} for mode, by in reports.items()}


def _run_on(site: Site, plan: Plan, mode: Mode, one: Competitor, variant: str = "") -> dict[str, Any]:
    task = Task(
        mode=mode,
        bootstrap=site.broker.bootstrap,
        group=f"bench-{uuid4().hex}",
        backlog=_ENDLESS if one is BARE else plan.backlog,
        seconds=plan.seconds,
        warmup_s=plan.warmup_s,
        broker_pid=site.broker.pid,
        bundle=site.bundle,
        variant=variant,
    )
    asyncio.run(site.broker.renew(PREDICTIONS_OUT))
    return run(site.python, one.module, task)


def run(python: Path | None, module: str, task: Task) -> dict[str, Any]:
    """One measurement in a process of its own.

    Raises:
        RuntimeError: It failed; with the end of what it wrote.
    """
    argv = (str(python or sys.executable), "-m", f"tests.bench.competitors.{module}", *task.arguments())
    running = spawn(Launch(argv, {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}), deadline_s=1)
    try:
        output = running.process.communicate(timeout=_LONGEST_S)[0].decode(errors="replace")
    except subprocess.TimeoutExpired:
        output = f"it did not end within {_LONGEST_S:g} s"
    finally:
        kill(running)
    try:
        return dict(json.loads(output.strip().splitlines()[-1]))
    except (IndexError, ValueError):
        raise RuntimeError(f"{module} ({task.mode}, {task.variant}) failed:\n{output[-2000:]}") from None


def call_ms(site: Site, sizes: Sequence[int]) -> dict[str, float]:
    """Milliseconds that the model alone takes for one batch, by its number of events."""
    variant = ",".join(map(str, (*sizes, 1)))
    task = Task("classify", "", "", _ENDLESS, 0, 0, 0, site.bundle, variant)
    return dict(run(site.python, BARE.module, task)["call_ms"])


def limits(rows: Rows, cores: int = os.cpu_count() or 1) -> dict[str, float]:
    """What the model's and the broker's CPU allow on these cores, and how near the pipeline comes.

    Args:
        rows: As ``measure`` gives them, with the mode ``classify``.
        cores: Of this machine.
    """
    aisle, bare = rows["classify"][AISLE.title], rows["classify"][BARE.title]
    limit = cores * 1e6 / (bare["cpu_us"] + aisle["broker_us"])
    return {
        "model_us": bare["cpu_us"],
        "broker_us": aisle["broker_us"],
        "limit": limit,
        "bare": bare["rate"],
        "pipeline": aisle["rate"],
        "pipeline_of_limit": aisle["rate"] / limit,
        "pipeline_of_bare": aisle["rate"] / bare["rate"],
    }


def _batch_events(reports: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """The size of aisle's own batches in this round, so that the model alone gets the same ones."""
    return str(max(1, round(reports[AISLE.title][-1]["batch_events"])))


def _medians(reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    parts = {name: median(one["parts_us"][name] for one in reports) for name in reports[0]["parts_us"]}
    figures = dict(_figures(reports))
    return figures | {"parts_us": parts, "rates": [one["rate"] for one in reports]}


def _figures(reports: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, float]]:
    for name in ("events", "seconds", "rate", "cpu_us", "broker_us", "batch_events"):
        if name in reports[0]:
            yield name, median(one[name] for one in reports)
