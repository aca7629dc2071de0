"""Two models side by side, over HTTP."""

from pydantic import BaseModel, ConfigDict, Field


class Span(BaseModel):
    """A 95 % interval."""

    low: float
    high: float


class ComparedModel(BaseModel):
    """What there is to know of one without asking it anything."""

    name: str
    version: str
    data_file: str
    data_rows: int
    categories: int
    stages: list[str]
    bundle_bytes: int
    metrics: dict[str, float]
    rows_per_s: dict[str, float] = Field(description="By stage, measured when it was trained.")


class Recall(BaseModel):
    """How well a category is found by each; null where one does not know it or had no row of it."""

    code: str
    label: str
    rows: int = Field(description="Of the second one's measurement.")
    first: float | None
    second: float | None


class ShadowJudged(BaseModel):
    """The products among them whose category a person has given."""

    products: int
    champion_accuracy: float
    champion_interval: Span
    challenger_accuracy: float
    challenger_interval: Span
    champion_only: int = Field(description="Only the first one is right.")
    challenger_only: int = Field(description="Only the second one is right.")
    p: float = Field(description="Of McNemar's exact test, that the two are equally often right.")


class ShadowComparison(BaseModel):
    """What the second one answered in the shadow of the first."""

    products: int
    agreement: float
    agreement_interval: Span
    champion_confidence: float
    challenger_confidence: float
    confidence_shift: float
    shift_interval: Span
    judged: ShadowJudged | None = None


class ModelComparison(BaseModel):
    """Both, and how the second differs."""

    model_config = ConfigDict(from_attributes=True)

    first: ComparedModel
    second: ComparedModel
    same_rows: bool = Field(description="Whether their own metrics were measured on the same rows.")
    recalls: list[Recall] = Field(description="Each on its own test rows; largest changes first.")
    shadow: ShadowComparison | None = Field(description="Null: no product was answered by both.")
    no_shadow: str | None = Field(default=None, description="Why nothing is known of the shadow, where that is so.")
