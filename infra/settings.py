"""Every setting of aisle, in one place: read from ``AISLE_*`` variables and ``.env``, checked, documented."""

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from infra.errors import SettingsInvalid
from infra.settings_gateway import GatewaySettings
from infra.settings_learning import (
    GateSettings,
    MonitorSettings,
    RegistrySettings,
    RetrainSettings,
    TrainingSetSettings,
)
from infra.settings_security import SecuritySettings
from infra.settings_tracing import TracingSettings
from schemas.limits import MIB

_SERVER = re.compile(r"(?:[\w.-]+|\[[\da-f:.]+(?:%\w+)?\]):(\d{1,5})", re.ASCII | re.IGNORECASE)

_SECRETS = frozenset(
    {"mongodb_uri", "alert_webhook", "alert_secret", "gateway_secret", "kafka_password", "mongodb_password"}
)

Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]


class Settings(
    GatewaySettings,
    RetrainSettings,
    TrainingSetSettings,
    GateSettings,
    RegistrySettings,
    MonitorSettings,
    SecuritySettings,
    TracingSettings,
    BaseSettings,
):
    """What is in force. Each field's description is its documentation; ``aisle config`` shows them all."""

    model_config = SettingsConfigDict(
        env_prefix="AISLE_",
        env_file=".env",
        extra="ignore",
        env_ignore_empty=True,
        env_parse_none_str="none",
        hide_input_in_errors=True,
    )

    data_dir: Path = Field(Path("var"), description="Where local services, models, logs and state are kept.")

    kafka_bootstrap: str | None = Field(
        None, description="Bootstrap servers (host:port, comma-separated) of your Kafka; unset: the local broker."
    )
    mongodb_uri: SecretStr | None = Field(
        None,
        description="mongodb:// or mongodb+srv:// URI of your store; unset: a mongod on PATH, else the embedded one.",
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
    image_roots: str | None = Field(
        None,
        description="Where photos that events name are read: directories or object stores (s3://bucket/prefix), "
        "comma-separated; a photo anywhere else is never followed.",
    )
    taxonomy: Path | None = Field(
        None,
        description="CSV of the categories that people may name in feedback; unset: those of the model in service.",
    )
    verdicts_max: int = Field(
        1_000_000,
        ge=1_000,
        le=100_000_000,
        description="Most contents whose category a person decided that a worker keeps in memory, 0.12 KB each; beyond "
        "that it forgets the oldest.",
    )
    language: str = Field("en", description="Language of the labels in predictions, where the taxonomy has it.")
    infer_deadline_s: Seconds = Field(60, description="A model call longer than this ends the worker.")

    batch_max_events: int = Field(
        1_024, ge=1, le=10_000, description="Most events a micro-batch holds; fewer where more are not worth it."
    )
    batch_max_bytes: int = Field(
        8 * MIB, ge=MIB, le=256 * MIB, description="Most payload a micro-batch holds, so that photos fit the memory."
    )
    batch_max_wait_ms: float = Field(
        5,
        ge=0,
        le=60_000,
        allow_inf_nan=False,
        description="Longest wait for more events, where it pays; under light load and under a backlog nothing waits.",
    )
    latency_target_ms: float = Field(
        100,
        gt=0,
        le=60_000,
        allow_inf_nan=False,
        description="An event should take this long at most; batches grow no larger than that allows.",
    )
    poison_tries: int = Field(
        4, ge=4, le=100, description="An event that ended the process this often, less one, becomes a dead letter."
    )
    instance_id: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9._-]{1,200}$",
        description="Name of this worker in its group, kept over restarts: a restart within the session then moves "
        "no partitions. Unset: they move at once.",
    )
    retry_budget_s: Seconds = Field(
        60,
        description="How long a broker or store may be away before a worker gives its batch back; then it restarts, "
        "or, the archive without its store, leaves its group and waits.",
    )
    commit_interval_s: Seconds = Field(1, description="Offsets are committed this often: bounds what is redone.")
    session_timeout_s: float = Field(
        12,
        ge=6,
        le=300,
        allow_inf_nan=False,
        description="A dead worker's partitions move on after this long, 6 to 300 s.",
    )
    dlq_max_attempts: int = Field(
        5, ge=1, le=100, description="How often an event is tried in all; `aisle dlq retry` goes no further."
    )
    drain_timeout_s: Seconds = Field(20, description="Longest wait at a stop for the batches in hand.")

    loop_stall_s: Seconds = Field(20, description="A worker whose event loop stands still this long ends itself.")
    intake_stall_s: Seconds = Field(
        15,  # with two looks of five seconds each it shows within half a minute
        description="A worker that gets none of the records that wait for it for this long ends itself.",
    )

    health_host: str = Field(
        "127.0.0.1",
        min_length=1,
        description="Address that a worker's health and figures answer on; 0.0.0.0: all, as a cluster's probes need.",
    )
    health_port: int = Field(0, ge=0, le=65_535, description="Port of a worker's health; 0: any free one.")

    @field_validator("kafka_bootstrap")
    @classmethod
    def _servers(cls, value: str | None) -> str | None:
        for server in [] if value is None else value.split(","):
            found = _SERVER.fullmatch(server.strip())
            if found is None or not 0 < int(found[1]) <= 65_535:
                raise ValueError("must be host:port, or several with commas between")
        return value

    @field_validator("mongodb_uri")
    @classmethod
    def _uri(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("mongodb://", "mongodb+srv://")):
            raise ValueError("must begin with mongodb:// or mongodb+srv://")
        return value


@cache
def load_settings() -> Settings:
    """The settings in force for this process.

    Raises:
        SettingsInvalid: A variable has a value that its field does not allow, or ``.env`` is no text.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        field = "_".join(map(str, first["loc"]))
        secret = field in _SECRETS or "@" in str(first["input"])
        value = "set, but not shown here" if secret else repr(first["input"])
        raise SettingsInvalid(
            f"AISLE_{field.upper()} is {value}: {first['msg'].removeprefix('Value error, ')}.",
            hint="`aisle config --table` says what it is for.",
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsInvalid(f"{Path('.env').resolve()} is not UTF-8.", hint="Save it as UTF-8.") from error
