"""The classify worker: waits for a champion and a broker, then runs the classify agent on whatever model is decided."""

import asyncio
from pathlib import Path
from typing import Any

from infra.kafka.app import new_app
from infra.logging import get_logger
from infra.metrics.answers import show_model
from infra.tracing import traced
from schemas.topics import MODELS_EVENTS, PRODUCTS_IN, VERDICTS
from streams.champion import Champion
from streams.classify import ClassifyStage
from streams.commit import run_stage
from streams.decided import DecidedContents
from streams.inference import Inference
from streams.loading import import_tensorflow, make_ready
from streams.swap import HotSwap
from streams.traced import classify_stage, photo_reader, sender
from streams.worker import Worker

GROUP = "aisle-classify"

logger = get_logger(__name__)


async def main(worker: Worker) -> None:
    """Run until stopped."""
    with traced(worker.settings, "classify"):
        if (pinned := worker.settings.model) is None:
            await _run_champion(worker)
        else:
            await _run_pinned(worker, pinned)


async def _run_champion(worker: Worker) -> None:
    """Serve the champion, whichever it is by then."""
    settings, health = worker.settings, worker.health
    champion = Champion(settings.data_dir / "models")
    if champion.now() is not None:
        await asyncio.to_thread(import_tensorflow)  # it will be needed: use the time until the broker answers
    bootstrap = await worker.broker(PRODUCTS_IN, MODELS_EVENTS, VERDICTS)
    decided = DecidedContents(settings.verdicts_max, {})
    events, verdicts, swap = champion.follower(), decided.follower(), HotSwap(champion, settings, health)
    async with events.following(bootstrap, health), verdicts.following(bootstrap, health):
        await events.known()
        ready = await swap.first()
        decided.shelves = ready.shelves
        await verdicts.known()
        inference = Inference(ready.classifier, settings.infer_deadline_s)
        del ready  # or the first model would stay for ever
        async with swap.kept(inference, decided, bootstrap):
            await _classify(worker, inference, decided, bootstrap)


async def _run_pinned(worker: Worker, bundle: Path) -> None:
    """Serve the bundle that the settings name, whatever is decided."""
    settings, health = worker.settings, worker.health
    ready = await asyncio.to_thread(make_ready, bundle, settings)
    model = ready.classifier.ref
    logger.warning(
        "AISLE_MODEL names this model: promotions and rollbacks are ignored", **model.model_dump(), bundle=str(bundle)
    )
    health.says("model", f"{model.name} {model.version}, as AISLE_MODEL says: what is decided is ignored.")
    show_model(model)
    bootstrap = await worker.broker(PRODUCTS_IN, VERDICTS)
    decided = DecidedContents(settings.verdicts_max, ready.shelves)
    verdicts = decided.follower()
    async with verdicts.following(bootstrap, health):
        await verdicts.known()
        await _classify(worker, Inference(ready.classifier, settings.infer_deadline_s), decided, bootstrap)


async def _classify(worker: Worker, inference: Inference, decided: DecidedContents, bootstrap: str) -> None:
    app, photos = new_app(GROUP, worker.settings, bootstrap), photo_reader(worker.settings)

    @app.agent(app.topic(PRODUCTS_IN), name="classify")
    async def classify(stream: Any) -> None:
        stage = ClassifyStage(inference, sender(app.batch_producer), photos, decided)
        await run_stage(stream, classify_stage(stage), worker.progress)

    await worker.run(app)
