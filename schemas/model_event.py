"""Which model version is in service: the whole state of one alias, as a record."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from schemas.prediction import ModelRef


class ModelEvent(BaseModel):
    """A promotion or rollback. The record is the decision: whoever reads it last knows the champion.

    A promotion whose ``previous`` is not the version then in force is ignored.
    """

    model_config = ConfigDict(protected_namespaces=())

    model: ModelRef
    alias: str = "champion"
    bundle_uri: str
    sha256: str = Field(description="SHA-256 of the bundle's manifest, which holds that of every file.")
    taxonomy_sha256: str
    previous: str | None = Field(default=None, description="The version that was in force before.")
    sequence: int = Field(ge=1)
    by: str
    why: str
    at: datetime
    metrics: dict[str, float] = {}
