"""The stream beside other ways to do the same: ``python -m tests.bench stream``.

Everything on one machine, one broker, the same events and the same model; throughput in turns over several rounds.
Writes ``stream.json``, ``stream.md`` and ``stream.png`` into ``var/bench``, and into docs/ with ``--docs``.
"""

import argparse
import asyncio
import logging
import os
import platform
import shutil
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from infra.local.errors import AlreadyRunning
from infra.local.lock import DirLock
from infra.process import Launch, kill, module, settings_variables, spawn
from infra.settings import Settings
from model.champion import find_bundle, read_champion
from scripts.progress import progress_bar
from tests.bench import (
    report,
    stream_archive,
    stream_latency,
    stream_memory,
    stream_recovery,
    stream_scaling,
    stream_throughput,
)
from tests.bench.broker import PARTITIONS, running
from tests.bench.competitors.task import use_uvloop
from tests.bench.environment import ROOT, bench_python
from tests.bench.load import OPEN_FOOD_FACTS, Events, preload
from tests.bench.site import Site
from tests.bench.stream_throughput import AISLE, Plan

FOLDER: Final = ROOT / "var" / "bench"
SECTIONS: Final = ("throughput", "memory", "scaling", "rebalance", "archive", "latency", "recovery")
_SECTION_S: Final = 600.0


@dataclass(frozen=True)
class Sizes:
    """How much of everything."""

    throughput: Plan
    latency_s: float
    backlogs: Sequence[int]
    workers: Sequence[int]
    window_s: float
    rebalance_rate: float
    recovery_rate: float
    documents: int


FULL: Final = Sizes(
    throughput=Plan(rounds=3, seconds=5, warmup_s=1, backlog=2_000_000),
    latency_s=10,
    backlogs=(10_000, 100_000, 1_000_000),
    workers=(1, 2, 4, 2, 1),
    window_s=8,
    rebalance_rate=4_000,
    recovery_rate=2_000,
    documents=4_000,
)
QUICK: Final = Sizes(
    throughput=Plan(rounds=1, seconds=0.5, warmup_s=0.2, backlog=60_000),
    latency_s=1,
    backlogs=(1_000, 10_000),
    workers=(1, 2),
    window_s=1,
    rebalance_rate=500,
    recovery_rate=500,
    documents=400,
)


class Steps:
    """Says on standard error what was measured: a bar on a terminal, a line elsewhere."""

    def __init__(self, total: int, told: Callable[[int], None]) -> None:
        self._told = told
        self._total = total
        self._done = 0
        self._began = time.monotonic()

    def __call__(self, line: str) -> None:
        """One more is done."""
        self._done += 1
        self._told(self._done)
        if not sys.stderr.isatty():
            self.say(f"{self._done:3d}/{self._total} {line}")

    def say(self, line: str) -> None:
        """A line that is no step."""
        print(f"[{time.monotonic() - self._began:6.1f} s] {line}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="bench stream", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that it works, measures nothing")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS, help="some sections")
    parser.add_argument("--rounds", type=int, help="rounds of the throughput (default: 3)")
    parser.add_argument("--docs", action="store_true", help="write the section of docs/benchmarks.md and its picture")
    options = parser.parse_args(arguments)
    sizes = QUICK if options.quick else FULL
    if options.rounds:
        sizes = replace(sizes, throughput=replace(sizes.throughput, rounds=options.rounds))
    for name in [name for name in os.environ if name.startswith("AISLE_")]:
        del os.environ[name]  # the user's broker and store are none of ours
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # topics that are made anew make it talk
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that workers and broker are stopped in order
    use_uvloop()
    result = measure(sizes, [name for name in SECTIONS if name in options.only])
    if "throughput" in result:
        result["limits"] = stream_throughput.limits(result["throughput"])
    report.write(result, FOLDER, docs=ROOT / "docs" if options.docs else None)


def measure(sizes: Sizes, only: Sequence[str]) -> dict[str, Any]:
    """Every section that is wanted, by name.

    Raises:
        AlreadyRunning: Another run is under way in ``var/bench``.
    """
    lock = DirLock(FOLDER, "bench")
    if not lock.try_acquire():
        raise AlreadyRunning(f"A bench is running in {FOLDER}.", hint="Wait for it, or end it.")
    began = time.monotonic()
    try:
        with progress_bar("measuring", _total(sizes, only)) as told:
            steps = Steps(_total(sizes, only), told)
            return (
                _machine() | {"sizes": asdict(sizes)} | _run(sizes, only, steps) | {"took_s": time.monotonic() - began}
            )
    finally:
        shutil.rmtree(FOLDER / "kafka", ignore_errors=True)  # gigabytes
        lock.release()


def _run(sizes: Sizes, only: Sequence[str], step: Steps) -> dict[str, Any]:
    python, model = bench_python(FOLDER / "venv", step.say), bundle(step.say)
    with running(FOLDER) as broker:
        step.say(f"publishing {sizes.throughput.backlog:,} events ...")
        events = Events("backlog", PARTITIONS)
        asyncio.run(preload(broker.bootstrap, events, sizes.throughput.backlog))
        settings = Settings(
            data_dir=FOLDER,
            kafka_bootstrap=broker.bootstrap,
            mongodb_uri=None,
            model=model,
            topic_partitions=PARTITIONS,
        )
        return _sections(Site(broker, settings, python, FOLDER / "logs" / "workers.log", step), sizes, only)


def _sections(site: Site, sizes: Sizes, only: Sequence[str]) -> dict[str, Any]:
    """What each section finds; one that fails is noted, and the others are measured all the same."""
    found: dict[str, Any] = {"failed": {}}

    def in_time(section: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run(asyncio.wait_for(section, _SECTION_S))

    # What comes after the scaling publishes too, on top of the backlog: what needs that comes first.
    sections: dict[str, Callable[[], Any]] = {
        "throughput": lambda: stream_throughput.measure(site, sizes.throughput),
        "memory": lambda: in_time(stream_memory.measure(site, sizes.backlogs)),
        "scaling": lambda: in_time(stream_scaling.measure(site, sizes.workers, sizes.window_s)),
        "rebalance": lambda: in_time(stream_scaling.rebalance(site, sizes.rebalance_rate)),
        "archive": lambda: in_time(stream_archive.measure(site, sizes.documents)),
        "latency": lambda: in_time(stream_latency.measure(site, _capacity(found), sizes.latency_s)),
        "recovery": lambda: in_time(stream_recovery.measure(site, sizes.recovery_rate)),
    }
    for name in only:
        try:
            found[name] = sections[name]()
        except Exception as error:  # noqa: BLE001 - twenty minutes of figures are not lost for one section
            site.step(f"{name} failed: {type(error).__name__}: {error}")
            found["failed"][name] = f"{type(error).__name__}: {error}"
    return found


def _capacity(found: dict[str, Any]) -> float:
    """Events a second of one worker, as measured in this run; without that a careful guess."""
    if "throughput" in found:
        return float(found["throughput"]["classify"][AISLE.title]["rate"])
    if "scaling" in found:
        return float(found["scaling"][0]["rate"])
    return 5_000.0


def bundle(say: Callable[[str], None] = lambda _line: None) -> Path:
    """The first stage, trained on the starter data in a process of its own; kept for the next run."""
    models = FOLDER / "models"
    if read_champion(models) is None:
        say("training the model ...")
        variables = settings_variables(Settings(data_dir=FOLDER))
        training = spawn(Launch(module("scripts", "train", str(OPEN_FOOD_FACTS)), variables), deadline_s=2)
        try:
            output = training.process.communicate()[0]
        finally:
            kill(training)
        if training.process.returncode:
            raise RuntimeError(f"the training failed:\n{output.decode(errors='replace')}")
    return find_bundle(None, models)


def _machine() -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _total(sizes: Sizes, only: Sequence[str]) -> int:
    counts = {
        "throughput": len(stream_throughput.steps(sizes.throughput, foreign=True)),
        "latency": len(stream_latency.SHARES),
        "memory": len(sizes.backlogs),
        "scaling": len(sizes.workers),
        "rebalance": 1,
        "recovery": 3,
        "archive": 1,
    }
    return sum(counts[name] for name in only)


if __name__ == "__main__":
    main()
