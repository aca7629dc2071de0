"""What was done, by whom."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from schemas.time import Instant


class AuditEntry(BaseModel):
    """Something that somebody did, and what it changed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "20261122T061233.104211-5f2d9a0b7c11",
                    "at": "2026-11-22T06:12:33.104Z",
                    "who": "ana",
                    "role": "reviewer",
                    "action": "verdict.give",
                    "subject": "0b8e0000-0000-4000-8000-000000000001",
                    "before": None,
                    "after": {"verdict": "corrected", "code": "2583"},
                    "request_id": "0192f0c1-3f52-7d9e-9d0e-1d6a2b4a7f10",
                }
            ]
        }
    )

    id: str = Field(description="Later entries have greater ids.")
    at: Instant
    who: str = Field(description="The account's name; `aisle` for what aisle did by itself.")
    role: str | None = Field(default=None, description="The account's role then.")
    action: str = Field(description="What was done, such as verdict.give or item.delete.")
    subject: str = Field(description="What it was done to: an event id, an account, a model version.")
    before: Any = Field(default=None, description="How it was.")
    after: Any = Field(default=None, description="How it was to be from then on.")
    request_id: str | None = Field(default=None, description="The request that did it.")
