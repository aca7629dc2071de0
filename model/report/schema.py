"""The report of a training: what the JSON holds, and what page and model card are drawn from."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from model.evaluation import Evaluation
from schemas.prediction import Modality

Setting = str | int | float | bool | None


class Part(BaseModel):
    """A part of the report. Figures are shares from 0 to 1 unless their names say otherwise."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Interval(Part):
    """Where a figure would lie 19 times out of 20, on other rows of the same kind."""

    low: float
    high: float


class DataCard(Part):
    """What the model was trained and measured on. All counts are rows."""

    file: str = Field(description="Name of the data file, without its folder.")
    sha256: str
    rows: int
    train: int
    validation: int = Field(default=0, description="Held out to calibrate; 0 where cross-validation does.")
    test: int
    skipped: int = Field(description="Passed over: nothing to classify by, no category, or not readable.")
    classes: dict[str, int] = Field(description="By category code, on all sides together.")
    missing: dict[Modality, int]
    languages: dict[str, int] = Field(default={}, description="Test rows by ISO 639-1 code; '' where it is not known.")
    duplicates: int = Field(description="Rows that share their title with another.")
    conflicting: int = Field(description="Of these, rows whose title stands under another category as well.")


class ConfusedPair(Part):
    """A category that is taken for another one."""

    truth: str = Field(description="Code of the right category.")
    said: str = Field(description="Code of the answer.")
    rows: int
    share: float = Field(description="Of all rows of the right category.")


class CoveragePoint(Part):
    """What comes of a review threshold: the share of rows that need no review, and how many of these are right."""

    threshold: float
    coverage: float
    precision: float


class Slice(Part):
    """The rows that have something in common."""

    kind: str
    name: str
    rows: int
    accuracy: float
    ece: float
    interval: Interval | None = Field(description="Of the accuracy; none where there are too few titles for one.")


class Mistake(Part):
    """A wrong answer that the model was sure of."""

    text: str = Field(description="The title, else the description; cut, and without control characters.")
    modalities: list[Modality]
    truth: str
    said: str
    confidence: float
    truth_probability: float
    rows: int = Field(default=1, description="Rows of this text with this answer.")


class StageReport(Part):
    """A stage that was tried, and what became of it."""

    name: str
    kept: bool
    why: str = ""
    reads: list[Modality] = []
    accuracy: float | None = Field(default=None, description="Of the stage alone, on held-out rows that it reads.")
    weighted_f1: float | None = Field(default=None, description="Likewise.")
    asked_share: float | None = Field(default=None, description="Part of the rows that come as far as this stage.")
    rows_per_s: float | None = None
    size_bytes: int | None = None
    training_s: float | None = None


class Comparison(Part):
    """Another model on the same rows. Differences are this model less the other one."""

    name: str
    kind: Literal["champion", "baseline", "other"]
    rows: int = Field(description="Test rows that neither model learned from.")
    accuracy: float
    weighted_f1: float
    macro_f1: float
    own_accuracy: float
    own_weighted_f1: float
    own_macro_f1: float
    accuracy_difference: Interval
    weighted_f1_difference: Interval
    rows_per_s: float | None = None
    own_rows_per_s: float | None = None


class TrainingReport(Part):
    """All that is known of a training when it ends."""

    format: Literal[1] = 1
    name: str
    version: str = Field(default="", description="'' inside a bundle, whose version is made from this file's hash too.")
    created_at: datetime
    seed: int
    auto_accept_precision: float
    evaluation: Evaluation
    accuracy_interval: Interval
    weighted_f1_interval: Interval
    coverage: list[CoveragePoint]
    confused: list[ConfusedPair]
    slices: list[Slice]
    mistakes: list[Mistake]
    data: DataCard | None = None
    stages: list[StageReport] = []
    comparisons: list[Comparison] = []
    settings: dict[str, Setting] = {}
    libraries: dict[str, str] = {}
    command: str = Field(default="", description="What repeats this training.")
