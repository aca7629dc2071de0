"""The classify worker's own steps."""

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from model.classifier import Classifier
from streams.classify_worker import load


@pytest.mark.usefixtures("_thawed")
def test_a_loaded_model_is_no_work_for_the_garbage_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came with the model is never walked again, so no full collection holds the event loop up."""
    model: Any = [[]]  # what a collector would track
    monkeypatch.setattr(Classifier, "load", lambda bundle, language: model)  # noqa: ARG005

    assert model is load(Path("bundle"), "en")

    assert all(one is not model for one in gc.get_objects())
    assert gc.get_freeze_count()


@pytest.fixture
def _thawed() -> Iterator[None]:
    """The test process goes on collecting everything."""
    yield
    gc.unfreeze()
