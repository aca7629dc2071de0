"""A bundle made ready to answer: what a worker does at its start, and again beside the model in service."""

import gc
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from infra.settings import Settings
from model.classifier import Classifier
from model.shelves import shelves_of
from model.tensorflow import tensorflow
from schemas.prediction import Category
from streams.traced import classifier_class


@dataclass(frozen=True, slots=True)
class Ready:
    """A model that may go into service.

    Args:
        classifier: Loaded, checked and warm.
        shelves: What the codes stand for that a worker may answer with.
    """

    classifier: Classifier
    shelves: Mapping[str, Category]


def make_ready(bundle: Path, settings: Settings) -> Ready:
    """Load a bundle; blocks for seconds.

    Raises:
        BundleInvalid: It is no bundle, a file is missing or changed, or it answers otherwise than when it was made.
        TaxonomyInvalid: The taxonomy that is set cannot be used.
    """
    classifier = load(bundle, settings.language)
    return Ready(classifier, shelves_of(settings, classifier.manifest))


def load(bundle: Path, language: str) -> Classifier:
    """Load a model, with TensorFlow out of the garbage collector's way."""
    import_tensorflow()
    return classifier_class().load(bundle, language=language)


@cache
def import_tensorflow() -> None:
    """Import TensorFlow, and keep the garbage collector from ever walking what came with it.

    Its 270,000 objects stay as long as the process. A full collection takes 450 to 890 ms with them and 10 to 15 ms
    without, about every 35,000 events, and the event loop stands still meanwhile. A model's own 14,000 are left to the
    collector: it frees them once another model has taken over, and walks them in 3 ms.
    """
    tensorflow()
    gc.collect()
    gc.freeze()
