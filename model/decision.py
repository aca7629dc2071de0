"""What the gate says of a new model, with every figure that it looked at."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from model.report.schema import Comparison


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Compared(_Part):
    """Both models on the same rows, which neither has learned from."""

    rows: int
    left_out: int = Field(description="Rows that one of them has learned from.")
    scores: Comparison | None = Field(default=None, description="None where no row is left; own is the new model.")
    mended: int = Field(default=0, description="Titles of which the new model has more rows right.")
    broken: int = Field(default=0, description="Titles of which it has fewer.")
    wrong: int = Field(default=0, description="Titles of which the champion has rows wrong.")
    chance: float = Field(
        default=1.0, description="That so many are mended if neither is better (sign test, one-sided)."
    )

    @property
    def gain(self) -> float:
        """Weighted F1 of the new model less that of the champion."""
        return 0.0 if self.scores is None else self.scores.own_weighted_f1 - self.scores.weighted_f1


class RecallLoss(_Part):
    """A category of which the new model finds less than the champion."""

    code: str
    label: str
    part: Literal["golden", "golden and verdicts"]
    rows: int
    before: float
    after: float
    chance: float = Field(description="That as many titles are lost, of those that differ, if neither is better.")


class Pair(_Part):
    """A figure of the champion and of the new model."""

    before: float
    after: float


class Decision(_Part):
    """Whether a new model may go into service, and why."""

    passed: bool
    reasons: list[str] = Field(description="Of a refusal, each rule that was broken; else why it may.")
    champion: str | None
    challenger: str
    golden: Compared | None = None
    verdicts: Compared | None = None
    losses: list[RecallLoss] = Field(default=[], description="Greater than the rule allows, the greatest first.")
    ece: Pair | None = Field(default=None, description="On the golden rows.")
    rows_per_s: Pair | None = None
    size_bytes: Pair | None = None
