"""The classify worker as it is, with a model that fails where the harness wants it to.

Only the classifier's one method is wrapped; everything else is aisle's own. Titles say what happens (see
``events``), and while the file that ``CHAOS_MODEL_BROKEN`` names exists, every call raises.
"""

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from infra.logging import configure_logging
from infra.settings import load_settings
from model.classifier import Classification, Classifier, Photo
from schemas.product import Product
from streams.classify_worker import main
from streams.lifetime import run_worker
from tests.chaos.events import HANGS, KILLS, RAISES

BROKEN: Final = "CHAOS_MODEL_BROKEN"

_classify = Classifier.classify


def classify(self: Classifier, products: Sequence[Product], photos: Sequence[Photo] = ()) -> list[Classification]:
    """``Classifier.classify``, with trouble."""
    titles = {product.title for product in products}
    if KILLS in titles:
        os.kill(os.getpid(), signal.SIGKILL)
    if HANGS in titles:
        time.sleep(3_600)
    if RAISES in titles or Path(os.environ[BROKEN]).exists():
        raise RuntimeError("the harness's model was told to raise")
    return _classify(self, products, photos)


if __name__ == "__main__":
    Classifier.classify = classify  # type: ignore[method-assign] # this process is the harness's own
    settings = load_settings()
    configure_logging(settings, worker="classify")
    run_worker(settings, main)
