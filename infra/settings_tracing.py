"""The settings of traces: where they go, how many there are, and under which name."""

from pydantic import BaseModel, Field, field_validator


class TracingSettings(BaseModel):
    """Whether and where the way of a product is told. More is set by OpenTelemetry's own ``OTEL_*`` variables."""

    tracing_otlp_endpoint: str | None = Field(
        None,
        description="Collector that traces go to by OTLP over HTTP, such as http://localhost:4318; unset: no traces.",
    )
    tracing_sample_ratio: float = Field(
        1,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="Share of traces that are kept of those that begin here; whoever sends one along has decided it.",
    )
    tracing_service: str = Field(
        "aisle",
        pattern=r"^[A-Za-z0-9._-]{1,100}$",
        description="What services are called in traces: this, a hyphen, and the worker's name.",
    )

    @field_validator("tracing_otlp_endpoint")
    @classmethod
    def _collector(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return None if value is None else value.rstrip("/")
