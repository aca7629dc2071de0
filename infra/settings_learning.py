"""The settings of the learning loop: when to train anew, what may go into service, what is kept and watched."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, BaseModel, Field, SecretStr, field_validator

_Hours = Annotated[float, Field(ge=0, le=8_760, allow_inf_nan=False)]
_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
_KEY_CHARS = 16  # fewer could be guessed from one signed message
_LOOPBACK = {("http", host) for host in ("127.0.0.1", "::1", "localhost")}


def _expression(value: str) -> str:
    try:
        CronSim(value, datetime.now(UTC))
    except CronSimError as error:
        raise ValueError(f"is no cron expression ({error})") from None
    return value


def _expressions(value: str) -> str:
    return "; ".join(_expression(one.strip()) for one in value.split(";") if one.strip())


Cron = Annotated[str, AfterValidator(_expression)]
Crons = Annotated[str, AfterValidator(_expressions)]
"""Several, with semicolons between."""


class RetrainSettings(BaseModel):
    """When the retraining worker trains. A trigger that is set to ``none`` never fires."""

    retrain_corrections: int | None = Field(
        300, ge=1, description="Train once people have corrected this many contents since the last training."
    )
    retrain_new_rows: int | None = Field(
        100, ge=1, description="Train once this many contents have a verdict, with every category among them."
    )
    retrain_accuracy_floor: _Share | None = Field(
        0.7, description="Train when fewer of the model's answers that people judged last were right."
    )
    retrain_f1_target_text: _Share | None = Field(
        0.8, description="Weighted F1 that answers to texts should have; see the margin."
    )
    retrain_f1_target_image: _Share | None = Field(0.65, description="The same for answers to photos alone.")
    retrain_f1_margin: _Share = Field(0.15, description="Train when the weighted F1 is further than this below.")
    retrain_judged: int = Field(
        500,
        ge=20,
        le=100_000,
        description="How many of the answers that people judged last these two look at, once there are so many.",
    )
    retrain_drift_share: _Share | None = Field(
        0.1, description="Train when more of what is watched has drifted, as the monitor found it."
    )
    retrain_schedule: Crons | None = Field(
        "0 3 * * *; 0 4 * * 0",
        description="Cron expressions (UTC) with semicolons between: train then, if there are new verdicts.",
    )
    retrain_cooldown_h: _Hours = Field(0.25, description="Hours after a training in which no trigger fires.")
    retrain_quick: bool = Field(
        False,
        description="Keep the champion's stages and thresholds as they were decided: for models that train for hours.",
    )
    retrain_promote: bool = Field(True, description="Put a model that passes the gate in service.")
    retrain_nice: int = Field(
        15, ge=0, le=19, description="How far a training steps back for others, as `nice` has it."
    )


class TrainingSetSettings(BaseModel):
    """Whose verdicts teach. A check that is set to ``none`` is not made."""

    author_disagreement: _Share | None = Field(
        0.25,
        description="Set an author aside who contradicts the golden set, or others who agree, more often than this.",
    )
    author_implausible: _Share | None = Field(
        0.3,
        description="Set an author aside of whose corrections more than this are implausible; of honest ones 0.2 are.",
    )
    author_chance: float = Field(
        0.01, gt=0, le=0.5, description="But only where so much would come by chance less often than this."
    )
    trusted_authors: str = Field("", description="Authors who are never set aside, with commas between.")


class GateSettings(BaseModel):
    """What a new model has to show before it goes into service. A rule that is set to ``none`` is not applied."""

    gate_f1_gain: _Share | None = Field(
        0.01, description="A model passes that is better by this on the golden set, in weighted F1."
    )
    gate_f1_loss: _Share = Field(
        0.005,
        description="It passes too if it is better on held-out verdicts, beyond chance, and no worse than this there.",
    )
    gate_recall_loss: _Share | None = Field(
        0.05, description="But no category may lose more than this part of its rows."
    )
    gate_recall_chance: float = Field(
        0.2,
        gt=0,
        le=1,
        description="That counts where so many lost rows would come by chance this often at most; 1: always.",
    )
    gate_class_rows: int = Field(20, ge=1, description="Categories with fewer rows to measure are not held to that.")
    gate_ece_loss: _Share | None = Field(
        0.02, description="Nor may its confidence be further from the truth by more (expected calibration error)."
    )
    gate_ece_rows: int = Field(200, ge=1, description="With fewer golden rows that is not looked at.")
    gate_speed_share: float | None = Field(
        0.5,
        ge=0,
        le=10,
        allow_inf_nan=False,
        description="It has to answer this many rows a second for one of the champion's.",
    )
    gate_size_factor: float | None = Field(
        2, ge=0.1, le=1_000, allow_inf_nan=False, description="Its files may be so many times as large at most."
    )


class RegistrySettings(BaseModel):
    """Where runs and models are recorded, and how a model is tried beside the one in service."""

    mlflow: bool = Field(True, description="Whether trainings and the models in service are recorded in MLflow.")
    mlflow_uri: str | None = Field(
        None,
        pattern=r"^https?://.+",
        description="MLflow tracking server (http://host:port); unset: a SQLite file in the data directory.",
    )
    shadow_workers: int = Field(0, ge=0, le=64, description="Shadow workers that `aisle up` runs.")
    shadow_sample: float = Field(
        0.1, gt=0, le=1, description="Share of the products that a model in the shadow is asked about, by event id."
    )
    shadow_behind_s: float = Field(
        300,
        ge=1,
        le=86_400,
        allow_inf_nan=False,
        description="Products older than this go past a model in the shadow: it drops behind, and never lags.",
    )
    shadow_promote_after: int | None = Field(
        None,
        ge=10,
        le=1_000_000,
        description="Verdicts after which a model in the shadow that is better beyond chance goes into service by "
        "itself; unset: never.",
    )


class MonitorSettings(BaseModel):
    """What is watched of the products, the answers and people's verdicts."""

    monitor_schedule: Cron = Field(
        "*/15 * * * *", description="When the monitor looks at drift and verdicts; a cron expression, in UTC."
    )
    monitor_rows: int = Field(
        5_000, ge=50, le=100_000, description="Newest products, and newest verdicts, that a check looks at."
    )
    monitor_nice: int = Field(
        10, ge=0, le=19, description="How far the monitor stands behind other processes for the processors (nice)."
    )
    drift_psi: float = Field(
        0.2, gt=0, le=10, allow_inf_nan=False, description="Population stability index from which a column has drifted."
    )
    alert_drift_share: _Share = Field(0.1, description="Alert when a greater share of the columns has drifted.")
    alert_accuracy: _Share = Field(
        0.7, description="Alert when the accuracy of recent verdicts is below this, beyond chance."
    )
    alert_weighted_f1: _Share = Field(
        0.65, description="Alert when the weighted F1 of recent verdicts is below this, beyond chance."
    )
    canaries: Path | None = Field(
        None, description="CSV or JSONL of products with known categories (title, category) to send now and then."
    )
    canary_schedule: Cron = Field("0 * * * *", description="When the canaries are sent; a cron expression, in UTC.")
    canary_wait_s: float = Field(
        60, ge=1, le=200, allow_inf_nan=False, description="A canary without an answer after this long is an alert."
    )
    alert_webhook: SecretStr | None = Field(
        None, description="URL that alerts are posted to, signed; https, or http on this machine."
    )
    alert_secret: SecretStr | None = Field(
        None,
        description="Key that alerts are signed with, 16 characters at least; unset: one made in the data directory.",
    )

    @field_validator("alert_webhook")
    @classmethod
    def _webhook(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            url = urlsplit(value.get_secret_value())
            if not url.hostname or (url.scheme != "https" and (url.scheme, url.hostname) not in _LOOPBACK):
                raise ValueError("must begin with https://, or with http:// and a loopback address")
        return value

    @field_validator("alert_secret")
    @classmethod
    def _key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value().removeprefix("whsec_")) < _KEY_CHARS:
            raise ValueError(f"must have {_KEY_CHARS} characters at least, without whsec_")
        return value
