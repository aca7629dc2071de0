"""Files of products, classified in the background."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.time import Instant

JobState = Literal["waiting", "running", "done", "cancelled", "failed"]
ResultFormat = Literal["csv", "jsonl"]


class Job(BaseModel):
    """A file of products, and how far it is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "3f1c0000-0000-4000-8000-000000000001",
                    "owner": "carol",
                    "state": "running",
                    "file": "autumn.csv",
                    "rows": 20000,
                    "answered": 1200,
                    "failed": 3,
                    "asked_at": "2026-11-22T06:12:33Z",
                    "started_at": "2026-11-22T06:12:34Z",
                    "ended_at": None,
                    "outcome": "",
                    "result": None,
                }
            ]
        }
    )

    id: str
    owner: str
    state: JobState
    file: str = Field(description="Its name, as it was sent.")
    rows: int
    answered: int = Field(description="Rows that are done, those that failed included.")
    failed: int = Field(description="Rows that cannot be classified; the result says why.")
    asked_at: Instant
    started_at: Instant | None
    ended_at: Instant | None
    outcome: str = Field(description="What came of it, in words, where it ended otherwise than well.")
    result: str | None = Field(description="Where the result is, once it ended; kept for a week.")


class RowResult(BaseModel):
    """A row of the result; either the category's fields are null, or the error is."""

    row: int = Field(description="Its number: a CSV's header is row 1, the first line of JSON is 1.")
    product_id: str | None = None
    event_id: str | None = None
    code: str | None = None
    label: str | None = None
    confidence: float | None = None
    needs_review: bool | None = None
    error: str | None = None
