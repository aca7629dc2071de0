"""What was forgotten by request is not sent again."""

from collections import Counter
from collections.abc import AsyncIterator
from time import monotonic
from typing import Final

from infra.forgotten import Forgotten
from infra.forgotten_items import named_in
from streams.forgotten import time_of
from streams.replay.event import Event

_ASK_EVERY_S: Final = 1.0


async def without_forgotten(
    events: AsyncIterator[Event], forgotten: Forgotten, passed_over: Counter[str]
) -> AsyncIterator[Event]:
    """The events but those that were erased, and those of forgotten products from before the erasure.

    Rows of a file have no time: of a forgotten product none is sent.

    Args:
        events: Those that were chosen.
        forgotten: Asked each second again.
        passed_over: Counts the others.

    Raises:
        StoreUnavailable: The store is away.
    """
    asked: float | None = None
    async for event in events:
        if asked is None or monotonic() - asked > _ASK_EVERY_S:
            await forgotten.refresh()
            asked = monotonic()
        if is_forgotten(event, forgotten):
            passed_over["forgotten by request"] += 1
        else:
            yield event


def is_forgotten(event: Event, forgotten: Forgotten) -> bool:
    """Whether an event was erased, or is of before the erasure of its product."""
    if not forgotten:
        return False
    named = named_in(event.key, event.value)
    at = None if event.at_ms is None else time_of(event.at_ms)
    if any(forgotten.knows_event(one) for one in (event.event_id, *named.events)):
        return True
    return any(forgotten.knows_product(one, at) for one in named.products)
