"""Reading of whole collections, however large they are."""

from infra.scan import Fields, Order, batches
from infra.store import Store

LARGE = 1_000_000
MANY = 60
"""Together longer than a message of the wire protocol may be, which is 48 MB."""


async def test_a_collection_longer_than_a_message_is_read_whole(store: Store) -> None:
    """Some documents at a time, here and by the store, each of them once."""
    large = store.collection("large")
    for key in range(MANY):
        await large.insert_one({"_id": key, "text": "x" * LARGE})

    sizes, keys = [], []
    async for some in batches(store, "large", {}, size=8):
        sizes.append(len(some))
        keys += [one["_id"] for one in some]

    assert list(range(MANY)) == sorted(keys)
    assert max(sizes) == 8


async def test_fields_and_order_are_as_asked_for(store: Store) -> None:
    """Named ones alone, or all but those that a projection leaves out."""
    some = store.collection("some")
    await some.insert_many([{"_id": key, "a": -key, "b": 1} for key in range(5)])

    async def read(fields: Fields = (), order: Order = ()) -> list[dict[str, object]]:
        return [one async for part in batches(store, "some", {"_id": {"$gt": 2}}, fields, order) for one in part]

    assert [{"_id": 4, "a": -4}, {"_id": 3, "a": -3}] == await read(("a",), [("a", 1)])
    assert [{"_id": 3, "b": 1}, {"_id": 4, "b": 1}] == await read({"a": False}, [("_id", 1)])
    assert {"_id": 3, "a": -3, "b": 1} in await read()
