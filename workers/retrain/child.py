"""A run's own process: from feedback to a judged model, at low priority, told line by line on standard output.

``python -m workers.retrain.child RUN``. It writes nothing to the run: who started it does, and only for as long as it
holds the lease. What was finished before it was killed is found again, and gone on with.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from infra.endpoints import find_mongodb
from infra.images import ImageStore
from infra.lifeline import watch_lifeline
from infra.local.lock import TRAINING, DirLock
from infra.logging import configure_logging
from infra.runs import Run, Runs
from infra.settings import Settings, load_settings
from infra.store import Store
from model.bundle import read_manifest
from model.errors import BundleInvalid
from model.fetch import fetch_bundle
from model.parameters import FILE, ColumnNames, TrainOptions, parameters
from schemas.errors import AisleError
from workers.promotion import look_up
from workers.retrain.base_set import base_of
from workers.retrain.errors import NothingInService, RunUnknown, TrainingEnded
from workers.retrain.set_files import sets_dir
from workers.retrain.sweep import sweep
from workers.retrain.training_set import TrainingSet, build_set, open_set


def tell(**said: Any) -> None:
    """A line for whoever started this process; without anybody, this process has no purpose."""
    try:
        print(json.dumps(said), flush=True)
    except BrokenPipeError:
        os._exit(1)  # at once: an orderly end would throw away what was finished


def main() -> None:
    """Carry out a run, but for what puts a model in service."""
    watch_lifeline()
    settings = load_settings()
    os.nice(settings.retrain_nice)
    configure_logging(settings, worker="training")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # half-made folders go, what was finished stays
    try:
        with _alone(settings):
            sweep(settings.data_dir)
            _carry_out(int(sys.argv[1]), settings)
    except AisleError as error:
        tell(failed=error.message, hint=error.hint, retryable=error.retryable)
    except Exception as error:
        tell(failed=f"{type(error).__name__}: {error}", hint="", retryable=True)
        raise


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """The only training in this data directory: that of a worker which has lost its lease may be there still."""
    lock = DirLock(settings.data_dir, TRAINING)
    if not lock.try_acquire():
        raise TrainingEnded("Another training still runs in this data directory.")
    try:
        yield
    finally:
        lock.release()


def _carry_out(run_id: int, settings: Settings) -> None:
    models_dir = settings.data_dir / "models"
    tell(step="collecting", part=0.0)
    event = look_up(settings).event
    if event is None:
        raise NothingInService("There is no champion to follow on.", hint="Run `aisle train DATA`.")
    champion = fetch_bundle(event, models_dir)
    run, made, best = asyncio.run(_collected(run_id, champion, settings))
    tell(champion=champion.name)
    tell(set_version=made.version, golden_sha256=made.manifest.golden_sha256)
    for said in _about(made):
        tell(said=said)
    data = made.load()
    bundle = _made_already(models_dir, data.sha256, run.started_at) or _train(made, champion, settings)
    tell(version=bundle.name)
    tell(step="judging", part=0.0)
    from model.gate import judge

    decision = judge(champion, bundle, data, made.golden, settings, made.verdicts, best=best)
    tell(decision=decision.model_dump(mode="json"))


async def _collected(run_id: int, champion: Path, settings: Settings) -> tuple[Run, TrainingSet, float | None]:
    """The run, its training set, and the best score that a champion had on the golden rows.

    The set is the one that was made for it before this process, else a new one.
    """
    store = Store(find_mongodb(settings), settings.mongodb_database)
    sets = sets_dir(settings.data_dir)
    try:
        runs = Runs(store)
        run = await runs.get(run_id)
        if run is None:
            raise RunUnknown(f"There is no run {run_id}.")
        if run.set_version is not None and run.champion == champion.name:  # else it was made to follow on another
            made = open_set(sets, run.set_version)
        else:
            images = ImageStore(settings.data_dir / "images")
            made = await build_set(store, images, sets, base_of(champion, sets), settings)
        return run, made, await runs.best_golden(made.manifest.golden_sha256)
    finally:
        store.close()


def _about(made: TrainingSet) -> Iterator[str]:
    """The set in words."""
    manifest = made.manifest
    sides = ", ".join(f"{sum(codes.values()):,} {side}" for side, codes in manifest.counts.items())
    yield f"training set {made.version}: {manifest.rows:,} rows ({sides}), {len(manifest.rejected):,} rejected"
    for aside in manifest.set_aside:
        yield f"{aside.verdicts:,} verdicts set aside, {aside.kind} {aside.who}: {aside.reason}"


def _made_already(models_dir: Path, data_sha256: str, since: datetime | None) -> Path | None:
    """The model that this run trained on these data before it was killed."""
    for path in models_dir.glob("[!.]*/manifest.json"):
        try:
            manifest = read_manifest(path.parent)
        except BundleInvalid:
            continue
        if manifest.data.sha256 == data_sha256 and since is not None and manifest.created_at >= since:
            return path.parent
    return None


def _train(made: TrainingSet, champion: Path, settings: Settings) -> Path:
    from model.checkpoint import Checkpoint

    tell(step="loading TensorFlow", part=0.0)
    from model.training import train

    data, options = made.load(), _options(champion)
    with Checkpoint.open(settings.data_dir / "checkpoints", data, options, champion) as checkpoint:
        if checkpoint.finished:
            tell(said=f"going on after {checkpoint.finished} finished fits")
        trained = train(
            *(data, settings.data_dir / "models", options),
            lambda step, part: tell(step=step, part=round(part, 3)),
            f"aisle retrain rebuild {made.version}",
            checkpoint=checkpoint,
            start=champion,
            corrected=True,
            quick=settings.retrain_quick,
            champion=champion,
            private=made.verdicts,
        )
    scores = trained.evaluation
    tell(said=f"weighted F1 {scores.weighted_f1:.4f} on {scores.rows:,} rows, calibration error {scores.ece:.3f}")
    for note in trained.notes:
        tell(said=note)
    return trained.bundle


def _options(champion: Path) -> TrainOptions:
    """The champion's parameters; its columns were those of another file."""
    path = champion / FILE
    options = parameters({}, path) if path.is_file() else TrainOptions(name=read_manifest(champion).name)
    return options.model_copy(update={"columns": ColumnNames(), "taxonomy": None})


if __name__ == "__main__":
    main()
