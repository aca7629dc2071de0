"""What a gateway says of its health."""

from pydantic import BaseModel, Field


class HealthReport(BaseModel):
    """Whether it is well."""

    status: str = Field(examples=["ready"])
    causes: dict[str, str] | None = Field(default=None, description="What is not well, and why.")
