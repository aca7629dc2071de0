"""The classify worker as it is, with a model that is played: it answers at once, and one title ends its process.

TensorFlow takes seconds to import, and what is to be seen here is the process and not the network.
"""

import os
import signal
from collections.abc import Sequence
from pathlib import Path

from infra.logging import configure_logging
from infra.settings import Settings, load_settings
from model.bundle import Manifest, read_manifest
from model.classifier import Classification, Classifier, Photo
from model.shelves import shelves_of
from schemas.product import Product
from streams import classify_worker
from streams.lifetime import run_worker
from streams.loading import Ready
from tests.chaos.events import KILLS


class Played(Classifier):
    """Answers with a bundle's first category, whatever it is asked.

    Args:
        manifest: The bundle's.
    """

    def __init__(self, manifest: Manifest) -> None:
        self.ref = manifest.ref
        self.manifest = manifest
        self.reads_photos = False
        self._category = manifest.categories[0].category("en")

    def classify(self, products: Sequence[Product], photos: Sequence[Photo] = ()) -> list[Classification]:  # noqa: ARG002 - the classifier's
        """That category; the title ``KILLS`` ends the process, as running out of memory does."""
        if any(product.title == KILLS for product in products):
            os.kill(os.getpid(), signal.SIGKILL)
        top = [(self._category, 0.9)]
        return [Classification(self._category, 0.9, top, False, "text", ["title"], []) for _ in products]


def make_ready(bundle: Path, settings: Settings) -> Ready:
    """In place of ``streams.loading.make_ready``."""
    manifest = read_manifest(bundle)
    return Ready(Played(manifest), shelves_of(settings, manifest))


if __name__ == "__main__":
    classify_worker.make_ready = make_ready  # type: ignore[attr-defined] # this process is the test's own
    settings = load_settings()
    configure_logging(settings, worker="classify")
    run_worker(settings, classify_worker.main)
