"""The figures of the dashboard."""

from pydantic import BaseModel, Field

from schemas.time import Instant


class Looked(BaseModel):
    """What a figure was made from: everything is looked at within bounds."""

    since: Instant | None = Field(description="The oldest that was looked at; null: nothing was there.")
    until: Instant
    of: int = Field(description="How many were looked at.")
    complete: bool = Field(description="Whether these are all of that time.")


class Rate(BaseModel):
    """How many came in a part of time."""

    since: Instant
    count: int


class Series(BaseModel):
    """How many came, by parts of time; the last part is still going on. Null: the broker is away."""

    minutes: list[Rate] = Field(description="The last hour.")
    hours: list[Rate] = Field(description="The last day.")


class PartitionLag(BaseModel):
    """How far behind a group is on a partition."""

    topic: str
    partition: int
    lag: int | None = Field(description="Records; null: nothing was ever committed.")


class GroupLag(BaseModel):
    """How far behind a group of workers is."""

    group: str
    lag: int = Field(description="Records, over all partitions.")
    partitions: list[PartitionLag]


class Flow(BaseModel):
    """What the topics say."""

    predictions: Series = Field(description="By the time of the records on predictions.out, repeats included.")
    dead_letters: Series = Field(description="Likewise, on products.dlq.")
    groups: list[GroupLag]


class Latency(BaseModel):
    """Milliseconds from published_at to classified_at."""

    p50_ms: float | None
    p95_ms: float | None
    looked_at: Looked


class ConfidenceBin(BaseModel):
    """Predictions of a range of confidence; the upper end belongs to it only at 1."""

    low: float
    high: float
    count: int
    needs_review: int


class ClassShare(BaseModel):
    """How many predictions a category has."""

    code: str
    label: str
    count: int


class Answers(BaseModel):
    """The newest predictions."""

    latency: Latency
    confidence: list[ConfidenceBin]
    classes: list[ClassShare] = Field(description="The most frequent first.")
    needs_review: int
    looked_at: Looked


class JudgedDay(BaseModel):
    """What people said on a day of the answers of models."""

    day: Instant = Field(description="Its beginning, in UTC.")
    validated: int
    corrected: int
    rejected: int
    accuracy: float | None = Field(description="Part of those with a category whose answer was right.")
    correction_rate: float | None = Field(description="Part of all that was corrected or rejected.")


class ModelChange(BaseModel):
    """That a model came into service."""

    at: Instant
    version: str
    by: str


class Verdicts(BaseModel):
    """What people said."""

    days: list[JudgedDay] = Field(description="The oldest first; days without a verdict are left out.")
    accuracy: float | None
    correction_rate: float | None
    model_changes: list[ModelChange] = Field(description="As far as they are still known, the oldest first.")
    looked_at: Looked


class Waiting(BaseModel):
    """What waits for a person."""

    items: int
    more: bool = Field(description="There are more than were counted.")


class Figures(BaseModel):
    """All of them. A part whose source is away is null, and `away` says why."""

    at: Instant
    flow: Flow | None
    answers: Answers | None
    verdicts: Verdicts | None
    waiting: Waiting | None
    away: dict[str, str] = Field(description="Why a part is null, by its name.")
