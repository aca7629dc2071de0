"""A bundle as MLflow has it: the run that made it, with parameters, metrics and report, and a version of the model."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson

from model.bundle import REPORT, Manifest, manifest_sha256, read_manifest
from model.parameters import FILE
from model.registry.opened import Place
from model.report.schema import TrainingReport
from model.report.write import CARD, HTML, JSON

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

TRAININGS: Final = "aisle"
"""The experiment of all trainings."""

VERSION: Final = "aisle.version"
DECISION: Final = "gate.json"

_PAGE: Final = 1_000
_FINISHED: Final = "FINISHED"


def experiment_of(client: "MlflowClient", place: Place, name: str) -> str:
    """The id of an experiment, which is made where there is none."""
    if (found := client.get_experiment_by_name(name)) is not None:
        return str(found.experiment_id)
    return str(client.create_experiment(name, artifact_location=place.artifacts and f"{place.artifacts}/{name}"))


def runs_of(client: "MlflowClient", experiment: str) -> "dict[str, Run]":
    """The runs of an experiment by the bundle's version."""
    found: dict[str, Run] = {}
    token = None
    while True:
        page = client.search_runs([experiment], max_results=_PAGE, page_token=token)
        found |= {run.data.tags[VERSION]: run for run in page if VERSION in run.data.tags}
        if not (token := page.token):
            return found


def versions_of(client: "MlflowClient", model: str) -> dict[str, str]:
    """MLflow's number of each version of a model, by the bundle's version."""
    found: dict[str, str] = {}
    token = None
    while True:
        page = client.search_model_versions(f"name = '{model}'", max_results=_PAGE, page_token=token)
        found |= {one.tags[VERSION]: str(one.version) for one in page if VERSION in one.tags}
        if not (token := page.token):
            return found


def is_whole(run: "Run | None") -> bool:
    """Whether a run was recorded to its end."""
    return run is not None and run.info.status == _FINISHED


def record_run(client: "MlflowClient", experiment: str, bundle: Path, known: "Run | None") -> str:
    """Record the training that made a bundle, or the rest of what another process began to; the run's id.

    Raises:
        BundleInvalid: It is no bundle.
    """
    manifest = read_manifest(bundle)
    made_ms = int(manifest.created_at.timestamp() * 1000)
    tags = {**tags_of(bundle, manifest), "mlflow.source.name": "aisle", "mlflow.user": "aisle"}
    run = known or client.create_run(experiment, start_time=made_ms, tags=tags, run_name=manifest.version)
    run_id = str(run.info.run_id)
    for name, value in {**manifest.metrics, "seed": manifest.seed, "bundle_bytes": _bytes(bundle)}.items():
        client.log_metric(run_id, name, float(value), timestamp=made_ms)
    for name, text in _parameters(bundle, manifest).items():
        client.log_param(run_id, name, text)
    for path, folder in _artifacts(bundle):
        client.log_artifact(run_id, str(path), folder)
    client.set_terminated(run_id, _FINISHED, made_ms)
    return run_id


def record_version(client: "MlflowClient", place: Place, bundle: Path, run_id: str) -> str:
    """Make a bundle a version of its model; MLflow's number of it."""
    manifest = read_manifest(bundle)
    model = registered_name(manifest)
    # A server takes no file of the client's machine for a source: there the run's report stands for the bundle.
    source = f"runs:/{run_id}/{REPORT}" if place.uri else bundle.resolve().as_uri()
    version = client.create_model_version(
        model,
        source,
        run_id,
        tags=tags_of(bundle, manifest),
        description=f"{manifest.version}, trained on {manifest.data.file} with seed {manifest.seed}.",
    )
    return str(version.version)


def record_decision(client: "MlflowClient", run_id: str, decision: Mapping[str, object]) -> None:
    """Put what the gate said to the run of the bundle it is about."""
    client.log_text(run_id, orjson.dumps(decision, default=str, option=orjson.OPT_INDENT_2).decode(), DECISION)
    if "passed" in decision:
        client.set_tag(run_id, "aisle.gate", "passed" if decision["passed"] else "refused")


def registered_name(manifest: Manifest) -> str:
    """The model's name, as MLflow takes it: without what its filters and addresses are written with."""
    return re.sub(r"[/:'\"`\\%]", "-", manifest.name)


def tags_of(bundle: Path, manifest: Manifest) -> dict[str, str]:
    """What a run and a version are found by."""
    return {
        VERSION: manifest.version,
        "aisle.bundle": bundle.resolve().as_uri(),
        "aisle.sha256": manifest_sha256(bundle),
        "aisle.data_sha256": manifest.data.sha256,
        "aisle.taxonomy_sha256": manifest.taxonomy_sha256,
    }


def _parameters(bundle: Path, manifest: Manifest) -> dict[str, str]:
    """What the training was told, the data it learned from, and the stages that stayed."""
    path = bundle / REPORT / JSON
    try:
        settings = TrainingReport.model_validate_json(path.read_bytes()).settings
    except (OSError, ValueError):  # there is none, or it is of another release
        settings = {}
    facts = {"data.file": manifest.data.file, "data.rows": manifest.data.rows, "stages": ", ".join(manifest.stages)}
    return {name: str(value) for name, value in {**settings, **facts}.items()}


def _artifacts(bundle: Path) -> Iterator[tuple[Path, str | None]]:
    files = [(bundle / REPORT / name, REPORT) for name in (HTML, JSON, CARD)]
    for path, folder in [*files, (bundle / FILE, None), (bundle / "manifest.json", None)]:
        if path.is_file():
            yield path, folder


def _bytes(bundle: Path) -> int:
    return sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file())
