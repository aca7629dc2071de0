"""``aisle watch``: see events as they come."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from scripts.output import printable

if TYPE_CHECKING:
    from aiokafka.structs import ConsumerRecord


@click.command()
@click.argument("topic", default="predictions.out")
@click.option("--from-start", is_flag=True, help="Begin with the oldest record instead of the next one.")
@click.option("--limit", type=click.IntRange(min=1), help="End after N records.")
@click.option("--json", "as_json", is_flag=True, help="Print each record as a JSON line.")
def command(topic: str, from_start: bool, limit: int | None, as_json: bool) -> None:
    """Show the records of a topic as they come.

    TOPIC is predictions.out unless you name another. Ctrl-C ends it.
    """
    from infra.endpoints import find_kafka
    from infra.kafka.clients import admin_client, reader_client, records
    from infra.settings import load_settings

    bootstrap = find_kafka(load_settings())

    async def follow() -> None:
        async with admin_client(bootstrap) as admin:
            topics = await admin.list_topics()
        if topic not in topics:
            known = ", ".join(sorted(name for name in topics if not name.startswith("__"))) or "none"
            raise click.BadParameter(f"there is no topic {topic!r}; there are: {known}", param_hint="TOPIC")
        seen = 0
        async with reader_client(bootstrap, topic, from_start=from_start) as reader:
            async for record in records(reader):
                click.echo(_as_json(record) if as_json else _as_line(record))
                seen += 1
                if seen == limit:
                    return

    asyncio.run(follow())


def _as_json(record: "ConsumerRecord[bytes, bytes]") -> str:
    import orjson

    text = _text(record.value)
    line: dict[str, Any] = {
        "partition": record.partition,
        "offset": record.offset,
        "timestamp_ms": record.timestamp,
        "key": _text(record.key),
        "headers": {name: _text(content or b"") for name, content in record.headers},
        "value": text,
    }
    with suppress(orjson.JSONDecodeError, orjson.JSONEncodeError):  # not JSON, or nested deeper than orjson writes
        return orjson.dumps(line | {"value": orjson.loads(record.value or b"")}).decode()
    return orjson.dumps(line).decode()


def _as_line(record: "ConsumerRecord[bytes, bytes]") -> str:
    from datetime import datetime

    from schemas.headers import last_text
    from schemas.topics import PREDICTIONS_OUT, PRODUCTS_DLQ

    try:
        at = datetime.fromtimestamp(record.timestamp / 1000).astimezone().strftime("%H:%M:%S")
    except (ValueError, OverflowError, OSError):  # a producer may write any number
        at = str(record.timestamp)
    key = _printable(record.key or b"")[:16]
    if record.topic == PREDICTIONS_OUT and (summary := _prediction(record.value)) is not None:
        return f"{at}  {key:16}  {summary}"
    if record.topic == PRODUCTS_DLQ:
        why = _printable((last_text(record.headers, "aisle.errors.message") or "").encode())
        return f"{at}  {key:16}  " + click.style(why[:52], fg="red")
    return f"{at}  {record.partition}:{record.offset:<8} {key:16}  {_printable(record.value or b'')[:42]}"


def _prediction(value: bytes | None) -> str | None:
    from pydantic import ValidationError

    from schemas.prediction import Prediction

    try:
        prediction = Prediction.model_validate_json(value or b"")
    except ValidationError:
        return None
    label = _printable(prediction.category.label.encode())[:28]
    mark = click.style("review", fg="yellow") if prediction.needs_review else ""
    return f"{label:28}  {prediction.confidence:4.0%}  {mark}".rstrip()


def _text(content: bytes | None) -> str | None:
    return None if content is None else content.decode("utf-8", "replace")


def _printable(content: bytes) -> str:
    return printable(content.decode("utf-8", "replace"))
