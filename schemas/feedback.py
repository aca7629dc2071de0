"""What people say of a prediction."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from schemas.ids import EventId
from schemas.limits import MAX_ID_CHARS, MAX_NOTE_CHARS
from schemas.product import Identifier
from schemas.time import Instant

Verdict = Literal["validated", "corrected", "rejected", "withdrawn"]
ShortText = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID_CHARS)]


class Feedback(BaseModel):
    """A verdict on the prediction of one event, or of a product's newest event.

    ``feedback_id`` defaults to the record's event id and ``at`` to the record's timestamp; an ``at`` later
    than the record's timestamp is brought back to it.
    """

    model_config = ConfigDict(strict=True, extra="ignore")

    feedback_id: ShortText | None = None
    event_id: EventId | None = None
    product_id: Identifier | None = None
    verdict: Verdict
    code: Annotated[Identifier | None, Field(description="The right category; given with corrected.")] = None
    by: ShortText
    at: Annotated[Instant, Field(strict=False)] | None = None
    note: Annotated[str, StringConstraints(max_length=MAX_NOTE_CHARS)] | None = None

    @model_validator(mode="after")
    def _is_complete(self) -> "Feedback":
        if self.event_id is None and self.product_id is None:
            raise ValueError("name what the verdict is about: event_id or product_id")
        if (self.verdict == "corrected") != (self.code is not None):
            raise ValueError("code goes with the verdict corrected, and only with it")
        return self
