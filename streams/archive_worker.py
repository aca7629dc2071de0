"""The archive worker: waits for the store and a broker, then runs the archive agent."""

from typing import Any

from infra.endpoints import find_mongodb
from infra.images import ImageStore
from infra.kafka.app import new_app
from infra.store import Store
from schemas.topics import FEEDBACK
from streams.archive import TOPICS, ArchiveStage
from streams.commit import run_stage
from streams.worker import Worker

GROUP = "aisle-archive"


async def main(worker: Worker) -> None:
    """Run until stopped. The group is joined only once the store answers, so that nobody waits for us."""
    settings, health = worker.settings, worker.health
    store = Store(find_mongodb(settings), settings.mongodb_database)
    health.waits_for("store", f"no MongoDB server answers at {store.address}")
    await store.wait()
    await store.create_indexes()
    health.has("store")

    app = new_app(GROUP, settings, await worker.broker(FEEDBACK))
    images = ImageStore(settings.data_dir / "images")

    @app.agent(app.topic(*TOPICS), name="archive")
    async def archive(stream: Any) -> None:
        stage = ArchiveStage(store, images, app.batch_producer, settings.retry_budget_s)
        await run_stage(stream, stage, worker.progress)

    await worker.run(app)
