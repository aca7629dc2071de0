"""What could not be processed: the bytes as they came, with Kafka-Connect-style headers that say why."""

import re
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field

from schemas.headers import ATTEMPTS, Headers, last_text
from schemas.limits import MAX_ERROR_MESSAGE_BYTES

Stage = Literal["decode", "preprocess", "infer", "poison"]

_PREFIX: Final = "aisle.errors."
_EARLIER_ATTEMPTS = re.compile(r"[1-9]\d?", re.ASCII)  # AISLE_DLQ_MAX_ATTEMPTS ends at 100


class DeadLetter(BaseModel):
    """Why and where a record failed; travels in the headers of the dead letter.

    The record's value and own headers stay as they came. One too large even for the dead-letter topic goes
    without its value: ``value_sha256`` and the source offset then tell where to find it.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int = Field(description="The source record's timestamp, milliseconds since the epoch.")
    stage: Stage
    error_class: str
    message: str
    attempts: Annotated[int, Field(ge=1)] = 1
    value_sha256: str | None = None

    def to_headers(self) -> list[tuple[str, bytes]]:
        """The error headers, in field order; the message is cut to its limit on a character boundary."""
        fields = self.model_dump(exclude_none=True)
        fields["message"] = _cut(self.message)
        return [(_PREFIX + name, str(value).encode("utf-8", "replace")) for name, value in fields.items()]

    @classmethod
    def from_headers(cls, headers: Headers) -> "DeadLetter":
        """Read the error headers back.

        Raises:
            pydantic.ValidationError: A header is missing or not what it should be.
        """
        texts = {name: last_text(headers, _PREFIX + name) for name in cls.model_fields}
        return cls.model_validate({name: text for name, text in texts.items() if text is not None})


def without_error_headers(headers: Headers) -> list[tuple[str, bytes | None]]:
    """The headers a record had before it became a dead letter, and before that was sent again.

    The count of attempts goes too: it stands in the reason, and each retry would add another.
    """
    return [(key, value) for key, value in headers if key != ATTEMPTS and not key.startswith(_PREFIX)]


def earlier_attempts(headers: Headers) -> int:
    """How often a record was tried before it was sent again: 1 to 99, or 0 where the header does not say so."""
    told = last_text(headers, ATTEMPTS) if headers else None
    return int(told) if told is not None and _EARLIER_ATTEMPTS.fullmatch(told) else 0


def _cut(message: str) -> str:
    return message.encode("utf-8", "replace")[:MAX_ERROR_MESSAGE_BYTES].decode("utf-8", "ignore")
