"""Products whose category is known, sent as any other and looked up by their events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import orjson
from aiokafka.errors import KafkaError

from infra.errors import DeliveryFailed
from infra.kafka.clients import producer_client
from infra.store import Document
from model.data.dataset import ProductRow, iter_products
from model.errors import DataInvalid
from schemas import headers as names
from schemas.ids import CANARY, cloudevent_id
from schemas.prediction import REVIEWER
from schemas.taxonomy import Taxonomy
from schemas.topics import PRODUCTS_IN

MAX_CANARIES: Final = 200


@dataclass(frozen=True, slots=True)
class Canary:
    """A product to send.

    Args:
        row: As the file has it.
        event_id: Of this sending.
        expected: Code of its category; None for one that the model in service does not know.
    """

    row: ProductRow
    event_id: str
    expected: str | None

    @property
    def name(self) -> str:
        """What alerts and documents call it."""
        return f"canary {self.row.id}"


def read_canaries(path: Path, taxonomy: Taxonomy, at: datetime) -> list[Canary]:
    """The canaries of a file, with the events that they are at a time.

    Args:
        path: CSV, JSONL or Parquet with a category, by code or label.
        taxonomy: Of the model in service.
        at: When they are sent: sent again at the same time, they are the same events.

    Raises:
        DataInvalid: It cannot be read, a row has no category, or there are none or more than 200.
    """
    rows = list(iter_products(path))
    if not 0 < len(rows) <= MAX_CANARIES:
        raise DataInvalid(f"{path} has {len(rows):,} products; between 1 and {MAX_CANARIES} are canaries.")
    if (without := next((row for row in rows if row.category is None), None)) is not None:
        raise DataInvalid(f"Row {without.row} of {path} has no category to expect.", hint="Add one, or leave it out.")
    source = f"urn:aisle:canary:{sha256(path.read_bytes()).hexdigest()}"
    return [
        Canary(row, cloudevent_id(source, f"{row.row} {at.isoformat()}"), taxonomy.code_of(row.category or ""))
        for row in rows
    ]


async def send(bootstrap: str, canaries: Sequence[Canary]) -> None:
    """Publish canaries to ``products.in``.

    Raises:
        BrokerUnavailable: No broker answers.
        DeliveryFailed: The brokers did not acknowledge them.
    """
    try:
        async with producer_client(bootstrap) as producer:
            for one in canaries:
                key, value = _key(one).encode(), orjson.dumps(_product(one))
                headers = [(names.EVENT_ID, one.event_id.encode()), (names.CONTENT_TYPE, b"application/json")]
                await producer.send_and_wait(PRODUCTS_IN, value, key=key, headers=headers)
    except KafkaError as error:
        raise DeliveryFailed(f"Could not deliver canaries: {type(error).__name__}: {error}.") from error


def judge(canaries: Sequence[Canary], found: dict[str, Document]) -> tuple[dict[str, Any], dict[str, str]]:
    """The figures, and what is wrong, by canary."""
    wrong = {one.name: why for one in canaries if (why := _wrong(one, found.get(one.event_id))) is not None}
    figures = {"sent": len(canaries), "answered": len(found), "right": len(canaries) - len(wrong)}
    return figures, wrong


def _wrong(canary: Canary, item: Document | None) -> str | None:
    what = f"{canary.row.title or canary.row.id!r}, a {canary.row.category!r},"
    if item is None:
        return f"{what} was not answered."
    if "prediction" not in item:
        return f"{what} could not be classified: {item['dead_letter'].get('message', 'it is a dead letter')}"
    if canary.expected is None:
        return f"{what} is of a category that the model in service does not know."
    if item["prediction"].get("decided_by") == REVIEWER:
        return f"{what} was answered by a person's verdict on it: it tests no model any more."
    said = item["prediction"]["category"]["code"]
    if said == canary.expected:
        return None
    confidence, version = item["prediction"]["confidence"], item["prediction"]["model"]["version"]
    return f"{what} was called {said!r} by {version}, with a confidence of {confidence:.2f}."


def _key(canary: Canary) -> str:
    return f"{CANARY}{canary.row.id}"


def _product(canary: Canary) -> dict[str, Any]:
    row = canary.row
    image = None if row.image is None else {"uri": row.image}
    fields = {"product_id": _key(canary), "title": row.title, "description": row.description, "image": image}
    return {name: value for name, value in fields.items() if value is not None}
