"""The archive worker: waits for the store and a broker, then runs the archive agent."""

from contextlib import closing
from typing import Any

from infra.endpoints import find_mongodb
from infra.errors import StoreRefused, StoreUnavailable
from infra.images import ImageStore
from infra.kafka.app import BatchApp, new_app
from infra.logging import get_logger
from infra.store import Store
from infra.store_schema import prepare
from infra.tracing import traced
from model.shelves import TaxonomyInForce
from schemas.topics import FEEDBACK, VERDICTS
from streams.archive import TOPICS, ArchiveStage
from streams.commit import run_stage
from streams.traced import archive_stage, photo_reader, sender
from streams.worker import Worker

GROUP = "aisle-archive"

logger = get_logger(__name__)


async def main(worker: Worker) -> None:
    """Run until stopped.

    The group is joined only once the store answers, and left when it is away for long, so that nobody waits
    for us: alive and not ready, we join again when it answers.
    """
    with (
        traced(worker.settings, "archive"),
        closing(Store(find_mongodb(worker.settings), worker.settings.mongodb_database)) as store,
    ):
        while True:
            try:
                return await worker.run(await _new_app(worker, store))
            except StoreUnavailable as error:
                logger.warning("not archiving until the store answers", error=error.code, why=error.message)


async def _new_app(worker: Worker, store: Store) -> BatchApp:
    """The archive's app, once the store and a broker answer; an app cannot be started twice."""
    settings, health = worker.settings, worker.health
    health.waits_for("store", f"no MongoDB server answers at {store.address}")
    await store.wait()
    await store.retrying(lambda: prepare(store), settings.retry_budget_s)  # it may answer and yet have no primary
    health.has("store")

    app = new_app(GROUP, settings, await worker.broker(FEEDBACK, *TOPICS, VERDICTS))
    images, photos = ImageStore(settings.data_dir / "images"), photo_reader(settings)
    taxonomy = TaxonomyInForce(settings)

    @app.agent(app.topic(*TOPICS), name="archive")
    async def archive(stream: Any) -> None:
        stage = ArchiveStage(store, images, sender(app.batch_producer), settings.retry_budget_s, taxonomy, photos)
        try:
            await run_stage(stream, archive_stage(stage), worker.progress)
        except (StoreUnavailable, StoreRefused) as error:
            await worker.leave(error)

    return app
