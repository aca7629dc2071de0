"""The classify worker: waits for a champion and a broker, then runs the classify agent."""

import asyncio
import gc
from pathlib import Path
from typing import Any

from infra.kafka.app import new_app
from infra.logging import get_logger
from model.champion import find_bundle
from model.classifier import Classifier
from model.errors import NoChampion
from schemas.topics import PRODUCTS_IN
from streams.classify import ClassifyStage
from streams.commit import run_stage
from streams.decided import DecidedContents
from streams.inference import Inference
from streams.photos import PhotoReader
from streams.shelves import shelves_of
from streams.worker import Worker

GROUP = "aisle-classify"
_ASK_AGAIN_S = 2.0

logger = get_logger(__name__)


async def main(worker: Worker) -> None:
    """Run until stopped."""
    settings = worker.settings
    bundle = await _wait_for_champion(worker)
    classifier = await asyncio.to_thread(load, bundle, settings.language)
    logger.info("model loaded", model=classifier.ref.name, version=classifier.ref.version)

    bootstrap = await worker.broker(PRODUCTS_IN)
    app = new_app(GROUP, settings, bootstrap)
    inference, photos = Inference(classifier, settings.infer_deadline_s), PhotoReader.of(settings)
    decided = DecidedContents(settings.verdicts_max, shelves_of(settings, classifier.manifest))

    @app.agent(app.topic(PRODUCTS_IN), name="classify")
    async def classify(stream: Any) -> None:
        await run_stage(stream, ClassifyStage(inference, app.batch_producer, photos, decided), worker.progress)

    async with decided.followed(bootstrap, worker.health):
        await worker.run(app)


def load(bundle: Path, language: str) -> Classifier:
    """Load a model, and keep the garbage collector from walking all that came with it.

    TensorFlow makes 400,000 objects that stay. A full collection took 450 to 890 ms with them and 10 to 15 ms
    without, about every 35,000 events, and the event loop stands still meanwhile.
    """
    classifier = Classifier.load(bundle, language=language)
    gc.collect()
    gc.freeze()
    return classifier


async def _wait_for_champion(worker: Worker) -> Path:
    """The bundle to serve; without one the worker is not ready and consumes nothing."""
    settings, told = worker.settings, False
    while True:
        try:
            bundle = find_bundle(settings.model, settings.data_dir / "models")
        except NoChampion as error:
            if not told:
                worker.health.waits_for("model", str(error))
                logger.warning("waiting for a champion", hint=error.hint)
                told = True
        else:
            worker.health.has("model")
            return bundle
        await asyncio.sleep(_ASK_AGAIN_S)
