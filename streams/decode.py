"""From raw records to what they mean; every way to be wrong has a name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from aiokafka.structs import ConsumerRecord
from pydantic import BaseModel, ValidationError

from schemas.ids import event_id
from schemas.limits import MAX_PRODUCT_RECORD_BYTES
from schemas.product import Product, read_product
from streams.errors import RecordEmpty, RecordInvalid, RecordTooLarge

_SHOWN_PROBLEMS = 5

M = TypeVar("M", bound=BaseModel)


@dataclass(slots=True)
class Received:
    """A record that is a product."""

    record: ConsumerRecord
    event_id: str
    product: Product


def id_of(record: ConsumerRecord) -> str:
    """The record's event id."""
    return event_id(
        record.headers,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp_ms=record.timestamp,
        value=record.value,
    )


def parse(model: type[M], record: ConsumerRecord, *, limit_bytes: int = MAX_PRODUCT_RECORD_BYTES) -> M:
    """Read a record's value.

    Raises:
        RecordEmpty: The value is null or has no bytes.
        RecordTooLarge: It is longer than ``limit_bytes``: a small compressed batch can hold huge records.
        RecordInvalid: It is not JSON in UTF-8, or not what the model asks for.
    """
    return _read(model, model.model_validate_json, record.value, limit_bytes)


def parse_product(record: ConsumerRecord) -> Product:
    """Read a record's value as a product; the same as :func:`parse`, faster."""
    return product_of(record.value)


def product_of(value: bytes | None) -> Product:
    """Read the value of a record as a product; raises as :func:`parse`."""
    return _read(Product, read_product, value, MAX_PRODUCT_RECORD_BYTES)


def _read(model: type[M], read: Callable[[bytes], M], value: bytes | None, limit_bytes: int) -> M:
    if not value:
        raise RecordEmpty(f"The record has {'no value' if value is None else 'an empty value'}.")
    if len(value) > limit_bytes:
        raise RecordTooLarge(f"The value has {len(value):,} bytes; at most {limit_bytes:,} are allowed.")
    try:
        return read(value)
    except ValidationError as error:
        raise RecordInvalid(_explain(model, error)) from None


def _explain(model: type[BaseModel], error: ValidationError) -> str:
    """The problems without the input, which may be huge or private and stands in the dead letter anyway."""
    problems = [
        f"{'.'.join(map(str, problem['loc'])) or 'value'}: {problem['msg'].removeprefix('Value error, ')}"
        for problem in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    more = f"; and {len(problems) - _SHOWN_PROBLEMS} more" if len(problems) > _SHOWN_PROBLEMS else ""
    return f"Not a {model.__name__}: {'; '.join(problems[:_SHOWN_PROBLEMS])}{more}."
