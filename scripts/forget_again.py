"""What a backup still has of products that were forgotten after it was taken."""

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from infra.forgotten import Forgotten
    from infra.forgotten_items import Traces
    from infra.settings import Settings
    from infra.store import Store

_AT_ONCE: Final = 500


async def forget_again(settings: "Settings", store: "Store") -> int:
    """Remove the events that a restored store has and that were forgotten; how many there were.

    Raises:
        BrokerUnavailable: No broker answers; may be repeated.
        StoreUnavailable: The store is away; may be repeated.
    """
    from infra.endpoints import find_kafka
    from infra.forgotten import Forgotten
    from infra.forgotten_items import ForgottenItems
    from infra.images import ImageStore
    from infra.kafka.clients import producer_client
    from infra.store import REPLAYS, SHADOW
    from scripts.forget_run import take_back
    from workers.retrain.set_files import sets_dir
    from workers.retrain.set_forgotten import mark, sets_with, take_out

    forgotten = Forgotten(store)
    await forgotten.refresh()
    if not forgotten:
        return 0
    found = await _found(store, forgotten)
    sets = await asyncio.to_thread(sets_with, sets_dir(settings.data_dir), found.verdicts)
    await mark(store, [await asyncio.to_thread(take_out, folder, ids) for folder, ids in sets.items()])
    items = ForgottenItems(store, ImageStore(settings.data_dir / "images"))
    if found.contents:
        async with producer_client(find_kafka(settings)) as producer:
            await take_back(store, producer, found)
    await items.remove_photos(found.photos, found.events)
    await items.remove_verdicts(found.verdicts)
    for collection in (SHADOW, REPLAYS):
        await _remove_answers(store, collection, forgotten)
    await items.remove_events(found.events)
    return len(found.events)


async def _found(store: "Store", forgotten: "Forgotten") -> "Traces":
    """What the store has of what was forgotten: by events, or by products and the times of theirs."""
    from infra.forgotten_items import Traces, photo_of
    from infra.scan import scan
    from infra.store import FEEDBACK, ITEMS

    found = Traces()
    fields = ("product_id", "product.published_at", "product.image", "prediction.classified_at")
    async for item in scan(store, ITEMS, {}, fields):
        at = item.get("product", {}).get("published_at") or item.get("prediction", {}).get("classified_at")
        if forgotten.knows_event(item["_id"]) or forgotten.knows_product(item.get("product_id"), at):
            found.events.add(item["_id"])
            found.photos.update(photo_of(item.get("product", {})))
    async for one in scan(store, FEEDBACK, {}, ("event_id", "product_id", "at", "content")):
        by_event = one["event_id"] in found.events or forgotten.knows_event(one["event_id"])
        if by_event or forgotten.knows_product(one.get("product_id"), one["at"]):
            found.verdicts.add(one["_id"])
            found.contents.update([one["content"]] if "content" in one else [])
    return found


async def _remove_answers(store: "Store", collection: str, forgotten: "Forgotten") -> None:
    """Remove answers of models, which events have that are no items as well."""
    from infra.scan import scan

    gone = [
        one["_id"]
        async for one in scan(store, collection, {}, ("event_id", "product_id", "score.scored_at"))
        if forgotten.knows_event(one["event_id"])
        or forgotten.knows_product(one["product_id"], one["score"]["scored_at"])
    ]
    for start in range(0, len(gone), _AT_ONCE):
        with store.named_errors():
            await store.collection(collection).delete_many({"_id": {"$in": gone[start : start + _AT_ONCE]}})
