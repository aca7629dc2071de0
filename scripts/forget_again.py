"""What a backup still has of products that were forgotten after it was taken."""

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infra.settings import Settings
    from infra.store import Store


async def forget_again(settings: "Settings", store: "Store") -> int:
    """Remove the events that a restored store has and that were forgotten; how many there were.

    Raises:
        StoreUnavailable: The store is away; may be repeated.
    """
    from infra.forgotten import Forgotten
    from infra.forgotten_items import ForgottenItems, photo_of
    from infra.images import ImageStore
    from infra.scan import scan
    from infra.store import FEEDBACK, ITEMS
    from workers.retrain.set_files import sets_dir
    from workers.retrain.set_forgotten import mark, sets_with, take_out

    forgotten = Forgotten(store)
    await forgotten.refresh()
    if not forgotten:
        return 0
    events, photos = set[str](), set[str]()
    fields = ("product_id", "product.published_at", "product.image", "prediction.classified_at")
    async for item in scan(store, ITEMS, {}, fields):
        at = item.get("product", {}).get("published_at") or item.get("prediction", {}).get("classified_at")
        if forgotten.knows_event(item["_id"]) or forgotten.knows_product(item.get("product_id"), at):
            events.add(item["_id"])
            photos.update(photo_of(item.get("product", {})))
    verdicts = {
        one["_id"]
        async for one in scan(store, FEEDBACK, {}, ("event_id", "product_id", "at"))
        if one["event_id"] in events or forgotten.knows_product(one.get("product_id"), one["at"])
    }
    sets = await asyncio.to_thread(sets_with, sets_dir(settings.data_dir), verdicts)
    await mark(store, [await asyncio.to_thread(take_out, folder, ids) for folder, ids in sets.items()])
    items = ForgottenItems(store, ImageStore(settings.data_dir / "images"))
    await items.remove_photos(photos, events)
    await items.remove_verdicts(verdicts)
    await items.remove_events(events)
    return len(events)
