"""What the monitor found, over HTTP."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from schemas.time import Instant

CheckKind = Literal["drift", "accuracy", "canary", "serving"]


class Check(BaseModel):
    """What was found at a time."""

    kind: CheckKind
    at: Instant
    model_version: str
    alert: bool
    causes: dict[str, str] = Field(description="What is wrong, by a name that stays the same as long as it is.")
    figures: dict[str, Any] = Field(description="As docs/monitoring.md says for each kind.")


class DriftReport(BaseModel):
    """A report as files: a page for people and JSON for machines."""

    day: str = Field(examples=["2026-11-22"])
    name: str = Field(examples=["drift"])
    html: str = Field(description="Where the page is. It runs scripts of its own, and can reach nothing of ours.")
    json_: str = Field(alias="json", serialization_alias="json", description="Where the figures are.")


class DriftView(BaseModel):
    """The newest check of each kind, and the reports that there are."""

    checks: list[Check]
    reports: list[DriftReport] = Field(description="The newest first.")


class CheckHistory(BaseModel):
    """Checks of one kind, the newest first."""

    items: list[Check]
    next: str | None = Field(default=None, description="The cursor of the next page; null behind the last.")
