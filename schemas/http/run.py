"""Retraining runs over HTTP."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.http.text import Why
from schemas.time import Instant

RunState = Literal["requested", "running", "promoted", "passed", "refused", "failed", "cancelled"]


class RunRow(BaseModel):
    """A run in the list."""

    id: int
    state: RunState = Field(description="passed: good enough, but not put in service, as nobody wants that by itself.")
    trigger: str = Field(description="What fired.", examples=["corrections", "by hand"])
    why: str = Field(description="Its figures in words.")
    by: str
    asked_at: Instant
    started_at: Instant | None
    ended_at: Instant | None
    attempt: int
    step: str = Field(description="What it is about, while it runs.")
    part: float = Field(description="How much of the step is done, 0 to 1.")
    champion: str | None = Field(description="The model in service when it began.")
    version: str | None = Field(description="The model that came of it.")
    outcome: str = Field(description="What came of it, in words.")
    cancel: bool = Field(description="Whether somebody asked for its end.")


class RunList(BaseModel):
    """The runs, the latest first."""

    items: list[RunRow]
    next: str | None = Field(default=None, description="The cursor of the next page; null behind the last.")
    worker: str | None = Field(description="The retraining worker that is there; null: none is, and runs wait.")


class RunLine(BaseModel):
    """What was said of a run, and when."""

    at: Instant
    said: str


class RunView(RunRow):
    """All there is to know of a run."""

    figures: dict[str, Any] = Field(description="What the trigger looked at.")
    set_version: str | None = Field(description="The training set.")
    decision: dict[str, Any] | None = Field(description="What the gate said, with its figures.")
    log: list[RunLine] = Field(description="The lines after `log_from`; of a long log the last 400 are kept.")
    log_next: str = Field(description="To be given as `log_from` for the lines that come after these.")


class Retrain(BaseModel):
    """Train now, whatever the triggers say."""

    model_config = ConfigDict(strict=True, extra="forbid")

    why: Why = Field(default="asked for by hand", description="The reason, for the record.")
