"""The review queue over HTTP."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.http.item import Item
from schemas.ids import EventId
from schemas.limits import MAX_ID_CHARS

MOST_CLAIMED_AT_ONCE = 50
MOST_NAMED = 200

Named = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID_CHARS)]
Events = Annotated[list[EventId], Field(max_length=MOST_NAMED)]


class NextRequest(BaseModel):
    """Asks for items to review; each is then nobody else's for some minutes."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        protected_namespaces=(),
        json_schema_extra={"examples": [{"count": 8, "skip": ["0b8e0000-0000-4000-8000-000000000001"]}]},
    )

    count: int = Field(default=1, ge=1, le=MOST_CLAIMED_AT_ONCE, description="How many.")
    skip: Events = Field(default=[], description="Items that the caller does not want to see for an hour.")
    category: Named | None = Field(default=None, description="Only those predicted to be in this category; its code.")
    theme: Named | None = Field(default=None, description="Only those predicted to be in this theme.")
    model_version: Named | None = Field(default=None, description="Only those predicted by this model.")


class ReviewItems(BaseModel):
    """Items to review, least sure first."""

    items: list[Item]


class ClaimRequest(BaseModel):
    """Asks for just these items."""

    model_config = ConfigDict(strict=True, extra="forbid")

    event_ids: Annotated[list[EventId], Field(min_length=1, max_length=MOST_NAMED)]


class Claimed(BaseModel):
    """Which of them are the caller's now."""

    event_ids: list[str]
    skipped: int = Field(description="How many are not: another reviewer has them, or they were judged.")


class ReleaseRequest(BaseModel):
    """Gives claimed items back."""

    model_config = ConfigDict(strict=True, extra="forbid")

    event_ids: Events | None = Field(default=None, description="Which; without it, all that the caller has claimed.")


class Released(BaseModel):
    """What was given back."""

    released: int


class ReviewProgress(BaseModel):
    """How far the day's review is."""

    today: int = Field(description="Items whose verdict in force the caller gave today.")
    today_all: int = Field(description="The same for all people.")
    waiting: int = Field(description="Items that wait for a reviewer; at most as many as are counted.")
    more_waiting: bool = Field(description="Whether there are more than were counted.")
