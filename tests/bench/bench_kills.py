"""The retraining worker killed at random moments of its runs: ``python -m tests.bench kills``.

Each run is asked for by hand and its worker killed once (SIGKILL), somewhere between the asking and the time that a run
takes when nobody is killed. Afterwards every run has ended in good order, once; no model is there twice or by half; and
the champion is the last one that was promoted.
"""

import argparse
import json
import os
import random
import signal
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pymongo import MongoClient

from infra.settings import Settings
from model.champion import read_champion
from tests.bench.model_sets import CIQUAL
from tests.integration.road import Road, wait

_WHOLE_S: Final = 300.0


def main(arguments: Sequence[str]) -> None:
    """Kill, and print what became of it."""
    parser = argparse.ArgumentParser(prog="bench kills", description=__doc__, allow_abbrev=False)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args(arguments)
    print(f"seed {options.seed}")
    with tempfile.TemporaryDirectory(prefix="aisle-kills-") as folder:
        print(json.dumps(_measure(Path(folder), options.runs, random.Random(options.seed)), indent=1))


def _measure(folder: Path, count: int, chance: random.Random) -> dict[str, Any]:
    road = Road(Settings(_env_file=None, data_dir=folder / "data"), folder / "up.log")
    trained = road.aisle("train", str(CIQUAL))
    assert trained.returncode == 0, trained.stderr
    road.start(180)
    try:
        undisturbed = _run(road, None, chance)
        lasts_s = (undisturbed["ended_at"] - undisturbed["started_at"]).total_seconds()
        rows = [_run(road, lasts_s, chance) for _ in range(count)]
        return {"undisturbed_s": lasts_s, "runs": len(rows), "wrong": _wrong(road, [undisturbed, *rows])}
    finally:
        road.stop()


def _run(road: Road, within_s: float | None, chance: random.Random) -> dict[str, Any]:
    """A run by hand, its worker killed within so many seconds; as it stands at its end."""
    asked = json.loads(road.aisle("retrain", "now", "--json").stdout)
    killed = None
    if within_s is not None:
        time.sleep(killed := chance.uniform(0, within_s))
        (pid,) = road.pids("worker", "retrain")
        os.kill(pid, signal.SIGKILL)
    wait(lambda: _document(road, asked["id"])["ended_at"] is not None, _WHOLE_S)
    run = _document(road, asked["id"])
    said = {name: run[name] for name in ("_id", "state", "attempt", "version", "outcome")}
    print(json.dumps({"killed_after_s": killed and round(killed, 1)} | said), flush=True)
    return run


def _wrong(road: Road, runs: Sequence[dict[str, Any]]) -> list[str]:
    """What should not be."""
    models = road.settings.data_dir / "models"
    found = [f"run {run['_id']} is {run['state']}" for run in runs if run["state"] not in ("promoted", "refused")]
    with MongoClient[dict[str, Any]](road.mongodb, tz_aware=True) as client:
        every = list(client[road.settings.mongodb_database]["runs"].find({}))
    if len(every) != len(runs):
        found.append(f"{len(every)} runs, of {len(runs)} that were asked for")
    bundles = {path.parent.name for path in models.glob("[!.]*/manifest.json")}
    versions = [run["version"] for run in runs if run["version"]]
    found += [f"{version} was trained by two runs" for version in set(versions) if versions.count(version) > 1]
    if len(bundles) > 1 + len(versions):
        found.append(f"{len(bundles)} models, of {len(versions)} runs and one training")
    champion = read_champion(models)
    promoted = [run["version"] for run in runs if run["state"] == "promoted"]
    if champion is None or (promoted and champion.model.version != promoted[-1]):
        found.append(f"the champion is {champion}")
    return found


def _document(road: Road, run_id: int) -> dict[str, Any]:
    with MongoClient[dict[str, Any]](road.mongodb, tz_aware=True) as client:
        found = client[road.settings.mongodb_database]["runs"].find_one({"_id": run_id})
    assert found is not None
    return found
