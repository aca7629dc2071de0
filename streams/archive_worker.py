"""The archive worker: waits for the store and a broker, then runs the archive agent."""

from typing import Any

from infra.endpoints import find_kafka, find_mongodb
from infra.images import ImageStore
from infra.kafka.app import new_app
from infra.kafka.clients import admin_client, wait_for_broker
from infra.kafka.topics import check_in_step, topic_states
from infra.store import Store
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

    bootstrap = find_kafka(settings)
    health.waits_for("broker", f"no broker answers at {bootstrap}")
    await wait_for_broker(bootstrap)
    async with admin_client(bootstrap) as admin:
        check_in_step(await topic_states(admin))
    health.has("broker")

    app = new_app(GROUP, settings, bootstrap)
    images = ImageStore(settings.data_dir / "images")

    @app.agent(app.topic(*TOPICS), name="archive")
    async def archive(stream: Any) -> None:
        stage = ArchiveStage(store, images, app.batch_producer, settings.retry_budget_s)
        await run_stage(stream, stage, worker.progress)

    await worker.run(app)
