"""Fixtures that every kind of test may use."""

import csv
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

SHARE_THE_ROAD = {
    f"tests/integration/test_{name}.py" for name in ("dlq", "examples", "feedback", "readme", "road", "shadow")
}
SHARE_THE_MODEL = {
    *(f"tests/integration/test_{name}.py" for name in ("restore", "tracing", "worker")),
    *(
        f"tests/unit/test_{name}.py"
        for name in (
            *("bundle", "classifier", "encoder_directory", "encoder_stage", "explain", "image_stage", "model_commands"),
            *("network", "photo_model", "training"),
        )
    ),
}
"""They need TensorFlow, which takes 8 s to import, and most of them a model, which takes as long again to train."""
A_WHOLE_AISLE = "tests/browser/test_real"
"""Begins the names of those that share the one of the browser tests."""
CIQUAL = Path(__file__).parent / "data" / "ciqual_fr" / "ciqual_fr.csv"

# How long one example takes says what else the machine does.
settings.register_profile("aisle", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("aisle")


@pytest.fixture(scope="session")
def small_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of 400 real food names in 11 categories, without descriptions."""
    path = tmp_path_factory.mktemp("data") / "foods.csv"
    with CIQUAL.open(encoding="utf-8", newline="") as source, path.open("w", encoding="utf-8", newline="") as target:
        rows = list(csv.reader(source))
        csv.writer(target).writerows([rows[0], *rows[1::8]])
    return path


@pytest.fixture(scope="session")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the session's bundle lives, alone."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def bundle(small_data: Path, models_dir: Path) -> Path:
    """A bundle trained on ``small_data``; read it, copy it, never write to it. Imports TensorFlow."""
    from model.data.labelled import load_labelled
    from model.training import train

    return train(load_labelled(small_data), models_dir).bundle


class ByFile(LoadFileScheduling):  # type: ignore[misc] # xdist has no types
    """A file's tests run in one process, as do all files that share the road or the model: to make it takes longer."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        if path.startswith(A_WHOLE_AISLE):
            return A_WHOLE_AISLE
        if path in SHARE_THE_ROAD:
            return "road"
        return "model" if path in SHARE_THE_MODEL else path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """How tests are given to several processes."""
    return ByFile(config, log)


@pytest.hookimpl(wrapper=True)  # around pytest-randomly, whose order stays within each kind
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None]:
    """The long tests begin, so that of several processes none works on alone at the end."""
    yield
    items.sort(key=_kind)


def _kind(item: pytest.Item) -> int:
    path = item.nodeid.partition("::")[0]
    if path in SHARE_THE_ROAD or path.startswith(A_WHOLE_AISLE) or item.get_closest_marker("chaos"):
        return 0
    if path in SHARE_THE_MODEL:  # much work for a core, while the road's tests wait for a broker
        return 1
    return 2 if item.get_closest_marker("integration") else 3
