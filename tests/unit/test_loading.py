"""A worker's model: loaded beside TensorFlow, which no garbage collection walks."""

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from model.classifier import Classifier
from streams import loading
from streams.loading import load


@pytest.mark.usefixtures("_thawed")
def test_tensorflow_is_no_work_for_the_garbage_collector_and_a_model_can_be_freed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What came with TensorFlow is never walked again, so no full collection holds the event loop up.

    Of a model the collector knows, as its parts hold each other.
    """
    imported: list[list[Any]] = []
    made: list[list[Any]] = []

    def make(_bundle: Path, language: str) -> Any:
        made.append([language])
        return made[-1]

    monkeypatch.setattr(loading, "tensorflow", lambda: imported.append([]))
    monkeypatch.setattr(Classifier, "load", make)

    for _ in range(2):
        assert ["en"] == load(Path("bundle"), "en")  # type: ignore[comparison-overlap] # a stand-in

    tracked = {id(one) for one in gc.get_objects()}
    assert [False] == [id(one) in tracked for one in imported], "imported once, and frozen"
    assert [True, True] == [id(one) in tracked for one in made]


@pytest.fixture
def _thawed() -> Iterator[None]:
    """The test process goes on collecting everything."""
    loading.import_tensorflow.cache_clear()
    yield
    gc.unfreeze()
    loading.import_tensorflow.cache_clear()
