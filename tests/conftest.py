"""Fixtures that every kind of test may use."""

import csv
from collections.abc import Generator
from pathlib import Path

import pytest

CIQUAL = Path(__file__).parent / "data" / "ciqual_fr" / "ciqual_fr.csv"


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


@pytest.hookimpl(wrapper=True)  # around pytest-randomly, whose order stays within each kind
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None]:
    """Of several processes one alone has the road, and none works on alone at the end: the long tests begin."""
    for item in items:
        if "road" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("road"))
    yield
    items.sort(key=_kind)


def _kind(item: pytest.Item) -> int:
    kinds = ("chaos", "integration")
    return next((place for place, kind in enumerate(kinds) if item.get_closest_marker(kind)), len(kinds))
