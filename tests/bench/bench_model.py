"""The model beside others on open data: ``python -m tests.bench model``.

Each case is learned and measured in a process of its own, whose memory counts; speeds are taken in turns within it.
Writes ``model.json``, ``model.md`` and ``model.png`` into ``var/bench``, and into docs/ with ``--docs``.
"""

import argparse
import json
import multiprocessing
import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from typing import Any, Final

from tests.bench.environment import ROOT
from tests.bench.model_report import markdown, put_into
from tests.bench.model_sets import Case, cases

FOLDER: Final = ROOT / "var" / "bench"
SHARES: Final = (0.05, 0.2, 1.0)
SECTIONS: Final = ("texts", "learning", "fusion")

Task = tuple[str, int, float, bool]
"""Name of a case, seed, part of the training rows, whether all rivals take part."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="bench model", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="splits to average over")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS, help="some sections")
    parser.add_argument("--case", action="append", default=[], help="only cases whose name has this in it")
    parser.add_argument("--docs", action="store_true", help="write the section of docs/benchmarks.md and its picture")
    given = parser.parse_args(arguments)
    FOLDER.mkdir(parents=True, exist_ok=True)
    every = [case for case in cases(FOLDER).values() if not given.case or any(part in case.name for part in given.case)]
    tasks = list(_tasks(every, given.seeds, given.only))
    result: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "load": os.getloadavg()[0],
        "runs": [],
    }
    began = time.monotonic()
    # A process a task, as memory once taken stays with a process; spawned, as TensorFlow does not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1) as pool:
        for number, run in enumerate(pool.map(_measured, tasks), 1):
            result["runs"].append(run)
            scores = ", ".join(f"{line['model']} {line['weighted_f1']:.4f}" for line in run["lines"])
            said = f"{number:3d}/{len(tasks)} {run['case']}, seed {run['seed']}, {run['share']:.0%}: {scores}"
            print(f"[{time.monotonic() - began:6.1f} s] {said}", file=sys.stderr, flush=True)
    (FOLDER / "model.json").write_text(json.dumps(result, indent=1))
    text = markdown(result, FOLDER / "model.png")
    (FOLDER / "model.md").write_text(text)
    print(text)
    if given.docs:
        put_into(ROOT / "docs", text, FOLDER / "model.png")


def _tasks(every: Sequence[Case], seeds: int, sections: Sequence[str]) -> Iterator[Task]:
    for case in every:
        for seed in range(seeds):
            if case.photos:
                if "fusion" in sections and (
                    case.texts or not seed
                ):  # without texts there is nothing that a seed changes
                    yield case.name, seed, 1.0, True
                continue
            if "texts" in sections:
                yield case.name, seed, 1.0, True
            if "learning" in sections:
                yield from ((case.name, seed, share, False) for share in SHARES[:-1])


def _measured(task: Task) -> dict[str, Any]:
    from tests.bench.model_run import measure

    name, seed, share, rivals = task
    return measure(cases(FOLDER)[name], seed, share, rivals=rivals)


if __name__ == "__main__":
    main()
