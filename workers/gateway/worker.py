"""The gateway's process: what it is made of, and its life from start to end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from infra.endpoints import find_kafka, find_mongodb
from infra.health import Health
from infra.images import ImageStore
from infra.logging import get_logger
from infra.photos import Photos
from infra.settings import Settings
from infra.store import Store
from infra.store_schema import prepare
from infra.tracing import traced
from schemas.errors import AisleError
from workers.gateway.accounts.gatekeeper import Accounts
from workers.gateway.app import create_app
from workers.gateway.bulk.runner import working
from workers.gateway.parts import Parts
from workers.gateway.road.answers import Answers
from workers.gateway.server import listening, serve
from workers.gateway.traced import road_class

_AGAIN_S: Final = 5.0

logger = get_logger(__name__)


async def main(settings: Settings, health: Health) -> None:
    """Serve until cancelled."""
    bootstrap = find_kafka(settings)
    async with AsyncExitStack() as stack:
        stack.enter_context(traced(settings, "gateway"))
        store = Store(find_mongodb(settings), settings.mongodb_database)
        stack.callback(store.close)
        made = stack.enter_context(listening(settings))
        host, port = made.getsockname()[:2]
        settings = settings.model_copy(update={"gateway_port": port})
        roots = [root.strip() for root in (settings.image_roots or "").split(",") if root.strip()]
        images = ImageStore(settings.data_dir / "images")
        road = road_class()(Answers(settings.gateway_pending))
        parts = Parts(settings, store, road, images, Photos(roots, images), health)
        accounts = Accounts(store, settings)
        stack.callback(parts.photos.close)
        await stack.enter_async_context(road.answers.following(bootstrap, health))
        await stack.enter_async_context(road.publishing(bootstrap, health))
        await stack.enter_async_context(_preparing(store, accounts, health))
        await stack.enter_async_context(working(parts))
        logger.info("serving", url=settings.gateway_url or f"http://{host}:{port}")
        health.has("start")
        await serve(create_app(parts, accounts), made, settings)


@asynccontextmanager
async def _preparing(store: Store, accounts: Accounts, health: Health) -> AsyncIterator[None]:
    """Prepare the store as soon as it answers. Products are classified without it, so nothing waits for this."""
    task = asyncio.create_task(_prepare(store, accounts, health))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _prepare(store: Store, accounts: Accounts, health: Health) -> None:
    while True:
        health.says("store", f"no MongoDB server answers at {store.address}")
        try:
            await store.wait()
            await prepare(store)
            link = await accounts.first_link()
        except AisleError as error:
            logger.warning("the store cannot be prepared, trying again", error=error.code, why=error.message)
            await asyncio.sleep(_AGAIN_S)
            continue
        health.says("store", "answers")
        if link is not None:
            logger.warning("nobody can sign in yet: make the first admin's account at this link", link=link)
        return
