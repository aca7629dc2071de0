"""Models over HTTP: which there are, which is in service, and how they got there."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.http.text import Why
from schemas.model_event import ModelEvent
from schemas.time import Instant

Version = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.+\-]{0,199}$", examples=["20261121-162835-ce5d2f"])]
State = Literal["champion", "previous", ""]


class ModelDecision(BaseModel):
    """That a model is in service, or is tried beside the one that is."""

    version: str
    name: str
    previous: str | None = Field(description="The version that was in service before; a rollback returns to it.")
    sequence: int
    by: str
    why: str
    at: Instant
    sha256: str = Field(description="Of the bundle's manifest.")

    @classmethod
    def of(cls, event: ModelEvent | None) -> "ModelDecision | None":
        """The decision that an event is; None where there is none."""
        if event is None:
            return None
        names = ("previous", "sequence", "by", "why", "at", "sha256")
        fields = {name: getattr(event, name) for name in names}
        return cls(version=event.model.version, name=event.model.name, **fields)


class ModelRow(BaseModel):
    """A model in the list."""

    version: str
    state: State = Field(description="champion: it answers; previous: a rollback returns to it.")
    challenger: bool = Field(description="Whether it is tried in the shadow of the champion.")
    broken: str | None = Field(default=None, description="Why the bundle cannot be read; the rest is null then.")
    name: str | None = None
    made: Instant | None = None
    rows: int | None = Field(default=None, description="Rows of the data that it was trained on.")
    metrics: dict[str, float] | None = None
    report: str | None = Field(default=None, description="Where its report is; null: it has none.")


class ModelList(BaseModel):
    """The models of this machine, the newest first, and what is decided."""

    items: list[ModelRow]
    next: str | None = Field(default=None, description="The cursor of the next page; null behind the last.")
    champion: ModelDecision | None
    challenger: ModelDecision | None
    untold: str | None = Field(description="Why this is only what the pointer file says; null: it is the topic's word.")
    pinned: bool = Field(description="AISLE_MODEL is set: workers with it serve that, whatever is decided.")


class Stage(BaseModel):
    """A stage that was tried when the model was trained."""

    name: str
    kept: bool
    why: str
    accuracy: float
    share: float = Field(description="Part of the held-out rows that reach it.")


class TrainedOn(BaseModel):
    """The data of a model."""

    file: str
    sha256: str
    rows: int
    train: int
    test: int
    skipped: int


class ModelView(BaseModel):
    """All there is to know of one model."""

    version: str
    name: str
    state: State
    challenger: bool
    made: Instant
    seed: int
    stages: list[str] = Field(description="In the order they are asked.")
    tried: list[Stage]
    metrics: dict[str, float]
    data: TrainedOn
    categories: int
    review_threshold: float
    auto_accept_precision: float
    bytes: int
    sha256: str
    taxonomy_sha256: str
    libraries: dict[str, str]
    decision: ModelDecision | None = Field(description="The last one for it that the topic has.")
    report: str | None


class Told(BaseModel):
    """What became of a decision."""

    decision: ModelDecision | None
    untold: str | None = Field(description="Why only the pointer file says so; null: workers hear of it now.")
    pinned: bool


class _Because(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    why: Why | None = Field(
        default=None, description="The reason, for the record.", examples=["better on the new season's products"]
    )


class Promote(_Because):
    """Put a model in service."""

    previous: Version | None = Field(default=None, description="Only if this version is in service until then.")


class Rollback(_Because):
    """Go back to the version before."""


class Shadow(_Because):
    """Try a model in the shadow of the champion."""

    version: Version
