"""Bringing the registry up to date with the bundles that are there and with what was decided.

The record on ``models.events`` is the decision; MLflow's aliases follow it. So nothing is told to MLflow step by step:
whoever uses it brings it up to date from what is, as often as they like, and what was missed while it was away comes
then.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from model.bundle import read_manifest
from model.registry.moved import follow_move
from model.registry.opened import Place, opened
from model.registry.runs import (
    TRAININGS,
    VERSION,
    experiment_of,
    is_whole,
    record_decision,
    record_run,
    record_version,
    registered_name,
    runs_of,
    versions_of,
)
from schemas.errors import AisleError
from schemas.model_event import ModelEvent

if TYPE_CHECKING:
    from mlflow import MlflowClient

SERVING: Final = "aisle-serving"
"""The experiment that daily figures of models in service go to."""


@dataclass
class Synced:
    """What was done.

    Args:
        recorded: Versions that were not there before.
        skipped: Bundles that cannot be read, with the reason.
        aliases: The bundle's version of each alias that is set now.
        moved_from: Where the data directory was at the last time, if that was elsewhere: MLflow knows of it now.
    """

    recorded: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    moved_from: str | None = None


def sync(
    place: Place,
    bundles: Iterable[Path],
    decided: Mapping[str, ModelEvent | None],
    gates: Mapping[str, Mapping[str, object]] | None = None,
) -> Synced:
    """Record the bundles that are not recorded yet, and point the aliases to what is decided.

    Args:
        place: The registry.
        bundles: All bundles, in any order.
        decided: The decision by alias; None: nothing is decided. An alias that is not among them stays as it is.
        gates: What the gate said, by the bundle's version.

    Raises:
        RegistryUnavailable: What was done by then stays, and the next call does the rest.
    """
    done = Synced()
    with opened(place) as client:
        done.moved_from = follow_move(place, TRAININGS)
        experiment = experiment_of(client, place, TRAININGS)
        runs, numbers = runs_of(client, experiment), dict[str, dict[str, str]]()
        for bundle in sorted(bundles, key=lambda path: path.name):
            try:
                model = registered_name(read_manifest(bundle))
            except AisleError as error:
                done.skipped[bundle.name] = error.message
                continue
            if model not in numbers:
                numbers[model] = _versions(client, model)
            known = runs.get(bundle.name)
            run_id = known.info.run_id if known and is_whole(known) else record_run(client, experiment, bundle, known)
            if bundle.name not in numbers[model]:
                numbers[model][bundle.name] = record_version(client, place, bundle, run_id)
                done.recorded.append(bundle.name)
            if gates and bundle.name in gates:
                record_decision(client, run_id, gates[bundle.name])
        for alias, event in decided.items():
            if event is not None:
                done.aliases[alias] = event.model.version
            _point(client, alias, event, numbers)
    return done


def record_serving(place: Place, version: str, metrics: Mapping[str, float], day: date) -> None:
    """Record a day's figures of a model in service; a day that is recorded again counts with its last figures.

    Args:
        place: The registry.
        version: The bundle's.
        metrics: By name.
        day: In UTC.

    Raises:
        RegistryUnavailable: Nothing, or a part of them, was recorded.
    """
    at_ms = int(datetime.combine(day, time(), UTC).timestamp() * 1000)
    with opened(place) as client:
        experiment = experiment_of(client, place, SERVING)
        run = runs_of(client, experiment).get(version)
        if run is None:
            run = client.create_run(experiment, start_time=at_ms, tags={VERSION: version}, run_name=version)
        for name, value in metrics.items():
            client.log_metric(run.info.run_id, name, float(value), timestamp=at_ms, step=day.toordinal())


def _versions(client: "MlflowClient", model: str) -> dict[str, str]:
    if not client.search_registered_models(f"name = '{model}'", max_results=1):
        client.create_registered_model(model, description="The bundles of aisle; its workers follow models.events.")
    return versions_of(client, model)


def _point(
    client: "MlflowClient", alias: str, event: ModelEvent | None, numbers: Mapping[str, Mapping[str, str]]
) -> None:
    """Point an alias to a decision's version, and nowhere where that has never been recorded."""
    for model, versions in numbers.items():
        wanted = versions.get(event.model.version) if event else None
        now = client.get_registered_model(model).aliases.get(alias)
        if wanted is not None and wanted != str(now):
            client.set_registered_model_alias(model, alias, wanted)
        elif wanted is None and now is not None:
            client.delete_registered_model_alias(model, alias)
