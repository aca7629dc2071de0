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

    feedback_id: ShortText | None = Field(
        default=None, description="Names the verdict; else the record's event id does."
    )
    event_id: EventId | None = Field(default=None, description="The event whose prediction is judged.")
    product_id: Identifier | None = Field(
        default=None, description="In its place: the product, whose newest event is meant."
    )
    verdict: Verdict = Field(description="What is said of the prediction.")
    code: Annotated[Identifier | None, Field(description="The right category; given with corrected.")] = None
    by: ShortText = Field(description="Who says so.")
    at: Annotated[Instant, Field(strict=False)] | None = Field(
        default=None, description="When; not later than the record itself."
    )
    note: Annotated[str, StringConstraints(max_length=MAX_NOTE_CHARS)] | None = Field(
        default=None, description="Why, in words."
    )

    @model_validator(mode="after")
    def _is_complete(self) -> "Feedback":
        if self.event_id is None and self.product_id is None:
            raise ValueError("name what the verdict is about: event_id or product_id")
        if (self.verdict == "corrected") != (self.code is not None):
            raise ValueError("code goes with the verdict corrected, and only with it")
        return self
