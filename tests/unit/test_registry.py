"""The registry: what MLflow gets to know of bundles and decisions, on a database file of the test's own."""

import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.settings import Settings
from model.errors import RegistryUnavailable
from model.registry.opened import Place, opened
from model.registry.runs import TRAININGS, experiment_of, registered_name, runs_of, versions_of
from model.registry.sync import SERVING, Synced, record_serving, sync
from schemas.model_event import CHALLENGER, CHAMPION
from tests.bundles import decided, make_bundle
from workers import registry
from workers.promotion import InForce

if TYPE_CHECKING:
    from mlflow import MlflowClient

A, B, C, D, E = (f"2026112{day}-120000-{day}aaaaa" for day in range(5))
OWN = "20261122-091500-0dd0dd"  # of the one test whose run no other may have begun

pytestmark = [
    pytest.mark.timeout(300),  # the first of these imports MLflow, on a busy machine too
    pytest.mark.filterwarnings("ignore"),  # its own and its libraries'
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A registry with its tables made, which takes seconds."""
    place = Place(tmp_path_factory.mktemp("mlflow"))
    with opened(place) as client:
        client.search_experiments()
    return place


@pytest.fixture
def environment() -> Iterator[None]:
    """What opening a registry sets is taken back."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def _aliases(client: "MlflowClient", model: str) -> dict[str, str]:
    by_number = {number: version for version, number in versions_of(client, model).items()}
    return {name: by_number[str(number)] for name, number in client.get_registered_model(model).aliases.items()}


@pytest.mark.usefixtures("environment")
def test_a_bundle_is_recorded_once_with_all_there_is_to_know(place: Place, tmp_path: Path) -> None:
    """Parameters, metrics, report and the gate's word go to one run; the bundle is one version of the model."""
    bundle = make_bundle(tmp_path, OWN, name="recorded")
    (bundle / "report").mkdir()
    (bundle / "report" / "report.html").write_text("<p>a report</p>")
    (bundle / "training.toml").write_text("seed = 0\n")
    refused = {"passed": False, "reasons": ["teas lost 9 points of recall"]}

    assert [OWN] == sync(place, [bundle], {CHAMPION: decided(bundle)}, {OWN: refused}).recorded
    assert [] == sync(place, [bundle], {CHAMPION: decided(bundle)}).recorded

    with opened(place) as client:
        run = runs_of(client, experiment_of(client, place, TRAININGS))[OWN]
        kept = {item.path for folder in ("", "report") for item in client.list_artifacts(run.info.run_id, folder)}
        (version,) = client.search_model_versions("name = 'recorded'")
    assert "FINISHED" == run.info.status
    assert 0.8 == run.data.metrics["weighted_f1"]
    assert ("foods.csv", "100") == (run.data.params["data.file"], run.data.params["data.rows"])
    assert "refused" == run.data.tags["aisle.gate"]
    assert {"report", "report/report.html", "training.toml", "manifest.json", "gate.json"} == kept
    assert bundle.as_uri() == version.source
    assert run.info.run_id == version.run_id
    assert OWN == version.tags["aisle.version"]


@pytest.mark.usefixtures("environment")
def test_aliases_follow_what_is_decided(place: Place, tmp_path: Path) -> None:
    """Forth and back, and away; an alias of which nothing is known stays, and nobody points to what is not there."""
    bundles = [make_bundle(tmp_path, version, name="followed") for version in (A, B)]
    first = decided(bundles[0])
    second = decided(bundles[1], first)

    def after(**events: object) -> dict[str, str]:
        sync(place, bundles, events)  # type: ignore[arg-type] # events or None
        with opened(place) as client:
            return _aliases(client, "followed")

    assert {CHAMPION: A} == after(champion=first)
    assert {CHAMPION: B, CHALLENGER: A} == after(champion=second, challenger=first)
    assert {CHAMPION: A, CHALLENGER: A} == after(champion=decided(bundles[0], second))
    assert {CHAMPION: A} == after(champion=first, challenger=None)
    assert {} == after(champion=decided(make_bundle(tmp_path / "elsewhere", C, name="followed")))


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(("version", "step"), [(D, "runs._artifacts"), (E, "sync.record_version")])
def test_a_recording_that_broke_off_is_completed(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, step: str
) -> None:
    """What was recorded by then is not recorded twice."""
    bundle = make_bundle(tmp_path, version, name="broken-off")

    def breaks(*_arguments: object) -> str:
        raise ValueError("the server is gone")

    with monkeypatch.context() as patch:
        patch.setattr(f"model.registry.{step}", breaks)
        with pytest.raises(RegistryUnavailable, match="the server is gone"):
            sync(place, [bundle], {})
    assert [version] == sync(place, [bundle], {}).recorded

    with opened(place) as client:
        found = client.search_runs([experiment_of(client, place, TRAININGS)])
        versions = client.search_model_versions("name = 'broken-off'")
    runs = [run for run in found if run.data.tags["aisle.bundle"] == bundle.as_uri()]
    assert ["FINISHED"] == [run.info.status for run in runs]
    assert 1 == sum(one.tags["aisle.version"] == version for one in versions)


@pytest.mark.usefixtures("environment")
@pytest.mark.usefixtures("environment")
def test_a_data_directory_may_be_moved(place: Place, tmp_path: Path) -> None:
    """The next recording brings MLflow to where artifacts and bundles are by now; the old place is not written to."""
    before, after = tmp_path / "before", tmp_path / "after"
    bundle = make_bundle(before / "models", OWN, name="moved")
    (bundle / "training.toml").write_text("seed = 0\n")
    shutil.copytree(place.folder, before / "mlflow", ignore=shutil.ignore_patterns("artifacts"))
    own = Place(before / "mlflow")
    with closing(sqlite3.connect(own.folder / "mlflow.db")) as database, database:  # made elsewhere, and empty
        for table in ("experiments", "runs", "tags", "metrics", "latest_metrics", "params"):
            database.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours
    sync(own, [bundle], {})
    before.rename(after)
    bundle, own = after / "models" / OWN, Place(after / "mlflow")
    second = make_bundle(after / "models", A, name="moved")
    (second / "training.toml").write_text("seed = 0\n")

    done = sync(own, [bundle, second], {CHAMPION: decided(bundle)})

    assert (before.as_uri(), [A]) == (done.moved_from, done.recorded)
    assert not before.exists()
    with opened(own) as client:
        runs = runs_of(client, experiment_of(client, own, TRAININGS))
        for run in runs.values():
            assert run.info.artifact_uri.startswith(f"{own.artifacts}/")
            assert "training.toml" in [one.path for one in client.list_artifacts(run.info.run_id)]
        sources = {str(one.source) for one in client.search_model_versions("name = 'moved'")}
    assert {bundle.as_uri(), second.as_uri()} == sources
    assert bundle.as_uri() == runs[OWN].data.tags["aisle.bundle"]
    assert sync(own, [bundle, second], {}).moved_from is None


def test_figures_of_a_day_in_service_are_kept_by_day(place: Place) -> None:
    """A day's figures that come again replace nothing else, and those of two days stand beside each other."""
    for day, accuracy in ((date(2026, 11, 20), 0.5), (date(2026, 11, 21), 0.75)):
        record_serving(place, A, {"accuracy": accuracy}, day)

    with opened(place) as client:
        run = runs_of(client, experiment_of(client, place, SERVING))[A]
        history = client.get_metric_history(run.info.run_id, "accuracy")
    assert [0.5, 0.75] == [point.value for point in history]
    assert [date(2026, 11, 20).toordinal(), date(2026, 11, 21).toordinal()] == [point.step for point in history]


def test_a_registry_that_is_away_is_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is raised, whatever MLflow's libraries think of; and where it is not wanted nothing is asked."""
    now = InForce(None, {})

    def away(*_arguments: object) -> Synced:
        raise RegistryUnavailable("MLflow gave no answer.")

    monkeypatch.setattr("model.registry.sync.sync", away)
    line = registry.recorded(Settings(data_dir=tmp_path), now)
    assert line == "not recorded in MLflow, `aisle models sync` will do it: MLflow gave no answer."
    assert registry.recorded(Settings(data_dir=tmp_path, mlflow=False), now) is None


@pytest.mark.usefixtures("environment")
def test_an_error_of_mlflow_shows_no_password(tmp_path: Path) -> None:
    """Its messages have the server's whole address in them."""
    with pytest.raises(RegistryUnavailable, match="http://there:5000/api refused") as raised, opened(Place(tmp_path)):
        raise ValueError("http://ada:secret@there:5000/api refused\nand more")
    assert "secret" not in str(raised.value)


def test_a_registry_that_another_process_keeps_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that hangs with the lock in hand: who waits says so, and what to do later."""
    monkeypatch.setattr("model.registry.opened._LOCK_S", 0.2)
    with (tmp_path / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with (
            pytest.raises(RegistryUnavailable, match=r"has had the registry .* `aisle models sync`"),
            opened(Place(tmp_path)),
        ):
            pytest.fail("it is not ours")


def test_names_are_what_mlflow_takes(tmp_path: Path) -> None:
    """A quote or a slash in a model's name would break its filters and addresses."""
    from model.bundle import read_manifest

    manifest = read_manifest(make_bundle(tmp_path, A, name="it's a/b:c"))
    assert "it-s a-b-c" == registered_name(manifest)


def test_the_registry_is_imported_by_nobody_who_does_not_use_it() -> None:
    """Workers of the stream and commands answer without its three seconds."""
    modules = "workers.registry, scripts.models, scripts.train, streams.classify_worker, streams.archive_worker"
    code = f"import sys, {modules}; sys.exit('mlflow' in sys.modules)"
    assert 0 == subprocess.run([sys.executable, "-c", code], check=False).returncode
