"""Dead letters over HTTP."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.dead_letter import Stage
from schemas.http.moment import Moment
from schemas.http.text import Name, Why
from schemas.ids import EventId
from schemas.time import Instant

LetterState = Literal["open", "retried", "dropped", "predicted"]
MOST: int = 2_000
"""Letters that one request acts on; a choice of more is done in several."""


class LetterAction(BaseModel):
    """What somebody did about a dead letter."""

    action: Literal["retried", "dropped"]
    by: str
    at: Instant
    attempts: int = Field(description="How often it had failed by then.")
    why: str | None


class LetterRow(BaseModel):
    """A product that could not be classified, and why."""

    event_id: str
    product_id: str | None
    state: LetterState = Field(description="retried: sent again, without an answer yet; predicted: settled by one.")
    at: Instant
    stage: Stage
    error_class: str
    message: str
    attempts: int
    topic: str
    partition: int
    offset: int
    actions: list[LetterAction]


class LetterContent(BaseModel):
    """Bytes as they came: text where they are UTF-8, else Base64."""

    text: str | None = None
    base64: str | None = None
    bytes: int
    cut: bool = Field(default=False, description="Whether it is longer than what is given.")


class LetterHeader(BaseModel):
    """A header of the record."""

    name: str
    value: LetterContent | None


class LetterView(LetterRow):
    """One in full."""

    key: LetterContent | None
    value: LetterContent | None = Field(description="Null: none, or too large to be kept.")
    value_sha256: str | None
    headers: list[LetterHeader]


class LetterCount(BaseModel):
    """How many there are of a kind."""

    name: str
    letters: int


class LetterCounts(BaseModel):
    """The newest dead letters, counted."""

    states: list[LetterCount]
    stages: list[LetterCount] = Field(description="Of those that are not settled.")
    classes: list[LetterCount] = Field(description="Likewise, the most frequent first; 50 at most.")
    looked_at: int = Field(description="How many were counted.")
    since: Moment | None = Field(description="The oldest of them; null: there is none.")
    complete: bool = Field(description="Whether these are all.")


class LetterFilter(BaseModel):
    """Which dead letters; what is left out chooses nothing."""

    model_config = ConfigDict(extra="forbid")

    stage: Stage | None = None
    error_class: Name | None = Field(default=None, examples=["record-invalid"])
    product_id: Name | None = None
    since: Moment | None = Field(default=None, description="Included.")
    until: Moment | None = Field(default=None, description="Not included.")


class LetterChoice(BaseModel):
    """Letters by their events, or by a filter: then the open ones, the oldest first."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"event_ids": ["0b8e0000-0000-4000-8000-000000000001"], "why": "the photo is there now"},
                {"filter": {"stage": "preprocess", "error_class": "photo-missing"}, "why": "the photos are there now"},
            ]
        },
    )

    event_ids: Annotated[list[EventId], Field(min_length=1, max_length=MOST)] | None = None
    filter: LetterFilter | None = None
    again: bool = Field(default=False, description="With a filter: also those that were sent again without an answer.")
    why: Why | None = None
    limit: Annotated[int, Field(ge=1, le=MOST)] = 1_000

    @model_validator(mode="after")
    def _one_of_them(self) -> "LetterChoice":
        if (self.event_ids is None) == (self.filter is None):
            raise ValueError("give either event_ids or filter")
        return self


class LetterRefusal(BaseModel):
    """A letter that nothing was done about, and why."""

    event_id: str
    why: str


class LettersDone(BaseModel):
    """What was done."""

    done: int
    refused: list[LetterRefusal]
    more: bool = Field(description="The filter chooses more than the limit: ask again for the rest.")
