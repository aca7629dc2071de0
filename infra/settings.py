"""Every setting of aisle, in one place: read from ``AISLE_*`` variables and ``.env``, checked, documented."""

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from infra.errors import SettingsInvalid

Seconds = Annotated[float, Field(gt=0)]


class Settings(BaseSettings):
    """What is in force. Each field's description is its documentation; ``aisle config`` shows them all."""

    model_config = SettingsConfigDict(env_prefix="AISLE_", env_file=".env", extra="ignore", env_ignore_empty=True)

    data_dir: Path = Field(Path("var"), description="Where local services, models, logs and state are kept.")

    kafka_bootstrap: str | None = Field(
        None, description="Bootstrap servers (host:port, comma-separated) of your Kafka; unset: the local broker."
    )
    mongodb_uri: SecretStr | None = Field(
        None, description="mongodb:// address of your store; unset: a mongod on PATH, else the embedded store."
    )
    mongodb_database: str = Field("aisle", min_length=1, description="Database that holds the collections.")

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe line shown: debug, info, warning or error."
    )
    log_format: Literal["auto", "pretty", "json"] = Field(
        "auto", description="pretty for people, json for machines; auto: pretty on a terminal."
    )

    topic_partitions: int = Field(8, ge=1, le=1_000, description="Partitions of the topics that scale.")
    topic_replication: int = Field(
        1, ge=1, le=10, description="Copies of each partition; 3 on a cluster that must survive losing a broker."
    )

    model: Path | None = Field(None, description="A bundle to serve in place of the champion.")
    language: str = Field("en", description="Language of the labels in predictions, where the taxonomy has it.")
    infer_deadline_s: Seconds = Field(60, description="A model call longer than this ends the worker.")

    batch_max_events: int = Field(256, ge=1, le=10_000, description="Most events a micro-batch holds.")
    batch_max_wait_ms: float = Field(
        0, ge=0, description="Longest wait for a fuller batch; 0 takes what is there, which under load is a full one."
    )
    retry_budget_s: Seconds = Field(
        60, description="How long a broker or store may be away before a worker gives its batch back and restarts."
    )
    commit_interval_s: Seconds = Field(1, description="Offsets are committed this often: bounds what is redone.")
    session_timeout_s: Seconds = Field(12, description="A dead worker's partitions move on after this long.")
    drain_timeout_s: Seconds = Field(20, description="Longest wait at a stop for the batches in hand.")

    health_port: int = Field(0, ge=0, le=65_535, description="Loopback port of a worker's health; 0: any free one.")


@cache
def load_settings() -> Settings:
    """The settings in force for this process.

    Raises:
        SettingsInvalid: A variable has a value that its field does not allow.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "AISLE_" + "_".join(map(str, first["loc"])).upper()
        raise SettingsInvalid(
            f"{name} is {first['input']!r}: {first['msg']}.", hint="`aisle config --table` says what it is for."
        ) from error
